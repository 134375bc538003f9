//! An update from the call to the wire and back, and input that is rejected before sending.

use serde_json::json;
use stytch_sso_external::{
    ErrorKind, Operation, Outcome, Session,
    testing::{Fault, Response, Stytch, responses},
    types::{ConnectionImplicitRoleAssignment, UpdateExternalConnectionRequest},
};

use crate::support::{acme::Acme, scripted_project::rename};

#[tokio::test]
async fn update_changes_only_its_fields() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme
        .connection_builder("Acme Okta")
        .roles(&["stytch_member"])
        .group_roles(&[("it-admins", "stytch_admin")])
        .create();
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let before = connection.state();

    let member = stytch.client().as_member(Session::jwt(ada.jwt()));
    let response = member.update_connection(connection.id(), &rename("Renamed")).await.unwrap();

    let mut expected = before;
    expected.display_name = "Renamed".to_owned();
    assert_eq!(connection.state(), expected);
    assert_eq!(response.connection, expected);
    assert_eq!(response.status_code, 200);
    assert!(response.request_id.starts_with("request-id-test-"));
}

#[tokio::test]
async fn empty_list_revokes_roles_and_none_keeps_them() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme
        .connection_builder("Acme Okta")
        .roles(&["stytch_member"])
        .group_roles(&[("g", "stytch_admin")])
        .create();
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let update = UpdateExternalConnectionRequest {
        external_connection_implicit_role_assignments: Some(vec![]),
        ..UpdateExternalConnectionRequest::default()
    };
    let member = stytch.client().as_member(Session::jwt(ada.jwt()));
    member.update_connection(connection.id(), &update).await.unwrap();

    let sent = stytch.requests().pop().unwrap();
    assert_eq!(sent.text, r#"{"external_connection_implicit_role_assignments":[]}"#);
    let state = connection.state();
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    assert_eq!(state.external_group_implicit_role_assignments.unwrap().len(), 1);
}

#[tokio::test]
async fn request_carries_basic_auth_one_session_header_and_no_api_version() {
    let Acme { stytch, connection, ada, .. } = Acme::new();
    let (jwt, token) = ("x-stytch-member-sessionjwt", "x-stytch-member-session");
    let sessions = [
        (Session::jwt(ada.jwt()), ada.jwt(), jwt, token),
        (Session::token(ada.token()), ada.token(), token, jwt),
    ];
    for (session, credential, present, absent) in sessions {
        stytch
            .client()
            .as_member(session)
            .update_connection(connection.id(), &rename("Renamed"))
            .await
            .unwrap();
        let sent = stytch.requests().pop().unwrap();
        assert_eq!(sent.operation, Some(Operation::UpdateExternalConnection));
        let names = sent.header_names();
        let count = |name| names.iter().filter(|header| **header == name).count();
        let counts = [count(present), count(absent), count("authorization"), count("api-version")];
        assert_eq!(counts, [1, 0, 1, 0], "{names:?}");
        assert!(sent.carries(&credential));
        assert!(sent.carries(stytch.secret()));
        let user_agent = sent.header("user-agent").unwrap();
        assert_eq!(user_agent, concat!("stytch-sso-external/", env!("CARGO_PKG_VERSION")));
        assert_eq!(sent.body, Some(json!({"display_name": "Renamed"})));
    }
}

#[tokio::test]
async fn member_without_the_role_changes_nothing() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let bob = acme.member("bob", &["stytch_member"]).log_in();
    for session in [Session::jwt(bob.jwt()), Session::token(bob.token())] {
        let member = stytch.client().as_member(session);
        let error =
            member.update_connection(connection.id(), &rename("Renamed")).await.unwrap_err();
        let denied = ErrorKind::PermissionDenied { action: "update", resource: "stytch.sso" };
        assert_eq!(error.kind(), denied, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
        assert!(error.request_id().is_some());
    }
    assert_eq!(connection.state().display_name, "Acme Okta");
}

#[tokio::test]
async fn connection_of_another_organization_is_not_updated() {
    let stytch = Stytch::start();
    let theirs = stytch.organization("globex").connection("Globex Entra");
    let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
    for session in [Session::jwt(ada.jwt()), Session::token(ada.token())] {
        let member = stytch.client().as_member(session);
        let error = member.update_connection(theirs.id(), &rename("Renamed")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OrganizationMismatch, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
        // The path contained the member's own organization.
        let path = stytch.requests().pop().unwrap().path;
        assert!(path.contains(
            ada.claims()["https://stytch.com/organization"]["organization_id"].as_str().unwrap()
        ));
    }
    assert_eq!(theirs.state().display_name, "Globex Entra");
    assert_eq!(stytch.updates(), []);
}

#[tokio::test]
async fn invalid_input_is_rejected_before_sending() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
    let member = stytch.client().as_member(Session::jwt(ada.jwt()));
    let long = "x".repeat(1025);
    for id in
        ["", ".", "..", "..\\..\\x", "a\\b", "a\nb", "a\tb", "a\0b", "a\u{7f}", "a\u{85}", &long]
    {
        let error = member.update_connection(id, &rename("Renamed")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}: {error:?}");
        assert!(error.reason().starts_with("the connection id "), "{error}");
        assert_eq!(
            (error.outcome(), error.status(), error.attempts()),
            (Outcome::NotApplied, None, 0)
        );
    }
    let nothing = UpdateExternalConnectionRequest::default();
    let error = member.update_connection("external-connection-test-1", &nothing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
    assert_eq!(error.reason(), "the update sets nothing: set a display name or a list of roles");
    assert_eq!(stytch.requests(), []);
}

#[tokio::test]
async fn other_ids_are_sent_as_one_segment() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let member = stytch.client().as_member(Session::jwt(ada.jwt()));
    for (id, segment) in [("...", "..."), ("a.b|c", "a.b|c"), ("a~b!", "a~b!"), ("a\"b", "a%22b")] {
        let connection = acme.connection_builder("Acme Okta").id(id).create();
        member
            .update_connection(id, &rename("Renamed"))
            .await
            .unwrap_or_else(|error| panic!("{id}: {error:?}"));
        assert_eq!(connection.state().display_name, "Renamed", "{id}");
        let path = stytch.requests().pop().unwrap().path;
        let expected = format!("/v1/b2b/sso/external/{}/connections/{segment}", acme.id());
        assert_eq!(path, expected);
    }
}

#[tokio::test]
async fn unknown_status_and_extra_fields_are_accepted() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let mut connection = responses::connection();
    connection.organization_id = acme.id().to_owned();
    connection.status = "new_in_2027".to_owned();
    let id = connection.connection_id.clone();
    let mut body = serde_json::to_value(responses::updated(connection)).unwrap();
    body["new"] = json!({"of": ["any", "kind"]});
    body["connection"]["new"] = json!(null);
    let _ = stytch
        .fault(Operation::UpdateExternalConnection, Fault::response(Response::json(200, &body)))
        .times(1);
    let response = stytch
        .client()
        .as_member(Session::jwt(ada.jwt()))
        .update_connection(&id, &rename("Renamed"))
        .await
        .unwrap();
    assert_eq!(response.connection.status, "new_in_2027");
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
