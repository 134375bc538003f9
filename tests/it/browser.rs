//! The example's page in a real browser.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy.toml doesn't know for tests"
)]

mod busy;
mod failures;
mod fields;
mod permissions;

use serde_json::json;
use stytch_sso_external::{Operation, testing::LoggedIn};

use crate::{
    service::AcmeService,
    support::{
        browser::{ENTER, TAB},
        service::Service,
        visit::Visit,
    },
};

/// A project with the roles that the tests assign.
fn acme() -> AcmeService {
    let acme = AcmeService::new();
    for role in ["editor", "viewer", "auditor"] {
        acme.stytch.role(role, &[]);
    }
    acme
}

/// Opens the page as a member, whose cookie has the session token.
async fn visit(acme: &AcmeService, member: &LoggedIn) -> Option<Visit> {
    Visit::with_cookie(&acme.service.url, "stytch_session", &member.token()).await
}

#[tokio::test]
async fn login_of_the_fake_opens_the_page() {
    let service = Service::on_its_own_fake();
    let Some(visit) = Visit::start(&service.url).await else { return };
    visit.open("/").await;
    // A prompt, not an alert: nothing has failed.
    let prompt = "Log in to see the connections of your organization.";
    visit.find("body[data-ready]").await;
    assert_eq!(visit.text("#list-text").await, prompt);
    assert!(!visit.has("#alert h2").await);
    visit.inspect("logged-out").await;
    for (member, name) in [("ada", "Ada"), ("bob", "Bob")] {
        visit.click(&format!("a[href='/login/{member}']")).await;
        visit.find("#list button").await;
        assert!(visit.text("#who").await.contains(name));
    }
    visit.inspect("list").await;
}

/// The README shows this state.
#[tokio::test]
async fn rows_that_will_change_are_marked() {
    let service = Service::on_its_own_fake();
    let Some(visit) = Visit::start(&service.url).await else { return };
    visit.open("/login/ada").await;
    visit.find("#list button").await;
    visit.choose(1).await;
    visit.click("#connection_roles li button").await;
    let removed = visit.find("#connection_roles li.removed button").await;
    let label = removed.attribute("aria-label").await;
    assert_eq!(label.as_deref(), Some("Undo: remove viewer"));
    visit.add_group_role("engineering", "editor").await;
    assert!(visit.can_save().await);
    visit.inspect("example").await;
    removed.click().await;
    assert!(!visit.has("#connection_roles li.removed").await);
}

#[tokio::test]
async fn one_row_is_added_and_only_that_is_sent() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    assert_eq!(visit.text("#list li:first-child").await, "Acme Okta");
    visit.choose(1).await;
    assert_eq!(visit.focused().await, "form-title");
    assert_eq!(visit.value("#display-name").await, "Acme Okta");
    assert_eq!(visit.text("#connection_roles li").await, "stytch_member\nRemove");
    let owner = acme.connection.state().external_organization_id;
    assert!(visit.text("#facts").await.ends_with(&format!("Owner\n{owner}")));
    visit.inspect("loaded").await;

    // An empty row and a name that is typed back are no changes.
    assert!(!visit.can_save().await);
    visit.click("#group_roles > button").await;
    visit.type_over("#display-name", "Acme Okta!").await;
    assert!(visit.can_save().await);
    visit.type_over("#display-name", "Acme Okta").await;
    assert!(!visit.can_save().await);
    visit.add_role("stytch_member").await;
    assert_eq!(visit.text("#connection_roles .error").await, "This role is granted already.");
    assert!(!visit.can_save().await);

    visit.type_over("#connection_roles li:last-child input", "editor").await;
    assert!(visit.can_save().await);
    visit.inspect("edited").await;
    visit.save().await;
    assert_eq!(visit.text("#status h2").await, "Saved");
    assert_eq!(visit.focused().await, "status");
    assert!(!visit.can_save().await);
    visit.inspect("saved").await;
    let sent = acme.stytch.updates().pop().unwrap().body;
    let roles = json!([{"role_id": "stytch_member"}, {"role_id": "editor"}]);
    assert_eq!(sent, json!({"external_connection_implicit_role_assignments": roles}));
}

#[tokio::test]
async fn rows_are_removed_and_discarded_changes_are_not_sent() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.click("#connection_roles li button").await;
    assert!(visit.has("#connection_roles li.removed").await);
    visit.add_group_role("it", "editor").await;
    visit.click("#discard").await;
    assert!(!visit.can_save().await && !visit.has("#group_roles li").await);

    visit.click("#connection_roles li button").await;
    visit.save().await;
    assert_eq!(visit.text("#connection_roles > p").await, "No roles.");
    let state = acme.connection.state();
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 1);
}

#[tokio::test]
async fn another_connection_can_be_chosen_and_a_removed_role_added_again() {
    let acme = acme();
    let _second = acme.organization.connection("Acme Entra");
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.click("#connection_roles li button").await;
    visit.add_role("stytch_member").await;
    // Neither granted nor revoked.
    assert!(!visit.can_save().await);
    visit.click("#list li:nth-child(2) button").await;
    visit.find("#list li:nth-child(2) [aria-current=true]").await;
    assert!(!visit.has("#list li:nth-child(1) [aria-current]").await);
    assert_eq!(visit.text("#form-title").await, "Acme Entra");
    assert_eq!(visit.focused().await, "form-title");
    assert!(!visit.has("#connection_roles li").await);
}

#[tokio::test]
async fn html_in_a_name_is_shown_as_text() {
    let acme = acme();
    let name = "Acme <b id=injected>Okta</b>";
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.type_over("#display-name", name).await;
    visit.save().await;
    assert!(visit.text("#status p").await.contains(name));
    assert_eq!(visit.text("#form-title").await, name);
    assert_eq!(visit.text("#list li").await, name);
    assert_eq!(acme.connection.state().display_name, name);
    assert!(!visit.has("#injected").await);
}

#[tokio::test]
async fn two_browsers_that_add_different_rows_lose_nothing() {
    let acme = acme();
    let Some(first) = visit(&acme, &acme.ada).await else { return };
    let Some(second) = visit(&acme, &acme.ada).await else { return };
    for visit in [&first, &second] {
        visit.choose(1).await;
    }
    first.add_group_role("writers", "editor").await;
    second.add_group_role("readers", "viewer").await;
    first.save().await;
    second.save().await;
    let groups = acme.connection.state().external_group_implicit_role_assignments.unwrap();
    let groups: Vec<_> = groups.iter().map(|role| (&*role.group, &*role.role_id)).collect();
    assert_eq!(groups, [("writers", "editor"), ("readers", "viewer")]);
    // The second page shows the row of the first.
    assert_eq!(second.text("#group_roles li:first-child span").await, "writers → editor");
}

#[tokio::test]
async fn keyboard_reaches_everything_in_order() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.press(TAB).await;
    assert_eq!(visit.focused().await, "Acme Okta");
    visit.press(ENTER).await;
    visit.find("#form:not([hidden])").await;
    let mut order = Vec::new();
    for _ in 0..4 {
        visit.press(TAB).await;
        order.push(visit.focused().await);
    }
    let expected = ["display-name", "Remove stytch_member", "Add a role", "Add a group role"];
    assert_eq!(order, expected);
    // The new row is focused, and after its removal the button again.
    visit.press(ENTER).await;
    visit.press("it").await;
    assert_eq!(visit.value("#group_roles input[name=group]").await, "it");
    visit.press(TAB).await;
    visit.press(TAB).await;
    visit.press(ENTER).await;
    assert_eq!(visit.focused().await, "Add a group role");
}
