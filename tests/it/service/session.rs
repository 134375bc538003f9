//! The session of a request, and the cookie of a renewed one.

use super::{AcmeService, RENAME, path, token_cookie};
use crate::support::prelude::*;

#[tokio::test]
async fn request_without_a_known_session_is_rejected() {
    let acme = AcmeService::new();
    for (cookie, requests) in
        [("theme=dark", 0), ("stytch_session_jwt=made.up.jwt", 0), ("stytch_session=made-up", 1)]
    {
        let response = acme.rename_with(cookie).await;
        assert_eq!(response.problem(401)["outcome"], "not_applied", "{cookie}");
        assert!(!response.header("www-authenticate").is_empty(), "{cookie}");
        assert_eq!(acme.stytch.requests().len(), requests, "{cookie}");
    }
}

#[tokio::test]
async fn session_token_works_until_the_session_is_revoked() {
    let acme = AcmeService::new();
    let response = acme.rename_with(&token_cookie(&acme.ada)).await;
    response.successful();
    assert_eq!(response.header("set-cookie"), "");
    acme.ada.revoke();
    let problem = acme.rename_with(&token_cookie(&acme.ada)).await.problem(401);
    assert_eq!(problem["outcome"], "not_applied");
}

#[tokio::test]
async fn expired_jwt_is_renewed_in_its_cookie() {
    let acme = AcmeService::new();
    let expired = expired_jwt(&acme.ada);
    let response = acme.rename_with(&format!("stytch_session_jwt={expired}")).await;
    response.successful();
    let renewed = renewed_jwt(&response, "; Path=/; SameSite=Lax");
    assert_ne!(renewed, expired);
    assert_eq!(jwt::claims(&renewed)["sub"], acme.ada.claims()["sub"]);

    // With it, the service doesn't call `sessions/authenticate` again.
    let authenticated = acme.stytch.count(AUTHENTICATE);
    let response = acme.rename_with(&format!("stytch_session_jwt={renewed}")).await;
    response.successful();
    assert_eq!(response.header("set-cookie"), "");
    assert_eq!(acme.stytch.count(AUTHENTICATE), authenticated);

    // A member who is denied gets the renewed cookie too.
    let bob = expired_jwt(&acme.log_in("bob", &[]));
    let response = acme.rename_with(&format!("stytch_session_jwt={bob}")).await;
    response.problem(403);
    renewed_jwt(&response, "; Path=/; SameSite=Lax");
}

#[tokio::test]
async fn cookie_is_secure_with_an_https_origin() {
    let acme = AcmeService::new();
    let mut command = child::example_of("axum_service", &acme.stytch);
    let service = Service::start(command.args(["--origin", "https://SSO.example.com:443/"]));
    let cookie = format!("stytch_session_jwt={}", expired_jwt(&acme.ada));
    let request = service.request(Method::PUT, &acme.path(), &cookie, RENAME);
    let response = ServiceResponse::to(request.header("origin", "https://sso.example.com")).await;
    response.successful();
    renewed_jwt(&response, "; Path=/; SameSite=Lax; Secure");
}

#[tokio::test]
async fn session_in_a_header_sets_no_cookie() {
    let acme = AcmeService::new();
    let request = acme.service.request(Method::PUT, &acme.path(), "theme=dark", RENAME);
    let request = request.header("x-stytch-member-sessionjwt", expired_jwt(&acme.ada));
    let response = ServiceResponse::to(request).await;
    assert_eq!((response.status, response.header("set-cookie")), (200, ""));
}

#[tokio::test]
async fn no_credential_is_logged_or_returned() {
    let acme = AcmeService::new();
    let expired = expired_jwt(&acme.ada);
    acme.rename_with(&format!("stytch_session_jwt={expired}")).await;
    let response = acme.send(Method::PUT, &path("nowhere"), &acme.ada, RENAME).await;
    let logged = acme.service.logged_with(response.header("x-request-id")).await;
    let output = format!("{logged}{}{:?}", response.text, response.headers);
    for credential in [acme.stytch.secret(), &acme.ada.token(), &expired, "eyJ"] {
        assert!(!output.contains(credential), "{credential} is in\n{output}");
    }
}

fn renewed_jwt(response: &ServiceResponse, attributes: &str) -> String {
    let cookie = response.header("set-cookie");
    let jwt = cookie.strip_prefix("stytch_session_jwt=").and_then(|it| it.strip_suffix(attributes));
    jwt.unwrap_or_else(|| panic!("{cookie}")).to_owned()
}
