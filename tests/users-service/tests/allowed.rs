//! Another test of the handler.

use stytch_sso_external::testing::Stytch;
use users_service::rename;

#[tokio::test]
async fn a_member_with_the_role_gets_204() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let status = rename(&stytch.client(), &ada.headers(), connection.id(), "Ours").await;
    assert_eq!(status, 204);
    assert_eq!(connection.state().display_name, "Ours");
}
