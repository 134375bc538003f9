//! The test of the README.

use stytch_sso_external::{ErrorKind, Session, testing::Stytch};

#[tokio::test]
async fn a_member_without_the_role_is_denied() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let bob = acme.member("bob", &[]).log_in();

    let member = stytch.client().as_member(Session::jwt(bob.jwt()));
    let error = member.connection(connection.id()).await.unwrap_err();
    let denied = ErrorKind::PermissionDenied { action: "get", resource: "stytch.sso" };
    assert_eq!(error.kind(), denied);
}
