//! Permissions, and the updates that each kind of connection rejects.

use serde_json::{Value, json};
use stytch_sso_external::testing::Stytch;

use super::{AcmeOverHttp, GROUP_ROLES, JWT, NAME, ROLES, TOKEN, path};

#[tokio::test]
async fn admin_updates_by_token_and_by_jwt() {
    let acme = AcmeOverHttp::new();
    for (header, session) in [(TOKEN, acme.ada.token()), (JWT, acme.ada.jwt())] {
        let (status, response) = acme.put(header, &session, &json!({"display_name": header})).await;
        assert_eq!(status, 200);
        assert_eq!(response["connection"], json!(acme.connection.state()));
        assert_eq!(response["status_code"], 200);
        let request_id = response["request_id"].as_str().unwrap();
        assert!(request_id.starts_with("request-id-test-"));
        assert_eq!(acme.connection.state().display_name, header);
    }
    let update = acme.stytch.updates().pop().unwrap();
    assert_eq!(update.member_id.as_deref(), Some(acme.member.id()));
    assert_eq!(update.organization_id, acme.organization.id());
    assert_eq!(update.connection_id, acme.connection.id());
    assert_eq!(update.body, json!({"display_name": JWT}));
}

#[tokio::test]
async fn lists_are_replaced_cleared_and_kept() {
    let acme = AcmeOverHttp::new();
    let roles = |role: &str| json!([{"role_id": role}]);
    let groups = json!([{"group": "it-admins", "role_id": "stytch_admin"}]);
    let set = json!({(ROLES): roles("stytch_admin"), (GROUP_ROLES): groups});
    acme.put_ok(&set).await;
    acme.put_ok(&json!({"display_name": "Renamed", (ROLES): null})).await;
    let state = json!(acme.connection.state());
    assert_eq!(state[ROLES], roles("stytch_admin"));
    assert_eq!(state[GROUP_ROLES], groups);
    acme.put_ok(&json!({(ROLES): []})).await;
    let state = json!(acme.connection.state());
    assert_eq!(state[ROLES], json!([]));
    assert_eq!(state[GROUP_ROLES], groups);
    assert_eq!(state["display_name"], "Renamed");
}

#[tokio::test]
async fn without_a_session_the_project_has_full_power() {
    let acme = AcmeOverHttp::new();
    let (status, _) = acme.send("PUT", &acme.path(), &[], &NAME.into()).await;
    assert_eq!(status, 200);
    assert_eq!(acme.stytch.updates().pop().unwrap().member_id, None);
}

#[tokio::test]
async fn wrong_project_credentials_are_rejected() {
    let acme = AcmeOverHttp::new();
    let http = reqwest::Client::new();
    let url = format!("{}{}", acme.stytch.base_url(), acme.path());
    let request = || http.put(&url).body(NAME);
    let id = acme.stytch.project_id();
    for request in [
        request(),
        request().basic_auth(id, Some("wrong")),
        request().basic_auth("project-test-other", Some(acme.stytch.secret())),
        request().bearer_auth(acme.stytch.secret()),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        let response: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(response["error_type"], "unauthorized_credentials");
    }
    assert_eq!(acme.stytch.accepted(), 0);
}

#[tokio::test]
async fn error_has_the_format_of_stytch() {
    let acme = AcmeOverHttp::new();
    let grace = acme.organization.member("grace", &[]).log_in();
    let (status, response) = acme.put(TOKEN, &grace.token(), &NAME.into()).await;
    assert_eq!(status, 403);
    let request_id = response["request_id"].as_str().unwrap();
    let expected = json!({
        "status_code": 403,
        "request_id": request_id,
        "error_type": "session_authorization_error",
        "error_message":
            "The Member is not authorized to perform the requested action on that resource.",
        "error_url": "https://stytch.com/docs/api/errors/403",
    });
    assert_eq!(response, expected);
    let (_, again) = acme.put(TOKEN, &grace.token(), &NAME.into()).await;
    assert_ne!(again["request_id"], request_id);
}

#[tokio::test]
async fn roles_grant_and_deny_updates() {
    let acme = AcmeOverHttp::new();
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
        let (seen, _) = acme.put(TOKEN, &grace.token(), &NAME.into()).await;
        assert_eq!(seen, status, "{roles:?}");
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
    let acme = AcmeOverHttp::new();
    let other = acme.stytch.organization("other");
    let eve = other.member("eve", &["stytch_admin"]).log_in();
    // Their session, our organization.
    acme.assert_rejected(TOKEN, &eve.token(), 403, "session_authorization_tenancy_error").await;
    // Their session and organization, our connection.
    let path = path(other.id(), acme.connection.id());
    let (status, response) = acme.send("PUT", &path, &[(TOKEN, &eve.token())], &NAME.into()).await;
    assert_eq!(status, 400);
    assert_eq!(response["error_type"], "sso_connection_organization_mismatch");
    assert_eq!(acme.stytch.accepted(), 0);
}

#[tokio::test]
async fn organization_slug_is_accepted_in_the_path() {
    let acme = AcmeOverHttp::new();
    let path = path("acme", acme.connection.id());
    let session = [(TOKEN, &*acme.ada.token())];
    let (status, _) = acme.send("PUT", &path, &session, &NAME.into()).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn ids_in_the_path_are_percent_decoded() {
    let acme = AcmeOverHttp::new();
    let odd = acme.organization.connection_builder("Odd").id("a/b ü").create();
    let path = path("acme", "a%2Fb%20%C3%BC");
    assert_eq!(acme.send("PUT", &path, &[], &NAME.into()).await.0, 200);
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
    let acme = AcmeOverHttp::new();
    for (path, error) in [
        (path("nowhere", acme.connection.id()), "organization_not_found"),
        (path("acme", "nothing"), "external_connection_id_not_found"),
        ("/v1/b2b/other".into(), "route_not_found"),
    ] {
        let (status, response) = acme.send("PUT", &path, &[], &NAME.into()).await;
        assert_eq!((status, &response["error_type"]), (404, &json!(error)));
    }
}

#[tokio::test]
async fn connections_reject_updates_that_they_do_not_support() {
    let acme = AcmeOverHttp::new();
    let organization = &acme.organization;
    let roles = json!({(ROLES): [{"role_id": "stytch_admin"}]});
    let groups = json!({(GROUP_ROLES): [{"group": "g", "role_id": "stytch_admin"}]});
    let oidc = organization.connection_builder("OIDC").oidc().create();
    let pending = organization.connection_builder("P").pending().create();
    let no_groups = organization.connection_builder("S").saml_without_groups().create();
    let not_assigned = "invalid_rbac_role_assignment";
    for (connection, body, error) in [
        (&pending, &json!({"display_name": "x"}), "external_connection_not_active"),
        (&oidc, &roles, not_assigned),
        (&oidc, &groups, not_assigned),
        (&no_groups, &groups, "saml_connection_attribute_mapping_missing_groups_key"),
        (&acme.connection, &json!({"display_name": " "}), "invalid_display_name"),
        (&acme.connection, &json!({"display_name": 1}), "invalid_argument"),
        (&acme.connection, &json!([]), "invalid_argument"),
    ] {
        let before = connection.state();
        let path = path(organization.id(), connection.id());
        let session = [(TOKEN, &*acme.ada.token())];
        let (status, response) = acme.send("PUT", &path, &session, body).await;
        assert_eq!((status, &response["error_type"]), (400, &json!(error)));
        assert_eq!(connection.state(), before);
    }
    for (connection, body) in [
        (&no_groups, &roles),
        (&no_groups, &json!({(GROUP_ROLES): []})),
        (&oidc, &json!({(ROLES): []})),
        (&oidc, &json!({"display_name": "x"})),
    ] {
        let path = path(organization.id(), connection.id());
        assert_eq!(acme.send("PUT", &path, &[], body).await.0, 200);
    }
}

#[tokio::test]
async fn error_details_name_an_unknown_role() {
    let acme = AcmeOverHttp::new();
    acme.organization.role("editor", &[]);
    let body = json!({(ROLES): [{"role_id": "editor"}, {"role_id": "no_such_role"}]});
    let (status, response) = acme.put(TOKEN, &acme.ada.token(), &body).await;
    assert_eq!(status, 400);
    assert_eq!(response["error_type"], "invalid_rbac_role_assignment");
    let details = json!({"role_id": "no_such_role", "field": ROLES, "position": 1});
    assert_eq!(response["error_details"], details);
}
