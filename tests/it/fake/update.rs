//! Permissions, and the updates that each kind of connection rejects.

use crate::support::prelude::*;

use super::{JWT, NAME, TOKEN, assert_error, assert_ok, http, path};

#[tokio::test]
async fn admin_updates_by_token_and_by_jwt() {
    let acme = Acme::new();
    for (header, session) in [(TOKEN, acme.ada.token()), (JWT, acme.ada.jwt())] {
        let body = json!({"display_name": header});
        let response = acme.put(header, &session, &body).await;
        assert_ok(&response);
        let state = acme.connection.state();
        assert_eq!((&response.1["connection"], &*state.display_name), (&json!(state), header));
        assert_eq!(response.1["status_code"], 200);
        assert!(response.1["request_id"].as_str().unwrap().starts_with("request-id-test-"));
        let update = acme.stytch.updates().pop().unwrap();
        assert_eq!(update.member_id.as_deref(), Some(acme.member.id()));
        assert_eq!(update.organization_id, acme.organization.id());
        assert_eq!((&*update.connection_id, update.body), (acme.connection.id(), body));
    }
}

#[tokio::test]
async fn lists_are_replaced_cleared_and_kept() {
    let acme = Acme::new();
    let roles = json!([{"role_id": "stytch_admin"}]);
    let groups = json!([{"group": "it-admins", "role_id": "stytch_admin"}]);
    for (update, expected) in [
        (json!({(ROLES): roles, (GROUP_ROLES): groups}), &roles),
        (json!({"display_name": "Renamed", (ROLES): null}), &roles),
        (json!({(ROLES): []}), &json!([])),
    ] {
        acme.put_ok(&update).await;
        let state = json!(acme.connection.state());
        assert_eq!((&state[ROLES], &state[GROUP_ROLES]), (expected, &groups), "{update}");
    }
    assert_eq!(acme.connection.state().display_name, "Renamed");
}

#[tokio::test]
async fn wrong_project_credentials_are_rejected() {
    let acme = Acme::new();
    let url = format!("{}{}", acme.stytch.base_url(), acme.path());
    let request = || http().put(&url).body(NAME);
    let id = acme.stytch.project_id();
    for request in [
        request(),
        request().basic_auth(id, Some("wrong")),
        request().basic_auth("project-test-other", Some(acme.stytch.secret())),
        request().bearer_auth(acme.stytch.secret()),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.text().await.unwrap().contains(r#""unauthorized_credentials""#));
    }
    assert_eq!(acme.stytch.accepted(), 0);
}

#[tokio::test]
async fn error_has_the_format_of_stytch() {
    let acme = Acme::new();
    let grace = acme.organization.member("grace", &[]).log_in();
    let mut request_ids = Vec::new();
    for _ in 0..2 {
        let response = acme.put(TOKEN, &grace.token(), &NAME.into()).await;
        assert_error(&response, 403, "session_authorization_error");
        request_ids.push(response.1["request_id"].clone());
        let captured = json!(responses::permission_denied());
        assert_eq!(
            response.1,
            with(captured, "/request_id", request_ids[request_ids.len() - 1].clone())
        );
    }
    assert_ne!(request_ids[0], request_ids[1]);
}

#[tokio::test]
async fn roles_grant_and_deny_updates() {
    let acme = Acme::new();
    acme.stytch.role("sso_editor", &[("stytch.sso", &["create", "update"])]);
    acme.stytch.role("sso_reader", &[("stytch.sso", &["read"])]);
    acme.organization.role("own", &[("stytch.sso", &["*"])]);
    acme.stytch.role("other_star", &[("stytch.member", &["*"])]);
    let member = acme.organization.member("grace", &[]);
    let grace = member.log_in();
    for (roles, status) in [
        (&["sso_reader"] as &[_], 403),
        (&["sso_editor"], 200),
        (&["other_star"], 403),
        (&["own"], 200),
        (&["sso_reader", "own"], 200),
        (&[], 403),
    ] {
        member.set_roles(roles);
        assert_eq!(acme.put(TOKEN, &grace.token(), &NAME.into()).await.0, status, "{roles:?}");
    }
}

#[test]
#[should_panic(expected = "there is no role `sso_editor`: define it first")]
fn undefined_role_panics() {
    let stytch = Stytch::start();
    let _ = stytch.organization("acme").member("ada", &["sso_editor"]);
}

#[tokio::test]
async fn tenancy_is_enforced() {
    let acme = Acme::new();
    let other = acme.stytch.organization("other");
    let eve = other.member("eve", &["stytch_admin"]).log_in();
    // Their session, our organization.
    acme.assert_rejected(TOKEN, &eve.token(), 403, "session_authorization_tenancy_error").await;
    // Their session and organization, our connection.
    let path = path(other.id(), acme.connection.id());
    let response = acme.send("PUT", &path, &[(TOKEN, &eve.token())], &NAME.into()).await;
    assert_error(&response, 400, "sso_connection_organization_mismatch");
    assert_eq!(acme.stytch.accepted(), 0);
}

#[tokio::test]
async fn path_has_the_organizations_slug_and_encoded_ids() {
    let acme = Acme::new();
    let odd = acme.organization.connection_builder("Odd").id("a/b ü").create();
    let path = path("acme", "a%2Fb%20%C3%BC");
    assert_ok(&acme.send("PUT", &path, &[(TOKEN, &acme.ada.token())], &NAME.into()).await);
    assert_eq!(odd.state().display_name, "Renamed");
    assert_eq!(acme.stytch.requests()[0].path, path);
}

#[test]
fn a_live_project_has_live_ids() {
    let stytch = Stytch::builder().project_id("project-live-1").start();
    let acme = stytch.organization("acme");
    assert!(acme.id().starts_with("organization-live-"));
    assert!(acme.connection("Okta").id().starts_with("external-connection-live-"));
}

#[tokio::test]
async fn unknown_ids_and_paths_are_not_found() {
    let acme = Acme::new();
    for (method, path, error) in [
        ("PUT", path("nowhere", acme.connection.id()), "organization_not_found"),
        ("PUT", path("acme", "nothing"), "external_connection_id_not_found"),
        ("PUT", "/v1/b2b/other".into(), "route_not_found"),
        ("GET", "/v1/b2b/sessions/jwks/project-test-other".into(), "project_not_found"),
    ] {
        assert_error(&acme.send(method, &path, &[], &NAME.into()).await, 404, error);
    }
}

#[tokio::test]
async fn connections_reject_updates_that_they_do_not_support() {
    let acme = Acme::new();
    let builder = |name: &str| acme.organization.connection_builder(name);
    let (oidc, pending) = (builder("OIDC").oidc().create(), builder("P").pending().create());
    let no_groups = builder("S").saml_without_groups().create();
    let roles = json!({(ROLES): [{"role_id": "stytch_admin"}]});
    let groups = json!({(GROUP_ROLES): [{"group": "g", "role_id": "stytch_admin"}]});
    let unknown = json!({(ROLES): [{"role_id": "stytch_admin"}, {"role_id": "no_such_role"}]});
    let name = json!({"display_name": "x"});
    let not_assigned = "invalid_rbac_role_assignment";
    for (connection, body, error) in [
        (&pending, &name, "external_connection_not_active"),
        (&oidc, &roles, not_assigned),
        (&oidc, &groups, not_assigned),
        (&no_groups, &groups, "saml_connection_attribute_mapping_missing_groups_key"),
        (&acme.connection, &json!({"display_name": " "}), "invalid_display_name"),
        (&acme.connection, &json!({"display_name": 1}), "invalid_argument"),
        (&acme.connection, &json!([]), "invalid_argument"),
        (&acme.connection, &unknown, not_assigned),
    ] {
        let before = connection.state();
        let path = path(acme.organization.id(), connection.id());
        let response = acme.send("PUT", &path, &[(TOKEN, &acme.ada.token())], body).await;
        assert_error(&response, 400, error);
        assert_eq!(connection.state(), before);
        if *body == unknown {
            let details = json!({"role_id": "no_such_role", "field": ROLES, "position": 1});
            assert_eq!(response.1["error_details"], details);
        }
    }
    for (connection, body) in [
        (&no_groups, &roles),
        (&no_groups, &json!({(GROUP_ROLES): []})),
        (&oidc, &json!({(ROLES): []})),
        (&oidc, &name),
    ] {
        // Without a session, the project has full power.
        let path = path(acme.organization.id(), connection.id());
        assert_ok(&acme.send("PUT", &path, &[], body).await);
        assert_eq!(acme.stytch.updates().pop().unwrap().member_id, None);
    }
}
