//! The samples in `tests/vectors`, captured from Stytch's official SDKs.

mod responses;

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use stytch_sso_external::{
    Client, Error, ErrorKind, Outcome, Session,
    testing::{
        Clock,
        jwt::{self, Key},
        responses as bodies,
    },
    types::UpdateExternalConnectionRequest,
};

use crate::support::{
    scripted_server::{Request, ScriptedServer},
    steps::{self, Steps},
};

#[derive(Deserialize)]
struct Updates {
    project_id: String,
    secret: String,
    jwks: Value,
    cases: Vec<UpdateCase>,
}

#[derive(Deserialize)]
struct UpdateCase {
    name: String,
    session: Map<String, Value>,
    organization_id: String,
    connection_id: String,
    update: UpdateFields,
    expect: Expected,
}

#[derive(Deserialize)]
struct UpdateFields {
    display_name: Option<String>,
    connection_roles: Option<Vec<String>>,
    group_roles: Option<Vec<GroupRole>>,
}

#[derive(Deserialize)]
struct GroupRole {
    role_id: String,
    group: String,
}

#[derive(Deserialize)]
struct Expected {
    method: String,
    path_segments: Vec<String>,
    headers_present: Map<String, Value>,
    headers_absent: Vec<String>,
    json_body: Value,
}

#[tokio::test]
async fn updates_are_sent_as_by_the_official_sdk() {
    let vectors: Updates =
        serde_json::from_str(include_str!("../vectors/update_request.json")).unwrap();
    assert!(!vectors.cases.is_empty());
    for case in &vectors.cases {
        let (organization_id, connection_id) =
            (case.organization_id.clone(), case.connection_id.clone());
        let jwks = vectors.jwks.clone();
        let server = ScriptedServer::start(move |seen, _| {
            respond(seen, &jwks, &organization_id, &connection_id)
        })
        .await;
        let client = Client::builder(&vectors.project_id, &vectors.secret).base_url(server.url());
        let member = client.build().unwrap().as_member(session(&case.session));
        if case.name == "ids_needing_percent_encoding" {
            // The SDKs encode these ids. Stytch has none such, so this crate rejects them.
            let updated =
                member.update_connection(&case.connection_id, &update(&case.update)).await;
            assert_eq!(updated.unwrap_err().outcome(), Outcome::NotApplied);
            member.organization_id().await.unwrap_err();
            assert!(server.seen("/sso/external/").is_empty());
            continue;
        }
        assert_eq!(member.organization_id().await.unwrap(), case.organization_id, "{}", case.name);
        let updated = member.update_connection(&case.connection_id, &update(&case.update)).await;
        updated.unwrap_or_else(|error| panic!("{}: {error:?}", case.name));

        let sent = server.seen("/sso/external/");
        assert_eq!(sent.len(), 1, "{}", case.name);
        check(&sent[0], case);
    }
}

fn check(sent: &Request, UpdateCase { name, expect, .. }: &UpdateCase) {
    assert_eq!(sent.method, expect.method, "{name}");
    let segments: Vec<String> = sent.target[1..].split('/').map(percent_decoded).collect();
    assert_eq!(segments, expect.path_segments, "{name}");
    for (header, value) in &expect.headers_present {
        let value = value.as_str().unwrap();
        let sent = sent.values(header);
        assert_eq!(sent.len(), 1, "{name}: {header}");
        match header.as_str() {
            "content-type" => assert!(sent[0].starts_with(value), "{name}: {header}"),
            _ => assert!(sent[0] == value, "{name}: {header}"),
        }
    }
    for header in &expect.headers_absent {
        assert!(sent.values(header).is_empty(), "{name}: {header}");
    }
    assert_eq!(sent.json(), expect.json_body, "{name}");
}

fn respond(seen: &Request, jwks: &Value, organization_id: &str, connection_id: &str) -> Steps {
    if seen.target.contains("/jwks/") {
        return steps::json(200, jwks);
    }
    if seen.target.ends_with("/authenticate") {
        let mut response = bodies::authenticated(organization_id, "token", "jwt");
        // Whatever token was sent.
        response.session_token = None;
        return steps::json(200, &response);
    }
    let mut connection = bodies::connection();
    organization_id.clone_into(&mut connection.organization_id);
    connection_id.clone_into(&mut connection.connection_id);
    steps::json(200, &bodies::updated(connection))
}

fn session(session: &Map<String, Value>) -> Session {
    let credential = |kind: &str| session.get(kind).and_then(Value::as_str);
    match (credential("jwt"), credential("token")) {
        (Some(jwt), None) => Session::jwt(jwt),
        (None, Some(token)) => Session::token(token),
        _ => panic!("a case has one session"),
    }
}

fn update(fields: &UpdateFields) -> UpdateExternalConnectionRequest {
    let mut update = UpdateExternalConnectionRequest::default();
    if let Some(name) = &fields.display_name {
        update = update.display_name(name);
    }
    if let Some(roles) = &fields.connection_roles {
        update = update.connection_roles(roles);
    }
    if let Some(roles) = &fields.group_roles {
        update = update.group_roles(roles.iter().map(|role| (&role.group, &role.role_id)));
    }
    update
}

fn percent_decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8().unwrap().into_owned()
}

#[derive(Deserialize)]
struct Sessions {
    now: u64,
    base_url: String,
    project_id: String,
    cases: Vec<SessionCase>,
}

#[derive(Deserialize)]
struct SessionCase {
    name: String,
    valid: bool,
    header: Value,
    signed_by: String,
    claims: Value,
    expect: Option<Value>,
}

#[tokio::test]
async fn session_jwts_are_accepted_and_rejected_as_by_the_official_sdks() {
    let vectors: Sessions =
        serde_json::from_str(include_str!("../vectors/session_claims.json")).unwrap();
    let kid = vectors.cases[0].header["kid"].as_str().unwrap();
    let (project_key, other_key) = (Key::generate().with_kid(kid), Key::generate().with_kid(kid));
    let jwks = json!({"keys": [project_key.jwk()]});
    for case in &vectors.cases {
        let jwks = jwks.clone();
        let server = ScriptedServer::start(move |seen, _| {
            if seen.target.contains("/jwks/") {
                steps::json(200, &jwks)
            } else {
                steps::json(404, &bodies::session_not_found())
            }
        })
        .await;
        let mut claims = case.claims.clone();
        if claims["iss"] == *vectors.base_url {
            claims["iss"] = json!(server.url());
        }
        let jwt = match case.signed_by.as_str() {
            "project_key" => jwt::sign(&case.header, &claims, &project_key),
            "other_key" => jwt::sign(&case.header, &claims, &other_key),
            "hmac_sha256_with_public_key_pem" => {
                jwt::sign_hmac(&case.header, &claims, project_key.public_key_pem().as_bytes())
            }
            "nothing" => jwt::unsigned(&case.header, &claims),
            other => panic!("unknown signer {other}"),
        };
        let client = Client::builder(&vectors.project_id, "secret-test-example")
            .base_url(server.url())
            .clock(Clock::stopped_at(UNIX_EPOCH + Duration::from_secs(vectors.now)))
            .build()
            .unwrap();
        let organization_id = client.as_member(Session::jwt(jwt)).organization_id().await;
        check_session(case, organization_id, &server);
    }
}

fn check_session(
    case: &SessionCase,
    organization_id: Result<String, Error>,
    server: &ScriptedServer,
) {
    let name = &case.name;
    if case.valid {
        let expected = case.expect.as_ref().unwrap()["organization_id"].as_str().unwrap();
        assert_eq!(organization_id.unwrap(), expected, "{name}");
    } else {
        let error = organization_id.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{name}: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{name}");
    }
    // Stytch decides about a JWT that the project signed for itself.
    let decided_by_stytch = [
        "expired",
        "not_yet_valid",
        "issuer_is_unknown",
        "issuer_is_another_project",
        "organization_claim_missing",
        "session_claim_missing",
    ];
    let authenticated = usize::from(decided_by_stytch.contains(&&**name));
    assert_eq!(server.seen("/authenticate").len(), authenticated, "{name}");
    assert!(server.seen("/jwks/").len() <= 1, "{name}");
}
