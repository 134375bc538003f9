//! An update from the call to the wire and back.

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
async fn exactly_one_session_header_is_sent_whatever_the_caller_received() {
    let project = ScriptedProject::successful().await;
    let (client, jwt) = (project.client(), sign(&claims()));
    let mut received = HeaderMap::new();
    for name in ["x-stytch-member-session", "x-stytch-member-sessionjwt"] {
        received.append(name, HeaderValue::from_str(&jwt).unwrap());
        received.append(name, HeaderValue::from_static("second"));
    }
    received.insert("cookie", HeaderValue::from_static("stytch_session=third"));
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{PROJECT}:{SECRET}")));
    let received = Session::from_headers(&received).unwrap();
    for (what, session, header, credential) in [
        ("a JWT", Session::jwt(&jwt), "x-stytch-member-sessionjwt", &*jwt),
        ("received headers", received, "x-stytch-member-sessionjwt", &jwt),
        ("a token", token(), "x-stytch-member-session", TOKEN),
    ] {
        update_as(&client, session).await.unwrap();
        let sent = project.server.requests().pop().unwrap();
        let sessions = sent.headers.iter().filter(|(name, _)| name.starts_with("x-stytch"));
        let sessions: Vec<_> = sessions.map(|(name, value)| (&**name, &**value)).collect();
        // The panic hook would find the credential in a message.
        assert!(sessions == [(header, credential)], "{what}");
        assert!(sent.values("authorization") == [&*basic], "{what}");
        assert_eq!(["cookie", "api-version"].map(|name| sent.header(name)), [None; 2], "{what}");
        let user_agent = concat!("stytch-sso-external/", env!("CARGO_PKG_VERSION"));
        assert_eq!(sent.header("user-agent"), Some(user_agent), "{what}");
        let request = (&*sent.method, sent.json());
        assert_eq!(request, ("PUT", json!({"display_name": "Acme"})), "{what}");
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

#[test]
fn setters_replace_earlier_values() {
    let update = UpdateExternalConnectionRequest::default()
        .connection_roles(["editor"])
        .clear_connection_roles()
        .group_roles([("g", "editor")])
        .clear_group_roles()
        .connection_roles(vec!["viewer".to_owned()]);
    let viewer = types::ConnectionImplicitRoleAssignment { role_id: "viewer".to_owned() };
    assert_eq!(update.external_connection_implicit_role_assignments, Some(vec![viewer]));
    assert_eq!(update.external_group_implicit_role_assignments, Some(vec![]));
    assert_eq!(update.display_name, None);
}
