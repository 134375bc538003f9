//! Members who may not update connections.

use super::{log_in, show};
use crate::{service::AcmeService, support::prelude::*};

const ADVICE: &str = "You can view connections but not change them. Ask for the role";

pub(super) async fn show_all(page: &Browser) {
    show(page, form_without_the_permission_is_read_only).await;
    show(page, denial_after_loading_makes_the_form_read_only).await;
    show(page, list_without_the_permission_names_the_roles).await;
    show(page, removing_a_role_that_may_edit_asks_once).await;
}

async fn form_without_the_permission_is_read_only(page: &Browser, acme: &AcmeService) {
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    acme.organization.role("sso_manager", &[("stytch.sso", &["*"])]);
    let bob = acme.log_in("bob", &["sso_viewer"]);
    log_in(page, acme, &bob).await;
    page.choose(1).await;
    assert_eq!(page.text("#permission").await, format!("{ADVICE} sso_manager or stytch_admin."));
    assert_eq!(page.text("#connection_roles li").await, "stytch_member");
    assert!(page.has("#display-name:read-only").await);
    for hidden in ["#save", "#connection_roles > button", "#connection_roles li button"] {
        assert!(!page.is_displayed(hidden).await, "{hidden}");
    }
    page.inspect("read-only").await;
}

async fn denial_after_loading_makes_the_form_read_only(page: &Browser, acme: &AcmeService) {
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    let cleo = acme.organization.member("cleo", &["stytch_admin"]);
    log_in(page, acme, &cleo.log_in()).await;
    page.choose(1).await;
    page.type_over("#display-name", "Mine now").await;
    cleo.set_roles(&["sso_viewer"]);
    page.save().await;
    assert_eq!(page.text("#alert h2").await, "Permission denied");
    let advice = format!("{ADVICE} stytch_admin. Nothing was changed.");
    assert_eq!(page.text("#alert p").await, advice);
    page.assert_text("#alert dl", &["Request id\n", "\nrequest-id-test-"]).await;
    assert!(page.has("#form.readonly").await);
    assert_eq!(page.value("#display-name").await, "Acme Okta");
    assert_eq!(acme.connection.state().display_name, "Acme Okta");
    page.inspect("denied").await;
}

async fn list_without_the_permission_names_the_roles(page: &Browser, acme: &AcmeService) {
    let bob = acme.log_in("bob", &[]);
    log_in(page, acme, &bob).await;
    assert_eq!(page.text("#alert h2").await, "Permission denied");
    let advice = "You can't view connections. Ask for the role stytch_admin.";
    assert_eq!(page.text("#alert p").await, advice);
    page.inspect("list-denied").await;
}

async fn removing_a_role_that_may_edit_asks_once(page: &Browser, acme: &AcmeService) {
    let connection = acme.organization.connection_builder("Acme Entra");
    let connection = connection.roles(&["editor", "stytch_admin"]).create();
    log_in(page, acme, &acme.ada).await;
    page.choose(2).await;
    // No question for a role that may not.
    page.click("#connection_roles li:first-child button").await;
    assert!(page.has("#connection_roles li:first-child.removed").await);

    let remove = "#connection_roles li:last-child button";
    page.click(remove).await;
    let question = page.text("dialog[open] p").await;
    assert!(question.starts_with("The role stytch_admin lets its holders edit"), "{question}");
    page.inspect("question").await;
    page.click("#no").await;
    assert!(!page.has("#connection_roles li:last-child.removed").await);
    assert_eq!(page.focused().await, "Remove stytch_admin");
    page.click(remove).await;
    page.click("#yes").await;
    page.wait_for("#connection_roles li:last-child.removed").await;
    // Undone and removed again: not asked again.
    page.click(remove).await;
    page.click(remove).await;
    page.wait_for("#connection_roles li:last-child.removed").await;
    page.save_successfully().await;
    let roles = connection.state().external_connection_implicit_role_assignments;
    assert_eq!(roles, Some(vec![]));
}
