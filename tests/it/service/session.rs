//! Whose session a request has, and the cookie that a renewed one goes back into.

use serde_json::json;
use stytch_sso_external::testing::{LoggedIn, Operation, jwt};

use super::{Acme, RENAME, token_cookie};
use crate::support::service::{Answer, Service};

#[tokio::test]
async fn without_a_session_nothing_is_asked_of_stytch() {
    let acme = Acme::new();
    let answer = Answer::to(acme.service.put(acme.connection.id(), "theme=dark", RENAME)).await;
    let problem = answer.problem(401);
    assert_eq!(problem["outcome"], "not_applied");
    assert!(!answer.header("www-authenticate").is_empty());
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn a_session_token_and_a_revoked_session_are_told_apart() {
    let acme = Acme::new();
    let put =
        || Answer::to(acme.service.put(acme.connection.id(), &token_cookie(&acme.ada), RENAME));
    let answer = put().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("set-cookie"), "");
    acme.ada.revoke();
    let problem = put().await.problem(401);
    assert_eq!(problem["outcome"], "not_applied");
}

#[tokio::test]
async fn a_made_up_session_is_none() {
    let acme = Acme::new();
    for cookie in ["stytch_session=made-up", "stytch_session_jwt=made.up.jwt"] {
        let answer = Answer::to(acme.service.put(acme.connection.id(), cookie, RENAME)).await;
        answer.problem(401);
    }
    assert_eq!(acme.connection.state().display_name, "Acme Okta");
}

#[tokio::test]
async fn an_expired_jwt_is_renewed_in_its_cookie() {
    let acme = Acme::new();
    let expired = expired_jwt(&acme.ada);
    let cookie = format!("stytch_session_jwt={expired}");
    let answer = Answer::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let renewed = renewed_jwt(&answer, "; Path=/; HttpOnly; SameSite=Lax");
    assert_ne!(renewed, expired);
    assert_eq!(jwt::claims(&renewed)["sub"], acme.ada.claims()["sub"]);

    // With it, Stytch isn't asked about the session again.
    let asked = acme.stytch.count(Operation::Authenticate);
    let cookie = format!("stytch_session_jwt={renewed}");
    let answer = Answer::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
    assert_eq!(acme.stytch.count(Operation::Authenticate), asked);
}

#[tokio::test]
async fn a_refused_member_gets_the_renewed_cookie_too() {
    let acme = Acme::new();
    let bob = acme.organization.member("bob", &[]).log_in();
    let cookie = format!("stytch_session_jwt={}", expired_jwt(&bob));
    let answer = Answer::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    answer.problem(403);
    renewed_jwt(&answer, "; Path=/; HttpOnly; SameSite=Lax");
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure() {
    let acme = Acme::new();
    let mut command = Service::command(&acme.stytch);
    let service = Service::start(command.args(["--origin", "https://sso.example.com"]));
    let cookie = format!("stytch_session_jwt={}", expired_jwt(&acme.ada));
    let request = service.put(acme.connection.id(), &cookie, RENAME);
    let answer = Answer::to(request.header("origin", "https://sso.example.com")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    renewed_jwt(&answer, "; Path=/; HttpOnly; SameSite=Lax; Secure");
}

#[tokio::test]
async fn a_session_in_a_header_gets_no_cookie() {
    let acme = Acme::new();
    let request = acme.service.put(acme.connection.id(), "theme=dark", RENAME);
    let request = request.header("x-stytch-member-sessionjwt", expired_jwt(&acme.ada));
    let answer = Answer::to(request).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
}

#[tokio::test]
async fn no_credential_is_logged_or_answered() {
    let acme = Acme::new();
    let expired = expired_jwt(&acme.ada);
    let cookie = format!("stytch_session_jwt={expired}");
    Answer::to(acme.service.put(acme.connection.id(), &cookie, RENAME)).await;
    let answer = Answer::to(acme.service.put("nowhere", &token_cookie(&acme.ada), RENAME)).await;
    let logged = acme.service.logged_with(answer.header("x-request-id"));
    let said = format!("{logged}{}{:?}", answer.text, answer.headers);
    for credential in [acme.stytch.secret(), &acme.ada.token(), &expired, "eyJ"] {
        assert!(!said.contains(credential), "{credential} is in\n{said}");
    }
}

/// A JWT that expired five minutes ago, in a session that lives.
fn expired_jwt(session: &LoggedIn) -> String {
    let at = |ago: u64| session.claims()["iat"].as_u64().unwrap() - ago;
    session.mint(json!({"iat": at(600), "nbf": at(600), "exp": at(300)}))
}

fn renewed_jwt(answer: &Answer, attributes: &str) -> String {
    let cookie = answer.header("set-cookie");
    let jwt =
        cookie.strip_prefix("stytch_session_jwt=").and_then(|rest| rest.strip_suffix(attributes));
    jwt.unwrap_or_else(|| panic!("{cookie}")).to_owned()
}
