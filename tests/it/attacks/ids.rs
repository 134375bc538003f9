//! Ids and credentials that would change the path, the request line or the host of a request.

use http::{HeaderMap, HeaderValue};
use serde_json::json;
use stytch_sso_external::{Outcome, Session};

use crate::support::{
    capture,
    scripted_project::{self, ScriptedProject, claims, variant},
    steps,
};

/// Ids that a URL parser or a gateway could take for something else than one path segment.
pub(crate) const IMPOSSIBLE: [&str; 31] = [
    "",
    ".",
    "..",
    "..\\..\\x",
    "\\",
    "a\\b",
    "a\0b",
    "a\r\nb",
    "a\nb",
    "a\tb",
    "\u{7f}",
    "a\u{85}b",
    "\u{1b}[31m",
    "..\r",
    "%2e%2e",
    "%2E",
    ".%2e",
    "..%2f",
    "%",
    "a/b",
    "../x",
    "/",
    "a?b",
    "a#b",
    "a b",
    " ",
    "a;b=c",
    "..;",
    "ä",
    "\u{202e}",
    "a\u{ff0f}b",
];

/// Unusual but valid ids, and how they are encoded.
const ODD: [(&str, &str); 8] = [
    ("...", "..."),
    ("acme.example|42", "acme.example|42"),
    ("@evil.example", "@evil.example"),
    ("a:b,c=d&e+f", "a:b,c=d&e+f"),
    ("-_~!$'()*", "-_~!$'()*"),
    ("[a]", "[a]"),
    ("<\">", "%3C%22%3E"),
    ("`{}", "%60%7B%7D"),
];

#[tokio::test]
async fn invalid_ids_are_rejected_before_sending() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.client();
    let member = client.as_member(scripted_project::session());
    let long = "x".repeat(64 * 1024);
    for id in IMPOSSIBLE.into_iter().chain([&*long]) {
        let error =
            member.update_connection(id, &scripted_project::rename("Acme")).await.unwrap_err();
        capture::inspect(&error);
        assert_eq!(variant(&error), "InvalidRequest", "{id:?}");
        assert_eq!((error.status(), error.outcome()), (None, Outcome::NotApplied), "{id:?}");
        assert_eq!((error.attempts(), error.is_retryable()), (0, false), "{id:?}");
        assert!(!error.to_string().contains(['\n', '\r', '\0', '\u{1b}']), "{id:?}");
    }
    assert_eq!(project.server.connections(), 0);
}

#[tokio::test]
async fn invalid_ids_are_rejected_by_the_bindings_too() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.client();
    let bindings = client.bindings();
    let update = scripted_project::rename("Acme");
    for id in IMPOSSIBLE {
        let rejected = [
            bindings.get_connections(id, None, None).await.err().map(|error| error.to_string()),
            bindings.get_jwks(id).await.err().map(|error| error.to_string()),
            bindings.get_organization_rbac_policy(id).await.err().map(|error| error.to_string()),
            bindings
                .update_external_connection(scripted_project::ORGANIZATION, id, None, None, &update)
                .await
                .err()
                .map(|error| error.to_string()),
        ];
        for error in rejected {
            assert!(error.as_ref().is_some_and(|it| it.contains("an id ")), "{id:?}: {error:?}");
        }
    }
    assert_eq!(project.server.connections(), 0);
}

#[tokio::test]
async fn invalid_organization_ids_of_a_jwt_send_no_update() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.client();
    for id in IMPOSSIBLE {
        let mut claims = claims();
        claims["https://stytch.com/organization"]["organization_id"] = json!(id);
        let session = Session::jwt(scripted_project::sign(&claims));
        let error = scripted_project::update_as(&client, session).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotApplied, "{id:?}: {error:?}");
    }
    assert_eq!(project.updates(), 0);
}

#[tokio::test]
async fn unusual_connection_ids_are_sent_as_one_segment() {
    let project = ScriptedProject::responding(steps::html(404)).await;
    let client = project.client();
    let path = format!("/v1/b2b/sso/external/{}/connections/", scripted_project::ORGANIZATION);
    for (id, segment) in ODD {
        let member = client.as_member(scripted_project::session());
        member.update_connection(id, &scripted_project::rename("Acme")).await.unwrap_err();
        let seen = project.server.requests().pop().unwrap();
        assert_eq!(seen.target, format!("{path}{segment}"), "{id:?}");
        let host = project.server.url();
        assert_eq!(seen.header("host"), host.strip_prefix("http://"), "{id:?}");
    }
}

#[tokio::test]
async fn unusual_organization_ids_are_sent_as_one_segment() {
    let project = ScriptedProject::responding(steps::html(404)).await;
    let client = project.client();
    for (id, segment) in ODD {
        let mut claims = claims();
        claims["https://stytch.com/organization"]["organization_id"] = json!(id);
        scripted_project::update_as(&client, Session::jwt(scripted_project::sign(&claims)))
            .await
            .unwrap_err();
        let seen = project.server.requests().pop().unwrap();
        let path =
            format!("/v1/b2b/sso/external/{segment}/connections/{}", scripted_project::CONNECTION);
        assert_eq!(seen.target, path, "{id:?}");
    }
}

#[tokio::test]
async fn credentials_that_no_header_can_carry_are_rejected_before_sending() {
    let long = "x".repeat(1 << 20);
    let credentials = [
        "",
        " ",
        "a b",
        "a\r\nx-evil: 1",
        "a\nb",
        "a\0b",
        "a\tb",
        "\u{7f}",
        "tökén",
        "a\u{200b}b",
        &long,
    ];
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.client();
    for credential in credentials {
        for session in [Session::token(credential), Session::jwt(credential)] {
            let error = scripted_project::update_as(&client, session.clone()).await.unwrap_err();
            assert_eq!(variant(&error), "InvalidSession", "{credential:.9?}");
            assert_eq!(error.outcome(), Outcome::NotApplied, "{credential:.9?}");
            let error = client.as_member(session).organization_id().await.unwrap_err();
            capture::inspect(&error);
        }
    }
    assert_eq!(project.server.connections(), 0);
}

#[tokio::test]
async fn exactly_one_session_header_is_sent_whatever_the_caller_received() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.client();
    let jwt = scripted_project::sign(&claims());
    let mut headers = HeaderMap::new();
    for name in ["x-stytch-member-session", "x-stytch-member-sessionjwt"] {
        headers.append(name, HeaderValue::from_str(&jwt).unwrap());
        headers.append(name, HeaderValue::from_static("second"));
    }
    headers.insert("cookie", HeaderValue::from_static("stytch_session=third"));
    let sessions = [
        (Session::from_headers(&headers).unwrap(), "x-stytch-member-sessionjwt", &*jwt),
        (
            Session::token(scripted_project::TOKEN),
            "x-stytch-member-session",
            scripted_project::TOKEN,
        ),
    ];
    for (session, header, credential) in sessions {
        scripted_project::update_as(&client, session).await.unwrap();
        let seen = project.server.requests().pop().unwrap();
        let sent = seen.headers.iter().filter(|(name, _)| name.starts_with("x-stytch"));
        let sent: Vec<_> = sent.map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(sent, [(header, credential)]);
        assert_eq!(seen.headers.iter().filter(|(name, _)| name == "authorization").count(), 1);
        assert!(seen.header("cookie").is_none() && seen.header("api-version").is_none());
    }
}
