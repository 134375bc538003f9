//! Captured responses are decoded as by the official SDKs.

use serde::Serialize;

use super::{list, samples, text};
use crate::support::prelude::*;

const ORGANIZATION: &str = "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931";
const CONNECTION: &str = "external-connection-test-d89ff7a0-e86f-4b4d-b6a3-9a74d967528e";
const AUTHENTICATE: &str = "/v1/b2b/sessions/authenticate";

#[tokio::test]
async fn responses_are_decoded_as_by_the_official_sdks() {
    let samples = samples("responses");
    assert!(!list(&samples, "cases").is_empty());
    for case in list(&samples, "cases") {
        let request = &case["request"];
        let (captured, is_session) = (response(case), text(request, "path") == AUTHENTICATE);
        let server = ScriptedServer::start(move |seen, _| {
            let precedes_an_update = !is_session && seen.target == AUTHENTICATE;
            if precedes_an_update { authenticated() } else { captured.clone() }
        });
        let server = server.await;
        let client = client(&server);
        match (text(request, "method"), text(request, "path")) {
            ("PUT", _) => check_update_response(case, &client).await,
            ("POST", AUTHENTICATE) => check_session_response(case, &client).await,
            ("GET", path) if path.contains("/sessions/jwks/") => {
                check_jwks_response(case, &client).await;
            }
            ("GET", "/v1/b2b/rbac/policy") => {
                let policy = client.bindings().get_rbac_policy().await.unwrap().into_inner().policy;
                assert_roles(case, "policy", &policy.roles);
            }
            ("GET", path) if path.starts_with("/v1/b2b/rbac/organizations/") => {
                let policy = client.bindings().get_organization_rbac_policy(ORGANIZATION).await;
                let policy = policy.unwrap().into_inner().org_policy.unwrap();
                assert_roles(case, "org_policy", &policy.roles.unwrap());
                assert!(server.requests().iter().all(|seen| seen.target == path), "{case}");
            }
            other => panic!("{}: no such operation: {other:?}", case["name"]),
        }
    }
}

async fn check_update_response(case: &Value, client: &Client) {
    let member = client.as_member(Session::token("token"));
    let result = member.update_connection(CONNECTION, &rename("Renamed connection")).await;
    if let Some(response) = check_error(case, result) {
        assert_eq!(json!(response), case["body"], "{}", case["name"]);
    }
}

async fn check_session_response(case: &Value, client: &Client) {
    let token = case["body"]["session_token"].as_str().unwrap_or("token");
    let member = client.as_member(Session::token(token));
    if let Some(organization_id) = check_error(case, member.organization_id().await) {
        let expected = &case["expect"]["member_session"]["organization_id"];
        assert_eq!(organization_id, *expected, "{}", case["name"]);
        assert_eq!(member.session().kind(), SessionKind::Token, "{}", case["name"]);
    }
}

async fn check_jwks_response(case: &Value, client: &Client) {
    let jwks = client.bindings().get_jwks("project-test-1").await.unwrap();
    let expected = &case["body"]["keys"][0];
    assert_eq!(jwks.keys[0].kid.as_deref(), expected["kid"].as_str(), "{}", case["name"]);
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(jwks.keys[0].n.as_deref().unwrap()).unwrap();
    assert_eq!(modulus.len(), 256, "{}", case["name"]);
    client.warm_up().await.unwrap();
}

/// Asserts the roles of a policy without their descriptions, which the crate doesn't read.
#[track_caller]
fn assert_roles(case: &Value, policy: &str, decoded: &[impl Serialize]) {
    let mut roles = case["body"][policy]["roles"].clone();
    for role in roles.as_array_mut().unwrap() {
        role.as_object_mut().unwrap().remove("description");
    }
    assert_eq!(json!(decoded), roles, "{}", case["name"]);
}

#[tokio::test]
async fn permission_is_checked_against_both_captured_policies() {
    let samples = samples("responses");
    let server = ScriptedServer::start(move |seen, _| {
        if seen.target == AUTHENTICATE {
            return authenticated();
        }
        let mut cases = list(&samples, "cases").iter();
        response(cases.find(|case| text(&case["request"], "path") == seen.target).unwrap())
    })
    .await;
    let member = client(&server).as_member(Session::token("token"));
    let may_update: &[_] = &["acme_sso_owner", "sso_editor", "stytch_admin"];
    for (operation, expected) in [(UPDATE, may_update), (LIST, &["stytch_admin"])] {
        let verdict = member.check_permissions([operation]).await.unwrap();
        assert_eq!(verdict.sufficient_roles, expected, "{operation}");
        assert_eq!(verdict.granting_roles, ["stytch_admin"], "{operation}");
    }
}

fn authenticated() -> Steps {
    steps::json(200, &responses::authenticated(ORGANIZATION, "token", "jwt"))
}

/// The captured response.
fn response(case: &Value) -> Steps {
    steps::json(status(case), &case["body"])
}

fn status(case: &Value) -> u16 {
    case["http_status"].as_u64().unwrap().try_into().unwrap()
}

/// Returns the result of a call that succeeds, and checks the error of one that doesn't.
#[track_caller]
fn check_error<T: std::fmt::Debug>(case: &Value, result: Result<T, Error>) -> Option<T> {
    if case["expect"]["ok"] == true {
        return Some(result.unwrap());
    }
    let (error, name, expected) = (result.unwrap_err(), &case["name"], &case["expect"]["error"]);
    assert_eq!(error.status().unwrap(), status(case), "{name}");
    assert_eq!(texts(&error), TEXTS.map(|text| expected[text].as_str()), "{name}");
    assert_eq!(error.error_details(), expected.get("error_details"), "{name}");
    None
}

fn client(server: &ScriptedServer) -> Client {
    let client = Client::builder("project-test-1", "secret").base_url(server.url());
    client.retry(RetryPolicy::disabled()).build().unwrap()
}
