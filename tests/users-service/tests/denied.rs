//! A test of the handler, in few lines.

use stytch_sso_external::testing::Stytch;
use users_service::rename;

#[tokio::test]
async fn a_member_without_the_role_gets_403() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let bob = acme.member("bob", &[]).log_in();
    let status = rename(&stytch.client(), &bob.headers(), connection.id(), "Mine").await;
    assert_eq!(status, 403);
}
