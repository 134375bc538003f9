//! Rejections and failures: what was entered stays, and what was applied is shown.

use super::{show, show_form};
use crate::{service::AcmeService, support::prelude::*};

const REREAD: [&str; 2] = ["may have been applied", "The form shows the current state."];

pub(super) async fn show_all(page: &Browser) {
    show_form(page, unknown_role_is_marked_at_its_field).await;
    show_form(page, invalid_name_and_incomplete_row_are_marked).await;
    show_form(page, unknown_outcome_reloads_the_connection).await;
    show_form(page, offline_page_keeps_the_changes).await;
    show_form(page, error_of_a_gateway_leaves_the_outcome_unknown).await;
    show(page, expired_session_is_renewed).await;
    show(page, revoked_session_keeps_the_changes).await;
}

async fn unknown_role_is_marked_at_its_field(page: &Browser, acme: &AcmeService) {
    page.add_group_role("it", "editor").await;
    page.add_group_role("hr", "no_such_role").await;
    page.save().await;
    assert_eq!(page.text("#alert h2").await, "The change is invalid");
    let error = page.text("#group_roles li:last-child .error").await;
    assert!(error.starts_with("Stytch rejected the update: "), "{error}");
    assert!(page.text("#alert dl").await.contains("Rejected role\nhr → no_such_role"));
    assert!(page.has("#group_roles li:last-child input[name=role_id][aria-invalid]").await);
    assert!(!page.has("#group_roles li:first-child [aria-invalid]").await);
    let field = "#group_roles li:last-child input[name=role_id]";
    assert_eq!(page.focused().await, page.attribute(field, "id").await);
    page.inspect("rejected").await;

    page.type_over(field, "viewer").await;
    page.save_successfully().await;
    let groups = acme.connection.state().external_group_implicit_role_assignments.unwrap();
    assert_eq!(groups.len(), 2);
}

async fn invalid_name_and_incomplete_row_are_marked(page: &Browser, acme: &AcmeService) {
    for empty in [" ", ""] {
        page.type_over("#display-name", empty).await;
        // An input event, which clearing alone doesn't send.
        page.press("x\u{e003}").await;
        page.click("#save").await;
        let error = "The display name is empty. Enter a name.";
        assert_eq!(page.text("#name-error").await, error);
        assert_eq!(page.focused().await, "display-name");
    }
    assert_eq!(acme.stytch.count(UPDATE), 0);
    page.inspect("empty-name").await;

    let rejection = Fault::response(Response::error(&responses::invalid_display_name()));
    acme.fault(UPDATE, rejection);
    page.type_over("#display-name", "Rejected").await;
    page.save().await;
    let error = "Stytch rejected the update: the display name is invalid.";
    assert!(page.text("#name-error").await.starts_with(error));
    assert_eq!(page.focused().await, "display-name");
    page.inspect("invalid-name").await;

    page.add_group_role("it", "").await;
    page.click("#save").await;
    assert_eq!(page.text("#group_roles .error").await, "Enter a role id.");
    page.inspect("incomplete").await;
    assert_eq!(acme.stytch.count(UPDATE), 1);
}

async fn unknown_outcome_reloads_the_connection(page: &Browser, acme: &AcmeService) {
    acme.fault(UPDATE, Fault::status(500).after_applying());
    page.add_role("editor").await;
    page.save().await;
    page.wait_for("#alert p + dl + p").await;
    page.assert_text("#alert", &REREAD).await;
    // It was: nothing is left to save.
    assert_eq!(page.text("#connection_roles li:last-child span").await, "editor");
    assert!(!page.can_save().await);
    page.inspect("unknown").await;

    // And this one was not: it can be saved again.
    acme.fault(UPDATE, Fault::status(500));
    page.type_over("#display-name", "Acme SSO").await;
    page.save().await;
    page.wait_for("#alert p + dl + p").await;
    assert_eq!(page.value("#display-name").await, "Acme SSO");
    assert!(page.can_save().await);
    page.save_successfully().await;
    assert_eq!(acme.connection.state().display_name, "Acme SSO");
}

async fn offline_page_keeps_the_changes(page: &Browser, acme: &AcmeService) {
    page.add_role("editor").await;
    page.set_offline(true).await;
    page.save().await;
    page.wait_for("#alert p + p").await;
    assert_eq!(page.text("#alert h2").await, "No response");
    let parts = ["The change may have been applied.", "check your network, then save again."];
    assert!(page.assert_text("#alert", &parts).await.ends_with(parts[1]));
    page.inspect("offline").await;
    page.set_offline(false).await;
    page.save_successfully().await;
    let roles = acme.connection.state().external_connection_implicit_role_assignments.unwrap();
    assert_eq!(roles.len(), 2);
}

/// A gateway may give up on a change that the service completes.
async fn error_of_a_gateway_leaves_the_outcome_unknown(page: &Browser, _: &AcmeService) {
    for body in [r#"{"message": "Endpoint request timed out"}"#, "null"] {
        page.run(&format!(
            "const send = window.fetch; window.fetch = async (path, options) => {{
                if (options.method !== 'PATCH') return send(path, options);
                await send(path, options);
                window.fetch = send;
                const headers = {{ 'content-type': 'application/json' }};
                return new Response('{body}', {{ status: 504, headers }});
            }};"
        ))
        .await;
        page.type_over("#display-name", &format!("Changed before {body}")).await;
        page.save().await;
        page.wait_for("#alert p + p").await;
        page.assert_text("#alert", &REREAD).await;
        assert!(!page.can_save().await);
    }
}

async fn expired_session_is_renewed(page: &Browser, acme: &AcmeService) {
    let cookie = "stytch_session_jwt";
    page.with_cookie(&acme.service.url, cookie, &acme.ada.fresh_jwt()).await;
    page.choose(1).await;
    page.type_over("#display-name", "Acme SSO").await;
    let expired = expired_jwt(&acme.ada);
    page.set_cookie(cookie, &expired).await;
    page.save_successfully().await;
    assert_ne!(page.cookie(cookie).await, expired);
    assert_eq!(acme.connection.state().display_name, "Acme SSO");
}

async fn revoked_session_keeps_the_changes(page: &Browser, acme: &AcmeService) {
    let mut command = child::example_of("axum_service", &acme.stytch);
    let service = Service::start(command.args(["--login-url", "https://example.com/login"]));
    page.with_cookie(&service.url, "stytch_session", &acme.ada.token()).await;
    page.choose(1).await;
    page.type_over("#display-name", "Acme SSO").await;
    acme.ada.revoke();
    page.save().await;
    assert_eq!(page.text("#alert h2").await, "You are not logged in");
    let way_on = "Your changes are kept. Log in in a new tab, then save again.";
    assert_eq!(page.text("#alert p").await, way_on);
    for (name, value) in [("href", "https://example.com/login"), ("target", "_blank")] {
        assert_eq!(page.attribute("#alert a", name).await, value);
    }
    page.inspect("revoked").await;
    let again = acme.log_in("eve", &["stytch_admin"]);
    page.set_cookie("stytch_session", &again.token()).await;
    page.save_successfully().await;
    assert_eq!(acme.connection.state().display_name, "Acme SSO");
}
