//! The samples in `tests/vectors`, captured from Stytch's official SDKs.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stytch_sso_external::{
    Client, Error, Outcome, Session, SessionKind,
    testing::{
        Answer, Clock,
        jwt::{self, Key},
        responses,
    },
    types::UpdateExternalConnectionRequest,
};

use crate::support::recorder::{Recorder, Seen};

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
async fn updates_leave_as_the_official_sdk_sends_them() {
    let vectors: Updates =
        serde_json::from_str(include_str!("../vectors/update_request.json")).unwrap();
    assert!(!vectors.cases.is_empty());
    for case in &vectors.cases {
        let (organization_id, connection_id) =
            (case.organization_id.clone(), case.connection_id.clone());
        let jwks = vectors.jwks.clone();
        let server =
            Recorder::start(move |seen| answer(seen, &jwks, &organization_id, &connection_id))
                .await;
        let client =
            Client::builder(&vectors.project_id, &vectors.secret).base_url(server.base_url());
        let member = client.build().unwrap().as_member(session(&case.session));
        assert_eq!(member.organization_id().await.unwrap(), case.organization_id, "{}", case.name);
        let updated = member.update_connection(&case.connection_id, &update(&case.update)).await;
        updated.unwrap_or_else(|error| panic!("{}: {error:?}", case.name));

        let sent = server.seen("/sso/external/");
        assert_eq!(sent.len(), 1, "{}", case.name);
        check(&sent[0], case);
    }
}

fn check(sent: &Seen, UpdateCase { name, expect, .. }: &UpdateCase) {
    assert_eq!(sent.method, expect.method, "{name}");
    let segments: Vec<String> = sent.path[1..].split('/').map(percent_decoded).collect();
    assert_eq!(segments, expect.path_segments, "{name}");
    for (header, value) in &expect.headers_present {
        let value = value.as_str().unwrap();
        let sent = sent.header(header);
        assert_eq!(sent.len(), 1, "{name}: {header}");
        match header.as_str() {
            "content-type" => assert!(sent[0].starts_with(value), "{name}: {header}"),
            _ => assert!(sent[0] == value, "{name}: {header}"),
        }
    }
    for header in &expect.headers_absent {
        assert!(sent.header(header).is_empty(), "{name}: {header}");
    }
    assert_eq!(sent.json(), expect.json_body, "{name}");
}

fn answer(seen: &Seen, jwks: &Value, organization_id: &str, connection_id: &str) -> Answer {
    if seen.path.contains("/jwks/") {
        return Answer::json(200, jwks);
    }
    if seen.path.ends_with("/authenticate") {
        return Answer::json(200, &responses::authenticated(organization_id, "token", "jwt"));
    }
    let mut connection = responses::connection();
    organization_id.clone_into(&mut connection.organization_id);
    connection_id.clone_into(&mut connection.connection_id);
    Answer::json(200, &responses::updated(connection))
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
async fn session_jwts_are_taken_and_refused_as_by_the_official_sdks() {
    let vectors: Sessions =
        serde_json::from_str(include_str!("../vectors/session_claims.json")).unwrap();
    let kid = vectors.cases[0].header["kid"].as_str().unwrap();
    let (project_key, other_key) = (Key::generate().with_kid(kid), Key::generate().with_kid(kid));
    let jwks = json!({"keys": [project_key.jwk()]});
    for case in &vectors.cases {
        let jwks = jwks.clone();
        let server = Recorder::start(move |seen| {
            if seen.path.contains("/jwks/") {
                Answer::json(200, &jwks)
            } else {
                Answer::error(&responses::session_not_found())
            }
        })
        .await;
        let mut claims = case.claims.clone();
        if claims["iss"] == *vectors.base_url {
            claims["iss"] = json!(server.base_url());
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
            .base_url(server.base_url())
            .clock(Clock::stopped_at(UNIX_EPOCH + Duration::from_secs(vectors.now)))
            .build()
            .unwrap();
        let organization_id = client.as_member(Session::jwt(jwt)).organization_id().await;
        check_session(case, organization_id, &server);
    }
}

fn check_session(case: &SessionCase, organization_id: Result<String, Error>, server: &Recorder) {
    let name = &case.name;
    if case.valid {
        let expected = case.expect.as_ref().unwrap()["organization_id"].as_str().unwrap();
        assert_eq!(organization_id.unwrap(), expected, "{name}");
    } else {
        let error = organization_id.unwrap_err();
        assert!(matches!(error, Error::SessionInvalid(_)), "{name}: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{name}");
    }
    // An expired JWT is the one thing to ask Stytch about.
    let asked = usize::from(name == "expired");
    assert_eq!(server.seen("/authenticate").len(), asked, "{name}");
    assert!(server.seen("/jwks/").len() <= 1, "{name}");
}

#[derive(Deserialize)]
struct Responses {
    cases: Vec<ResponseCase>,
}

#[derive(Clone, Deserialize)]
struct ResponseCase {
    name: String,
    answers: Request,
    http_status: u16,
    body: Value,
    expect: ExpectedResponse,
}

#[derive(Clone, Deserialize)]
struct Request {
    method: String,
    path: String,
}

#[derive(Clone, Deserialize)]
struct ExpectedResponse {
    ok: bool,
    #[serde(default)]
    error: Map<String, Value>,
    #[serde(default)]
    member_session: Map<String, Value>,
}

const ORGANIZATION: &str = "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931";
const CONNECTION: &str = "external-connection-test-d89ff7a0-e86f-4b4d-b6a3-9a74d967528e";

#[tokio::test]
async fn answers_are_read_as_by_the_official_sdks() {
    let vectors: Responses =
        serde_json::from_str(include_str!("../vectors/responses.json")).unwrap();
    let mut read = 0;
    for case in &vectors.cases {
        let operation = case.answers.path.as_str();
        match (case.answers.method.as_str(), operation) {
            ("PUT", _) => check_update_answer(case).await,
            ("POST", "/v1/b2b/sessions/authenticate") => check_session_answer(case).await,
            ("GET", path) if path.contains("/sessions/jwks/") => check_jwks_answer(case).await,
            // The crate reads no policy: Stytch decides, and the answer says so.
            ("GET", path) if path.contains("/rbac/") => continue,
            other => panic!("{}: no such operation: {other:?}", case.name),
        }
        read += 1;
    }
    assert_eq!(read, vectors.cases.len() - 2);
}

async fn check_update_answer(case: &ResponseCase) {
    let (status, body) = (case.http_status, case.body.clone());
    let server = Recorder::start(move |seen| match seen.path.as_str() {
        "/v1/b2b/sessions/authenticate" => {
            Answer::json(200, &responses::authenticated(ORGANIZATION, "token", "jwt"))
        }
        _ => Answer::json(status, &body),
    })
    .await;
    let update = UpdateExternalConnectionRequest::default().display_name("Renamed connection");
    let outcome = client(&server)
        .as_member(Session::token("token"))
        .update_connection(CONNECTION, &update)
        .await;
    if case.expect.ok {
        assert_eq!(serde_json::to_value(outcome.unwrap()).unwrap(), case.body, "{}", case.name);
    } else {
        check_error(case, &outcome.unwrap_err());
    }
}

async fn check_session_answer(case: &ResponseCase) {
    let (status, body) = (case.http_status, case.body.clone());
    let server = Recorder::start(move |_| Answer::json(status, &body)).await;
    let member = client(&server).as_member(Session::token("token"));
    let outcome = member.organization_id().await;
    if case.expect.ok {
        let expected = case.expect.member_session["organization_id"].as_str().unwrap();
        assert_eq!(outcome.unwrap(), expected, "{}", case.name);
        assert_eq!(member.session().kind(), SessionKind::Token, "{}", case.name);
    } else {
        check_error(case, &outcome.unwrap_err());
    }
}

async fn check_jwks_answer(case: &ResponseCase) {
    let (status, body) = (case.http_status, case.body.clone());
    let server = Recorder::start(move |_| Answer::json(status, &body)).await;
    let jwks = client(&server).bindings().get_jwks("project-test-1").await.unwrap();
    let expected = &case.body["keys"][0];
    assert_eq!(jwks.keys[0].kid.as_deref(), expected["kid"].as_str(), "{}", case.name);
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(jwks.keys[0].n.as_deref().unwrap()).unwrap();
    assert_eq!(modulus.len(), 256, "{}", case.name);
    client(&server).warm_up().await.unwrap();
}

fn check_error(case: &ResponseCase, error: &Error) {
    let name = &case.name;
    let expected = |field: &str| case.expect.error.get(field).and_then(Value::as_str);
    assert_eq!(error.status().unwrap().as_u16(), case.http_status, "{name}");
    assert_eq!(error.request_id(), expected("request_id"), "{name}");
    assert_eq!(error.error_type(), expected("error_type"), "{name}");
    assert_eq!(error.error_message(), expected("error_message"), "{name}");
    assert_eq!(error.error_url(), expected("error_url"), "{name}");
    assert_eq!(error.error_details(), case.expect.error.get("error_details"), "{name}");
}

fn client(server: &Recorder) -> Client {
    let retry = stytch_sso_external::RetryPolicy::off();
    Client::builder("project-test-1", "secret")
        .base_url(server.base_url())
        .retry(retry)
        .build()
        .unwrap()
}
