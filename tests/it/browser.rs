//! The example's page in a real browser. A test is one browser, which takes seconds to start and
//! shows state after state.

mod busy;
mod failures;
mod fields;
mod permissions;

use crate::{
    service::AcmeService,
    support::{
        prelude::*,
        visit::{ENTER, TAB},
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
async fn log_in(page: &Browser, acme: &AcmeService, member: &LoggedIn) {
    page.with_cookie(&acme.service.url, "stytch_session", &member.token()).await;
}

/// Shows a state of the page in a project of its own.
async fn show(page: &Browser, state: impl AsyncFn(&Browser, &AcmeService)) {
    // A failure shows the output, which ends with the state.
    println!("{}", std::any::type_name_of_val(&state));
    state(page, &acme()).await;
}

/// Shows a state of the form to Ada, who has chosen the connection.
async fn show_form(page: &Browser, state: impl AsyncFn(&Browser, &AcmeService)) {
    println!("{}", std::any::type_name_of_val(&state));
    let acme = acme();
    log_in(page, &acme, &acme.ada).await;
    page.choose(1).await;
    state(page, &acme).await;
}

#[tokio::test]
async fn what_goes_wrong_is_shown() {
    let Some(page) = Browser::start().await else { return };
    failures::show_all(&page).await;
    permissions::show_all(&page).await;
}

#[tokio::test]
async fn connections_are_edited() {
    let Some(page) = Browser::start().await else { return };
    show_form(&page, one_row_is_added_and_only_that_is_sent).await;
    show_form(&page, rows_are_removed_and_changes_discarded).await;
    show(&page, another_connection_can_be_chosen).await;
    show_form(&page, html_in_a_name_is_shown_as_text).await;
    show(&page, keyboard_reaches_everything_in_order).await;
    show(&page, two_browsers_that_add_different_rows_lose_nothing).await;
    login_of_the_fake_opens_the_page(&page).await;
    fields::show_all(&page).await;
    busy::show_all(&page).await;
}

/// The README shows the last state, in which rows that will change are marked.
async fn login_of_the_fake_opens_the_page(page: &Browser) {
    let service = Service::on_its_own_fake();
    page.with_cookie(&service.url, "theme", "dark").await;
    // A prompt, not an alert: nothing has failed.
    let prompt = "Log in to see the connections of your organization.";
    assert_eq!(page.text("#list-text").await, prompt);
    assert!(!page.has("#alert h2").await);
    page.inspect("logged-out").await;
    for (member, name) in [("bob", "Bob"), ("ada", "Ada")] {
        page.click(&format!("a[href='/login/{member}']")).await;
        page.wait_for("#list button").await;
        assert!(page.text("#who").await.contains(name));
    }
    page.inspect("list").await;

    page.choose(1).await;
    page.click("#connection_roles li button").await;
    let removed = "#connection_roles li.removed button";
    assert_eq!(page.attribute(removed, "aria-label").await, "Undo: remove viewer");
    page.add_group_role("engineering", "editor").await;
    assert!(page.can_save().await);
    page.inspect("example").await;
    page.click(removed).await;
    assert!(!page.has(removed).await);
}

async fn one_row_is_added_and_only_that_is_sent(page: &Browser, acme: &AcmeService) {
    assert_eq!(page.text("#list li:first-child").await, "Acme Okta");
    assert_eq!(page.focused().await, "form-title");
    assert_eq!(page.value("#display-name").await, "Acme Okta");
    assert_eq!(page.text("#connection_roles li").await, "stytch_member\nRemove");
    let owner = acme.connection.state().external_organization_id;
    assert!(page.text("#facts").await.ends_with(&format!("Owner\n{owner}")));
    page.inspect("loaded").await;

    // An empty row and a name that is typed back are no changes.
    assert!(!page.can_save().await);
    page.click("#group_roles > button").await;
    for (name, is_change) in [("Acme Okta!", true), ("Acme Okta", false)] {
        page.type_over("#display-name", name).await;
        assert_eq!(page.can_save().await, is_change, "{name}");
    }
    page.add_role("stytch_member").await;
    assert_eq!(page.text("#connection_roles .error").await, "This role is granted already.");
    assert!(!page.can_save().await);

    page.type_over("#connection_roles li:last-child input", "editor").await;
    assert!(page.can_save().await);
    page.inspect("edited").await;
    page.save_successfully().await;
    assert_eq!(page.focused().await, "status");
    assert!(!page.can_save().await);
    page.inspect("saved").await;
    let sent = acme.stytch.updates().pop().unwrap().body;
    let roles = json!([{"role_id": "stytch_member"}, {"role_id": "editor"}]);
    assert_eq!(sent, json!({"external_connection_implicit_role_assignments": roles}));
}

async fn rows_are_removed_and_changes_discarded(page: &Browser, acme: &AcmeService) {
    page.click("#connection_roles li button").await;
    assert!(page.has("#connection_roles li.removed").await);
    page.add_group_role("it", "editor").await;
    page.click("#discard").await;
    assert!(!page.can_save().await && !page.has("#group_roles li").await);

    page.click("#connection_roles li button").await;
    page.save().await;
    assert_eq!(page.text("#connection_roles > p").await, "No roles.");
    let state = acme.connection.state();
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    assert_eq!(acme.stytch.count(UPDATE), 1);
}

async fn another_connection_can_be_chosen(page: &Browser, acme: &AcmeService) {
    let _second = acme.organization.connection("Acme Entra");
    log_in(page, acme, &acme.ada).await;
    page.choose(1).await;
    page.click("#connection_roles li button").await;
    page.add_role("stytch_member").await;
    // Neither granted nor revoked.
    assert!(!page.can_save().await);
    page.click("#list li:nth-child(2) button").await;
    page.wait_for("#list li:nth-child(2) [aria-current=true]").await;
    assert!(!page.has("#list li:nth-child(1) [aria-current]").await);
    assert_eq!(page.text("#form-title").await, "Acme Entra");
    assert_eq!(page.focused().await, "form-title");
    assert!(!page.has("#connection_roles li").await);
}

async fn html_in_a_name_is_shown_as_text(page: &Browser, acme: &AcmeService) {
    let name = "Acme <b id=injected>Okta</b>";
    page.type_over("#display-name", name).await;
    page.save().await;
    assert!(page.text("#status p").await.contains(name));
    for place in ["#form-title", "#list li"] {
        assert_eq!(page.text(place).await, name);
    }
    assert_eq!(acme.connection.state().display_name, name);
    assert!(!page.has("#injected").await);
}

async fn keyboard_reaches_everything_in_order(page: &Browser, acme: &AcmeService) {
    log_in(page, acme, &acme.ada).await;
    page.press(TAB).await;
    assert_eq!(page.focused().await, "Acme Okta");
    page.press(ENTER).await;
    page.wait_for("#form:not([hidden])").await;
    for expected in ["display-name", "Remove stytch_member", "Add a role", "Add a group role"] {
        page.press(TAB).await;
        assert_eq!(page.focused().await, expected);
    }
    // The new row is focused, and after its removal the button again.
    page.press(ENTER).await;
    page.press("it").await;
    assert_eq!(page.value("#group_roles input[name=group]").await, "it");
    for key in [TAB, TAB, ENTER] {
        page.press(key).await;
    }
    assert_eq!(page.focused().await, "Add a group role");
}

async fn two_browsers_that_add_different_rows_lose_nothing(first: &Browser, acme: &AcmeService) {
    let Some(second) = Browser::start().await else { return };
    for page in [first, &second] {
        log_in(page, acme, &acme.ada).await;
        page.choose(1).await;
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
