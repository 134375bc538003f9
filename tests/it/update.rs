//! An update from the call to the wire and back, and input that is rejected before sending.

use stytch_sso_external::types::ConnectionImplicitRoleAssignment;

use crate::support::prelude::*;

#[tokio::test]
async fn update_changes_only_its_fields() {
    let acme = Acme::new();
    let groups = &[("it-admins", "stytch_admin")];
    let connection = acme.organization.connection_builder("Acme Entra").roles(&["stytch_member"]);
    let connection = connection.group_roles(groups).create();
    let mut expected = connection.state();
    "Renamed".clone_into(&mut expected.display_name);
    let member = acme.as_member(acme.jwt());
    let response = member.update_connection(connection.id(), &rename("Renamed")).await.unwrap();
    assert_eq!(connection.state(), expected);
    assert_eq!(response.connection, expected);
    assert_eq!(response.status_code, 200);
    assert!(response.request_id.starts_with("request-id-test-"));

    // An empty list revokes roles, and none keeps them.
    let revoke = UpdateExternalConnectionRequest {
        external_connection_implicit_role_assignments: Some(vec![]),
        ..UpdateExternalConnectionRequest::default()
    };
    member.update_connection(connection.id(), &revoke).await.unwrap();
    let sent = acme.stytch.requests().pop().unwrap();
    assert_eq!(sent.text, r#"{"external_connection_implicit_role_assignments":[]}"#);
    expected.external_connection_implicit_role_assignments = Some(vec![]);
    assert_eq!(connection.state(), expected);
}

#[tokio::test]
async fn request_carries_basic_auth_one_session_header_and_no_api_version() {
    let acme = Acme::new();
    let names = ["x-stytch-member-sessionjwt", "x-stytch-member-session"];
    for (session, credential, present) in
        [(acme.jwt(), acme.ada.jwt(), [1, 0]), (acme.token(), acme.ada.token(), [0, 1])]
    {
        acme.rename(&acme.as_member(session)).await.unwrap();
        let sent = acme.stytch.requests().pop().unwrap();
        assert_eq!(sent.operation, Some(UPDATE));
        let count = |name| sent.header_names().iter().filter(|header| **header == name).count();
        assert_eq!(names.map(count), present);
        assert_eq!(["authorization", "api-version"].map(count), [1, 0]);
        assert!(sent.carries(&credential) && sent.carries(acme.stytch.secret()));
        let user_agent = sent.header("user-agent").unwrap();
        assert_eq!(user_agent, concat!("stytch-sso-external/", env!("CARGO_PKG_VERSION")));
        assert_eq!(sent.body, Some(json!({"display_name": "Renamed"})));
    }
}

#[tokio::test]
async fn connection_of_another_organization_is_not_updated() {
    let acme = Acme::new();
    let theirs = acme.stytch.organization("globex").connection("Globex Entra");
    for session in [acme.jwt(), acme.token()] {
        let member = acme.as_member(session);
        let error = member.update_connection(theirs.id(), &rename("Renamed")).await.unwrap_err();
        assert_not_applied("theirs", &error, OrganizationMismatch);
        // The path contained the member's own organization.
        assert!(acme.stytch.requests().pop().unwrap().path.contains(acme.organization.id()));
    }
    assert_eq!(theirs.state().display_name, "Globex Entra");
    assert_eq!(acme.stytch.updates(), []);
}

#[tokio::test]
async fn invalid_input_is_rejected_before_sending() {
    let acme = Acme::new();
    let member = acme.as_member(acme.jwt());
    let mut errors = Vec::new();
    let long = "x".repeat(1025);
    for id in
        ["", ".", "..", "..\\..\\x", "a\\b", "a\nb", "a\tb", "a\0b", "a\u{7f}", "a\u{85}", &long]
    {
        let updated = member.update_connection(id, &rename("Renamed")).await.unwrap_err();
        let read = member.connection(id).await.unwrap_err();
        let edit = member.edit_connection(id, |edit| edit.grant_role("editor")).await.unwrap_err();
        let operations = [(UPDATE, updated), (LIST, read), (UPDATE, edit)];
        errors.extend(operations.map(|it| (format!("{id:?}"), "the connection id ", it)));
    }
    let nothing = UpdateExternalConnectionRequest::default();
    let error = member.update_connection("id", &nothing).await.unwrap_err();
    let reason = "the update sets nothing: set a display name or a list of roles";
    errors.push(("nothing".to_owned(), reason, (UPDATE, error)));
    for (what, reason, (operation, error)) in errors {
        assert_not_applied(&what, &error, InvalidRequest);
        assert!(error.reason().starts_with(reason), "{what}: {error}");
        assert_eq!((error.operation(), error.status()), (operation, None), "{what}");
        assert_eq!(error.attempts(), 0, "{what}");
    }
    assert_eq!(acme.stytch.requests(), []);
}

#[test]
fn setters_replace_earlier_values() {
    let update = UpdateExternalConnectionRequest::default()
        .connection_roles(["editor"])
        .clear_connection_roles()
        .group_roles([("g", "editor")])
        .clear_group_roles()
        .connection_roles(vec!["viewer".to_owned()]);
    let viewer = ConnectionImplicitRoleAssignment { role_id: "viewer".to_owned() };
    assert_eq!(update.external_connection_implicit_role_assignments, Some(vec![viewer]));
    assert_eq!(update.external_group_implicit_role_assignments, Some(vec![]));
    assert_eq!(update.display_name, None);
}
