//! Members who may not update connections.

use super::{acme, visit};

#[tokio::test]
async fn member_without_the_permission_sees_a_read_only_form_with_the_reason() {
    let acme = acme();
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    acme.organization.role("sso_manager", &[("stytch.sso", &["*"])]);
    let bob = acme.organization.member("bob", &["sso_viewer"]).log_in();
    let Some(visit) = visit(&acme, &bob).await else { return };
    visit.choose(1).await;
    assert_eq!(
        visit.text("#permission").await,
        "You can view connections but not change them. Ask for the role sso_manager or \
         stytch_admin."
    );
    assert_eq!(visit.text("#connection_roles li").await, "stytch_member");
    assert!(visit.has("#display-name:read-only").await);
    for hidden in ["#save", "#connection_roles > button", "#connection_roles li button"] {
        assert!(!visit.find(hidden).await.is_displayed().await, "{hidden}");
    }
    visit.inspect("read-only").await;
}

#[tokio::test]
async fn denial_after_loading_names_the_roles_and_makes_the_form_read_only() {
    let acme = acme();
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    let cleo = acme.organization.member("cleo", &["stytch_admin"]);
    let Some(visit) = visit(&acme, &cleo.log_in()).await else { return };
    visit.choose(1).await;
    visit.type_over("#display-name", "Mine now").await;
    cleo.set_roles(&["sso_viewer"]);
    visit.save().await;
    assert_eq!(visit.text("#alert h2").await, "Permission denied");
    assert_eq!(
        visit.text("#alert p").await,
        "You can view connections but not change them. Ask for the role stytch_admin. Nothing was \
         changed."
    );
    let facts = visit.text("#alert dl").await;
    for part in ["Request id\n", "\nrequest-id-test-"] {
        assert!(facts.contains(part), "{part:?} isn't in {facts:?}");
    }
    assert!(visit.has("#form.readonly").await);
    assert_eq!(visit.value("#display-name").await, "Acme Okta");
    assert_eq!(acme.connection.state().display_name, "Acme Okta");
    visit.inspect("denied").await;
}

#[tokio::test]
async fn member_who_may_not_see_connections_is_given_the_roles_to_ask_for() {
    let acme = acme();
    let bob = acme.organization.member("bob", &[]).log_in();
    let Some(visit) = visit(&acme, &bob).await else { return };
    assert_eq!(visit.text("#alert h2").await, "Permission denied");
    let advice = "You can't view connections. Ask for the role stytch_admin.";
    assert_eq!(visit.text("#alert p").await, advice);
    visit.inspect("list-denied").await;
}

#[tokio::test]
async fn removing_a_role_that_may_edit_connections_asks_once() {
    let acme = acme();
    let connection = acme.organization.connection_builder("Acme Entra");
    let connection = connection.roles(&["editor", "stytch_admin"]).create();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(2).await;
    // No question for a role that may not.
    visit.click("#connection_roles li:first-child button").await;
    assert!(visit.has("#connection_roles li:first-child.removed").await);

    let remove = visit.find("#connection_roles li:last-child button").await;
    remove.click().await;
    let question = visit.text("dialog[open] p").await;
    assert!(question.starts_with("The role stytch_admin lets its holders edit"), "{question}");
    visit.inspect("question").await;
    visit.click("#no").await;
    assert!(!visit.has("#connection_roles li:last-child.removed").await);
    assert_eq!(visit.focused().await, "Remove stytch_admin");
    remove.click().await;
    visit.click("#yes").await;
    visit.find("#connection_roles li:last-child.removed").await;
    // Undone and removed again: not asked again.
    remove.click().await;
    remove.click().await;
    visit.find("#connection_roles li:last-child.removed").await;
    visit.save().await;
    assert_eq!(visit.text("#status h2").await, "Saved");
    let roles = connection.state().external_connection_implicit_role_assignments;
    assert_eq!(roles, Some(vec![]));
}
