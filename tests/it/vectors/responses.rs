//! Captured responses are decoded as by the official SDKs.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};
use stytch_sso_external::{
    Client, Error, Operation, Session, SessionKind, testing::responses,
    types::UpdateExternalConnectionRequest,
};

use crate::support::{scripted_server::ScriptedServer, steps};

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
            ("GET", "/v1/b2b/rbac/policy") => check_project_policy(case).await,
            ("GET", path) if path.starts_with("/v1/b2b/rbac/organizations/") => {
                check_organization_policy(case).await;
            }
            other => panic!("{}: no such operation: {other:?}", case.name),
        }
        read += 1;
    }
    assert_eq!(read, vectors.cases.len());
}

async fn check_update_response(case: &ResponseCase) {
    let (status, body) = (case.http_status, case.body.clone());
    let server = ScriptedServer::start(move |seen, _| match seen.target.as_str() {
        "/v1/b2b/sessions/authenticate" => {
            steps::json(200, &responses::authenticated(ORGANIZATION, "token", "jwt"))
        }
        _ => steps::json(status, &body),
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
    let server = serving(case).await;
    let token = case.body["session_token"].as_str().unwrap_or("token");
    let member = client(&server).as_member(Session::token(token));
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
    let server = serving(case).await;
    let jwks = client(&server).bindings().get_jwks("project-test-1").await.unwrap();
    let expected = &case.body["keys"][0];
    assert_eq!(jwks.keys[0].kid.as_deref(), expected["kid"].as_str(), "{}", case.name);
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(jwks.keys[0].n.as_deref().unwrap()).unwrap();
    assert_eq!(modulus.len(), 256, "{}", case.name);
    client(&server).warm_up().await.unwrap();
}

async fn check_project_policy(case: &ResponseCase) {
    let server = serving(case).await;
    let policy = client(&server).bindings().get_rbac_policy().await.unwrap().into_inner();
    let decoded = serde_json::to_value(&policy.policy.roles).unwrap();
    assert_eq!(decoded, roles(&case.body["policy"]), "{}", case.name);
}

async fn check_organization_policy(case: &ResponseCase) {
    let server = serving(case).await;
    let client = client(&server);
    let policy = client.bindings().get_organization_rbac_policy(ORGANIZATION).await.unwrap();
    let decoded = policy.into_inner().org_policy.unwrap().roles.unwrap();
    let decoded = serde_json::to_value(decoded).unwrap();
    assert_eq!(decoded, roles(&case.body["org_policy"]), "{}", case.name);
    assert!(server.seen("").iter().all(|seen| seen.target == case.request.path), "{}", case.name);
}

/// Returns the roles of a policy without their descriptions, which the crate doesn't read.
fn roles(policy: &Value) -> Value {
    let mut roles = policy["roles"].clone();
    for role in roles.as_array_mut().unwrap() {
        role.as_object_mut().unwrap().remove("description");
    }
    roles
}

#[tokio::test]
async fn permission_is_checked_against_both_captured_policies() {
    let vectors: Responses =
        serde_json::from_str(include_str!("../../vectors/responses.json")).unwrap();
    let server = ScriptedServer::start(move |seen, _| {
        if seen.target == "/v1/b2b/sessions/authenticate" {
            return steps::json(200, &responses::authenticated(ORGANIZATION, "token", "jwt"));
        }
        let case = vectors.cases.iter().find(|case| case.request.path == seen.target).unwrap();
        steps::json(200, &case.body)
    })
    .await;
    let member = client(&server).as_member(Session::token("token"));
    for (operation, expected) in [
        (
            Operation::UpdateExternalConnection,
            &["acme_sso_owner", "sso_editor", "stytch_admin"] as &[_],
        ),
        (Operation::GetConnections, &["stytch_admin"]),
    ] {
        let verdict = member.check_permissions([operation]).await.unwrap();
        assert_eq!(verdict.sufficient_roles, expected, "{operation}");
        assert_eq!(verdict.granting_roles, ["stytch_admin"], "{operation}");
    }
}

/// Starts a server that responds to every request with a captured response.
async fn serving(case: &ResponseCase) -> ScriptedServer {
    let (status, body) = (case.http_status, case.body.clone());
    ScriptedServer::start(move |_, _| steps::json(status, &body)).await
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

fn client(server: &ScriptedServer) -> Client {
    let retry = stytch_sso_external::RetryPolicy::disabled();
    Client::builder("project-test-1", "secret").base_url(server.url()).retry(retry).build().unwrap()
}
