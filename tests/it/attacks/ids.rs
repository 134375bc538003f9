//! Ids and credentials that would change the path, the request line or the host of a request.

use crate::support::prelude::*;

/// Ids that a URL parser or a gateway could take for something else than one path segment.
/// The last one has a full-width slash.
pub(super) const IMPOSSIBLE: &[&str] = &[
    "", ".", "..", r"..\..\x", "\\", "a\\b", "a\0b", "a\r\nb", "a\nb", "a\tb", "\u{7f}", "a\u{7f}",
    "a\u{85}", "a\u{85}b", "\x1b[31m", "..\r", "%2e%2e", "%2E", ".%2e", "..%2f", "%", "a/b",
    "../x", "/", "a?b", "a#b", "a b", " ", "a;b=c", "..;", "ä", "\u{202e}", "a／b",
];

/// Unusual but valid ids, and how they are encoded.
const ODD: &[(&str, &str)] = &[
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
    let project = ScriptedProject::successful().await;
    let member = project.client().as_member(session());
    let long = "x".repeat(64 * 1024);
    for id in IMPOSSIBLE.iter().copied().chain([&long[..1025], &*long]) {
        let updated = member.update_connection(id, &rename("Acme")).await.unwrap_err();
        let read = member.connection(id).await.unwrap_err();
        let edit = member.edit_connection(id, |edit| edit.grant_role("editor")).await.unwrap_err();
        for (operation, error) in [(UPDATE, updated), (LIST, read), (UPDATE, edit)] {
            capture::inspect(&error);
            assert_eq!(facts(&error), (InvalidRequest, None, NotApplied), "{id:?}");
            assert_eq!((error.operation(), error.attempts()), (operation, 0), "{id:?}");
            assert!(error.reason().starts_with("the connection id "), "{id:?}: {error}");
            assert!(!error.is_retryable(), "{id:?}");
            assert!(!error.to_string().contains(['\n', '\r', '\0', '\u{1b}']), "{id:?}");
        }
    }
    assert_eq!(project.server.connections(), 0);
}

#[tokio::test]
async fn invalid_ids_are_rejected_by_the_bindings_too() {
    let (project, client) = ScriptedProject::successful().await.with_client();
    let (bindings, update) = (client.bindings(), rename("Acme"));
    for id in IMPOSSIBLE {
        let updated =
            bindings.update_external_connection(ORGANIZATION, id, None, None, &update).await;
        for error in [
            bindings.get_connections(id, None, None).await.unwrap_err(),
            bindings.get_jwks(id).await.unwrap_err(),
            bindings.get_organization_rbac_policy(id).await.unwrap_err(),
            updated.unwrap_err(),
        ] {
            assert!(error.to_string().contains("an id "), "{id:?}: {error:?}");
        }
    }
    assert_eq!(project.server.connections(), 0);
}

#[tokio::test]
async fn unusual_ids_are_sent_as_one_segment() {
    let (project, client) = ScriptedProject::responding(html(404)).await.with_client();
    client.warm_up().await.unwrap();
    project.server.take();
    let host = project.server.url().replace("http://", "");
    for (id, segment) in ODD {
        let member = client.as_member(session());
        member.update_connection(id, &rename("Acme")).await.unwrap_err();
        let of_the_organization = jwt(&with(claims(), ORGANIZATION_ID, *id));
        update_as(&client, of_the_organization).await.unwrap_err();
        let sent = project.server.take();
        let sent: Vec<_> = sent.iter().map(|it| (&*it.target, it.header("host"))).collect();
        let path = "/v1/b2b/sso/external";
        let paths = [
            format!("{path}/{ORGANIZATION}/connections/{segment}"),
            format!("{path}/{segment}/connections/{CONNECTION}"),
        ];
        assert_eq!(sent, paths.each_ref().map(|path| (&**path, Some(&*host))), "{id:?}");
    }
}

#[tokio::test]
async fn credentials_that_no_header_can_carry_are_rejected_before_sending() {
    let long = "x".repeat(1 << 20);
    let credentials = ["", " ", "a b", "a\r\nx-evil: 1", "a\nb", "a\0b", "a\tb", "\u{7f}", "tökén"];
    let (project, client) = ScriptedProject::successful().await.with_client();
    for credential in credentials.into_iter().chain(["a\u{200b}b", &long]) {
        for session in [Session::token(credential), Session::jwt(credential)] {
            let error = update_as(&client, session.clone()).await.unwrap_err();
            let expected = (InvalidSession, None, NotApplied);
            assert_eq!(facts(&error), expected, "{credential:.9?}");
            let error = client.as_member(session).organization_id().await.unwrap_err();
            capture::inspect(&error);
        }
    }
    assert_eq!(project.server.connections(), 0);
}
