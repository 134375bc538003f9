//! Rejections and failures: what was entered stays, and what was applied is shown.

use serde_json::json;
use stytch_sso_external::{
    Operation,
    testing::{Fault, Response, responses},
};

use super::{acme, visit};
use crate::support::{service::Service, visit::Visit};

#[tokio::test]
async fn unknown_role_is_marked_at_its_field() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.add_group_role("it", "editor").await;
    visit.add_group_role("hr", "no_such_role").await;
    visit.save().await;
    assert_eq!(visit.text("#alert h2").await, "The change is invalid");
    let error = visit.text("#group_roles li:last-child .error").await;
    assert!(error.starts_with("Stytch rejected the update: "), "{error}");
    assert!(visit.text("#alert dl").await.contains("Rejected role\nhr → no_such_role"));
    assert!(visit.has("#group_roles li:last-child input[name=role_id][aria-invalid]").await);
    assert!(!visit.has("#group_roles li:first-child [aria-invalid]").await);
    let field = visit.find("#group_roles li:last-child input[name=role_id]").await;
    assert_eq!(Some(visit.focused().await), field.attribute("id").await);
    visit.inspect("rejected").await;

    visit.type_over("#group_roles li:last-child input[name=role_id]", "viewer").await;
    visit.save().await;
    assert_eq!(visit.text("#status h2").await, "Saved");
    let groups = acme.connection.state().external_group_implicit_role_assignments.unwrap();
    assert_eq!(groups.len(), 2);
}

#[tokio::test]
async fn invalid_name_and_incomplete_row_are_marked() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    for empty in [" ", ""] {
        visit.type_over("#display-name", empty).await;
        // An input event, which clearing alone doesn't send.
        visit.press("x\u{e003}").await;
        visit.click("#save").await;
        let error = "The display name is empty. Enter a name.";
        assert_eq!(visit.text("#name-error").await, error);
        assert_eq!(visit.focused().await, "display-name");
    }
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 0);
    visit.inspect("empty-name").await;

    let rejection = Fault::response(Response::error(&responses::invalid_display_name()));
    acme.stytch.fault(Operation::UpdateExternalConnection, rejection).times(1);
    visit.type_over("#display-name", "Rejected").await;
    visit.save().await;
    let error = "Stytch rejected the update: the display name is invalid.";
    assert!(visit.text("#name-error").await.starts_with(error));
    assert_eq!(visit.focused().await, "display-name");
    visit.inspect("invalid-name").await;

    visit.add_group_role("it", "").await;
    visit.click("#save").await;
    assert_eq!(visit.text("#group_roles .error").await, "Enter a role id.");
    visit.inspect("incomplete").await;
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 1);
}

#[tokio::test]
async fn unknown_outcome_reloads_the_connection() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    let update = Operation::UpdateExternalConnection;
    acme.stytch.fault(update, Fault::status(500).after_applying()).times(1);
    visit.add_role("editor").await;
    visit.save().await;
    visit.find("#alert p + dl + p").await;
    let text = visit.text("#alert").await;
    assert!(text.contains("may have been applied"), "{text}");
    assert!(text.contains("The form shows the current state."), "{text}");
    // It was: nothing is left to save.
    assert_eq!(visit.text("#connection_roles li:last-child span").await, "editor");
    assert!(!visit.can_save().await);
    visit.inspect("unknown").await;

    // And this one was not: it can be saved again.
    acme.stytch.fault(update, Fault::status(500)).times(1);
    visit.type_over("#display-name", "Acme SSO").await;
    visit.save().await;
    visit.find("#alert p + dl + p").await;
    assert_eq!(visit.value("#display-name").await, "Acme SSO");
    assert!(visit.can_save().await);
    visit.save().await;
    assert_eq!(visit.text("#status h2").await, "Saved");
    assert_eq!(acme.connection.state().display_name, "Acme SSO");
}

#[tokio::test]
async fn offline_page_keeps_the_changes() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.add_role("editor").await;
    visit.set_offline(true).await;
    visit.save().await;
    visit.find("#alert p + p").await;
    assert_eq!(visit.text("#alert h2").await, "No response");
    let text = visit.text("#alert").await;
    assert!(text.contains("The change may have been applied."), "{text}");
    assert!(text.ends_with("check your network, then save again."), "{text}");
    visit.inspect("offline").await;
    visit.set_offline(false).await;
    visit.save().await;
    assert_eq!(visit.text("#status h2").await, "Saved");
    let roles = acme.connection.state().external_connection_implicit_role_assignments.unwrap();
    assert_eq!(roles.len(), 2);
}

/// A gateway may give up on a change that the service completes.
#[tokio::test]
async fn error_of_a_gateway_leaves_the_outcome_unknown() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    for body in [r#"{"message": "Endpoint request timed out"}"#, "null"] {
        visit
            .run(&format!(
                "const send = window.fetch; window.fetch = async (path, options) => {{
                if (options.method !== 'PATCH') return send(path, options);
                await send(path, options);
                window.fetch = send;
                const headers = {{ 'content-type': 'application/json' }};
                return new Response('{body}', {{ status: 504, headers }});
            }};"
            ))
            .await;
        visit.type_over("#display-name", &format!("Changed before {body}")).await;
        visit.save().await;
        visit.find("#alert p + p").await;
        let text = visit.text("#alert").await;
        assert!(text.contains("may have been applied"), "{text}");
        assert!(text.contains("The form shows the current state."), "{text}");
        assert!(!visit.can_save().await);
    }
}

#[tokio::test]
async fn session_that_expires_during_editing_is_renewed() {
    let acme = acme();
    let issued = acme.ada.claims()["iat"].as_u64().unwrap();
    let times = json!({"iat": issued - 600, "nbf": issued - 600, "exp": issued - 300});
    let (url, jwt) = (&acme.service.url, acme.ada.fresh_jwt());
    let Some(visit) = Visit::with_cookie(url, "stytch_session_jwt", &jwt).await else { return };
    visit.choose(1).await;
    visit.type_over("#display-name", "Acme SSO").await;
    let expired = acme.ada.mint(times);
    visit.set_cookie("stytch_session_jwt", &expired).await;
    visit.save().await;
    assert_eq!(visit.text("#status h2").await, "Saved");
    assert_ne!(visit.cookie("stytch_session_jwt").await, expired);
    assert_eq!(acme.connection.state().display_name, "Acme SSO");
}

#[tokio::test]
async fn session_that_was_revoked_during_editing_keeps_the_changes() {
    let acme = acme();
    let mut command = Service::command(&acme.stytch);
    let service = Service::start(command.args(["--login-url", "https://example.com/login"]));
    let token = acme.ada.token();
    let visit = Visit::with_cookie(&service.url, "stytch_session", &token).await;
    let Some(visit) = visit else { return };
    visit.choose(1).await;
    visit.type_over("#display-name", "Acme SSO").await;
    acme.ada.revoke();
    visit.save().await;
    assert_eq!(visit.text("#alert h2").await, "You are not logged in");
    let way_on = "Your changes are kept. Log in in a new tab, then save again.";
    assert_eq!(visit.text("#alert p").await, way_on);
    let link = visit.find("#alert a").await;
    assert_eq!(link.attribute("href").await.unwrap(), "https://example.com/login");
    assert_eq!(link.attribute("target").await.unwrap(), "_blank");
    visit.inspect("revoked").await;
    let again = acme.organization.member("eve", &["stytch_admin"]).log_in();
    visit.set_cookie("stytch_session", &again.token()).await;
    visit.save().await;
    assert_eq!(visit.text("#status h2").await, "Saved");
    assert_eq!(acme.connection.state().display_name, "Acme SSO");
}
