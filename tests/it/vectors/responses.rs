//! Captured responses are decoded as by the official SDKs.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};
use stytch_sso_external::{
    Client, Error, Session, SessionKind,
    testing::{Response, responses},
    types::UpdateExternalConnectionRequest,
};

use crate::support::recorder::Recorder;

#[derive(Deserialize)]
struct Responses {
    cases: Vec<ResponseCase>,
}

#[derive(Clone, Deserialize)]
struct ResponseCase {
    name: String,
    request: Request,
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
async fn responses_are_decoded_as_by_the_official_sdks() {
    let vectors: Responses =
        serde_json::from_str(include_str!("../../vectors/responses.json")).unwrap();
    let mut read = 0;
    for case in &vectors.cases {
        let operation = case.request.path.as_str();
        match (case.request.method.as_str(), operation) {
            ("PUT", _) => check_update_response(case).await,
            ("POST", "/v1/b2b/sessions/authenticate") => check_session_response(case).await,
            ("GET", path) if path.contains("/sessions/jwks/") => check_jwks_response(case).await,
            // The crate doesn't fetch the RBAC policy.
            ("GET", path) if path.contains("/rbac/") => continue,
            other => panic!("{}: no such operation: {other:?}", case.name),
        }
        read += 1;
    }
    assert_eq!(read, vectors.cases.len() - 2);
}

async fn check_update_response(case: &ResponseCase) {
    let (status, body) = (case.http_status, case.body.clone());
    let server = Recorder::start(move |seen| match seen.path.as_str() {
        "/v1/b2b/sessions/authenticate" => {
            Response::json(200, &responses::authenticated(ORGANIZATION, "token", "jwt"))
        }
        _ => Response::json(status, &body),
    })
    .await;
    let update = UpdateExternalConnectionRequest::default().display_name("Renamed connection");
    let result = client(&server)
        .as_member(Session::token("token"))
        .update_connection(CONNECTION, &update)
        .await;
    if case.expect.ok {
        assert_eq!(serde_json::to_value(result.unwrap()).unwrap(), case.body, "{}", case.name);
    } else {
        check_error(case, &result.unwrap_err());
    }
}

async fn check_session_response(case: &ResponseCase) {
    let (status, body) = (case.http_status, case.body.clone());
    let server = Recorder::start(move |_| Response::json(status, &body)).await;
    let member = client(&server).as_member(Session::token("token"));
    let result = member.organization_id().await;
    if case.expect.ok {
        let expected = case.expect.member_session["organization_id"].as_str().unwrap();
        assert_eq!(result.unwrap(), expected, "{}", case.name);
        assert_eq!(member.session().kind(), SessionKind::Token, "{}", case.name);
    } else {
        check_error(case, &result.unwrap_err());
    }
}

async fn check_jwks_response(case: &ResponseCase) {
    let (status, body) = (case.http_status, case.body.clone());
    let server = Recorder::start(move |_| Response::json(status, &body)).await;
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
    let retry = stytch_sso_external::RetryPolicy::disabled();
    Client::builder("project-test-1", "secret")
        .base_url(server.base_url())
        .retry(retry)
        .build()
        .unwrap()
}
