//! The session of a request, and the cookie of a renewed one.

use serde_json::json;
use stytch_sso_external::{
    Operation,
    testing::{LoggedIn, jwt},
};

use super::{AcmeService, RENAME, token_cookie};
use crate::support::service::{Service, ServiceResponse};

#[tokio::test]
async fn request_without_a_session_sends_nothing_to_stytch() {
    let acme = AcmeService::new();
    let response =
        ServiceResponse::to(acme.service.put(acme.connection.id(), "theme=dark", RENAME)).await;
    let problem = response.problem(401);
    assert_eq!(problem["outcome"], "not_applied");
    assert!(!response.header("www-authenticate").is_empty());
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn session_token_works_until_the_session_is_revoked() {
    let acme = AcmeService::new();
    let put = || {
        ServiceResponse::to(acme.service.put(
            acme.connection.id(),
            &token_cookie(&acme.ada),
            RENAME,
        ))
    };
    let response = put().await;
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(response.header("set-cookie"), "");
    acme.ada.revoke();
    let problem = put().await.problem(401);
    assert_eq!(problem["outcome"], "not_applied");
}

#[tokio::test]
async fn unknown_sessions_are_rejected() {
    let acme = AcmeService::new();
    for cookie in ["stytch_session=made-up", "stytch_session_jwt=made.up.jwt"] {
        let response =
            ServiceResponse::to(acme.service.put(acme.connection.id(), cookie, RENAME)).await;
        response.problem(401);
    }
    assert_eq!(acme.connection.state().display_name, "Acme Okta");
}

#[tokio::test]
async fn expired_jwt_is_renewed_in_its_cookie() {
    let acme = AcmeService::new();
    let expired = expired_jwt(&acme.ada);
    let cookie = format!("stytch_session_jwt={expired}");
    let response =
        ServiceResponse::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let renewed = renewed_jwt(&response, "; Path=/; SameSite=Lax");
    assert_ne!(renewed, expired);
    assert_eq!(jwt::claims(&renewed)["sub"], acme.ada.claims()["sub"]);

    // With it, the service doesn't call `sessions/authenticate` again.
    let authenticated = acme.stytch.count(Operation::AuthenticateSession);
    let cookie = format!("stytch_session_jwt={renewed}");
    let response =
        ServiceResponse::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    assert_eq!((response.status, response.header("set-cookie")), (200, ""));
    assert_eq!(acme.stytch.count(Operation::AuthenticateSession), authenticated);
}

#[tokio::test]
async fn denied_member_gets_the_renewed_cookie_too() {
    let acme = AcmeService::new();
    let bob = acme.organization.member("bob", &[]).log_in();
    let cookie = format!("stytch_session_jwt={}", expired_jwt(&bob));
    let response =
        ServiceResponse::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    response.problem(403);
    renewed_jwt(&response, "; Path=/; SameSite=Lax");
}

#[tokio::test]
async fn cookie_is_secure_with_an_https_origin() {
    let acme = AcmeService::new();
    let mut command = Service::command(&acme.stytch);
    let service = Service::start(command.args(["--origin", "https://SSO.example.com:443/"]));
    let cookie = format!("stytch_session_jwt={}", expired_jwt(&acme.ada));
    let request = service.put(acme.connection.id(), &cookie, RENAME);
    let response = ServiceResponse::to(request.header("origin", "https://sso.example.com")).await;
    assert_eq!(response.status, 200, "{}", response.text);
    renewed_jwt(&response, "; Path=/; SameSite=Lax; Secure");
}

#[tokio::test]
async fn session_in_a_header_sets_no_cookie() {
    let acme = AcmeService::new();
    let request = acme.service.put(acme.connection.id(), "theme=dark", RENAME);
    let request = request.header("x-stytch-member-sessionjwt", expired_jwt(&acme.ada));
    let response = ServiceResponse::to(request).await;
    assert_eq!((response.status, response.header("set-cookie")), (200, ""));
}

#[tokio::test]
async fn no_credential_is_logged_or_returned() {
    let acme = AcmeService::new();
    let expired = expired_jwt(&acme.ada);
    let cookie = format!("stytch_session_jwt={expired}");
    ServiceResponse::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    let response =
        ServiceResponse::to(acme.service.put("nowhere", &token_cookie(&acme.ada), RENAME)).await;
    let logged = acme.service.logged_with(response.header("x-request-id"));
    let output = format!("{logged}{}{:?}", response.text, response.headers);
    for credential in [acme.stytch.secret(), &acme.ada.token(), &expired, "eyJ"] {
        assert!(!output.contains(credential), "{credential} is in\n{output}");
    }
}

/// A JWT that expired five minutes ago, of an active session.
fn expired_jwt(session: &LoggedIn) -> String {
    let at = |ago: u64| session.claims()["iat"].as_u64().unwrap() - ago;
    session.mint(json!({"iat": at(600), "nbf": at(600), "exp": at(300)}))
}

fn renewed_jwt(response: &ServiceResponse, attributes: &str) -> String {
    let cookie = response.header("set-cookie");
    let jwt =
        cookie.strip_prefix("stytch_session_jwt=").and_then(|rest| rest.strip_suffix(attributes));
    jwt.unwrap_or_else(|| panic!("{cookie}")).to_owned()
}
