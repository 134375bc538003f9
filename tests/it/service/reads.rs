//! The connections that the service shows, and whether the member may change them.

use serde_json::json;
use stytch_sso_external::{
    Operation,
    testing::{Fault, Response, responses},
};

use super::{AcmeService, GROUP_ROLES};

#[tokio::test]
async fn list_contains_the_connections_of_the_organization_and_the_permission() {
    let acme = AcmeService::new();
    let _theirs = acme.stytch.organization("other").connection("Other Okta");
    let second = acme.organization.connection("Acme Entra");
    let listed = acme.get("/sso/connections", &acme.ada).await.json();
    let names: Vec<_> = listed["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|connection| connection["display_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Acme Okta", "Acme Entra"]);
    assert_eq!(listed["connections"][1]["connection_id"], second.id());
    let permission = json!({
        "authorized": true,
        "advice": null,
        "sufficient_roles": ["stytch_admin"],
        "role_ids": ["stytch_admin", "stytch_member"],
    });
    assert_eq!(listed["permission"], permission);
}

#[tokio::test]
async fn member_who_may_only_see_a_connection_is_given_the_roles_to_ask_for() {
    let acme = AcmeService::new();
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    acme.organization.role("sso_manager", &[("stytch.sso", &["get", "update"])]);
    let bob = acme.organization.member("bob", &["sso_viewer"]).log_in();
    let read = acme.get(&path(&acme), &bob).await.json();
    assert_eq!(read["connection"], serde_json::to_value(acme.connection.state()).unwrap());
    let permission = json!({
        "authorized": false,
        "advice": "You can view connections but not change them. Ask for the role sso_manager or \
                   stytch_admin.",
        "sufficient_roles": ["sso_manager", "stytch_admin"],
        // Which roles exist is for those who may assign them.
        "role_ids": [],
    });
    assert_eq!(read["permission"], permission);
}

#[tokio::test]
async fn member_who_may_not_see_connections_is_given_the_roles_to_ask_for() {
    let acme = AcmeService::new();
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    let cleo = acme.organization.member("cleo", &[]).log_in();
    for path in ["/sso/connections", &path(&acme)] {
        let problem = acme.get(path, &cleo).await.problem(403);
        assert_eq!(problem["action"], "get");
        assert_eq!(problem["sufficient_roles"], json!(["sso_viewer", "stytch_admin"]));
        let advice = "You can't view connections. Ask for the role sso_viewer or stytch_admin.";
        assert_eq!(problem["detail"], advice);
        // A read has no outcome.
        assert_eq!(problem.get("outcome"), None);
    }
}

#[tokio::test]
async fn connection_is_shown_while_the_permission_cannot_be_checked() {
    let acme = AcmeService::new();
    acme.stytch.fault(Operation::GetRbacPolicy, Fault::status(500));
    for path in ["/sso/connections", &path(&acme)] {
        let response = acme.get(path, &acme.ada).await;
        assert_eq!(response.status, 200, "{}", response.text);
        assert_eq!(response.json()["permission"], json!(null));
    }
    acme.service.logged_with("the permission is unknown");
}

#[tokio::test]
async fn unknown_connection_is_a_404() {
    let acme = AcmeService::new();
    let theirs = acme.stytch.organization("other").connection("Other Okta");
    for id in [theirs.id(), "external-connection-test-nothing"] {
        let problem = acme.get(&format!("/sso/connections/{id}"), &acme.ada).await.problem(404);
        let detail = "Your organization has no external connection with this id.";
        assert_eq!(problem["detail"], detail);
    }
}

#[tokio::test]
async fn lists_that_stytch_does_not_return_are_missing() {
    let acme = AcmeService::new();
    let mut connection = acme.connection.state();
    connection.external_group_implicit_role_assignments = None;
    let listed = Response::json(200, &responses::connections(vec![connection]));
    acme.stytch.fault(Operation::GetConnections, Fault::response(listed));
    let read = acme.get(&path(&acme), &acme.ada).await.json();
    assert_eq!(read["connection"].get(GROUP_ROLES), None);
}

fn path(acme: &AcmeService) -> String {
    format!("/sso/connections/{}", acme.connection.id())
}
