//! The connections that the service shows, and whether the member may change them.

use super::AcmeService;
use crate::support::prelude::*;

#[tokio::test]
async fn list_contains_the_connections_of_the_organization_and_the_permission() {
    let acme = AcmeService::new();
    let _theirs = acme.stytch.organization("other").connection("Other Okta");
    let second = acme.organization.connection("Acme Entra");
    let listed = acme.get("/sso/connections", &acme.ada).await.successful();
    let expected = [acme.connection.state(), second.state()];
    assert_eq!(listed["connections"], json!(expected));
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
    let bob = acme.log_in("bob", &["sso_viewer"]);
    let read = acme.get(&acme.path(), &bob).await.successful();
    assert_eq!(read["connection"], json!(acme.connection.state()));
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
    let cleo = acme.log_in("cleo", &[]);
    for path in ["/sso/connections", &acme.path()] {
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
async fn member_whom_no_role_would_help_is_sent_to_an_administrator() {
    let acme = AcmeService::new();
    let cleo = acme.log_in("cleo", &[]);
    let policy = responses::rbac_policy(&[]);
    acme.stytch.fault(PROJECT_POLICY, Fault::response(Response::json(200, &policy)));
    let problem = acme.get(&acme.path(), &cleo).await.problem(403);
    assert_eq!(problem["sufficient_roles"], json!([]));
    assert_eq!(problem["detail"], "You can't view connections. Ask an administrator.");
}

#[tokio::test]
async fn connection_is_shown_while_the_permission_cannot_be_checked() {
    let acme = AcmeService::new();
    acme.stytch.fault(PROJECT_POLICY, Fault::status(500));
    for path in ["/sso/connections", &acme.path()] {
        let read = acme.get(path, &acme.ada).await.successful();
        assert_eq!(read["permission"], json!(null));
    }
    acme.service.logged_with("the permission is unknown").await;
}

#[tokio::test]
async fn lists_that_stytch_does_not_return_are_missing() {
    let acme = AcmeService::new();
    let mut connection = acme.connection.state();
    connection.external_group_implicit_role_assignments = None;
    let listed = Response::json(200, &responses::connections(vec![connection]));
    acme.stytch.fault(LIST, Fault::response(listed));
    let read = acme.get(&acme.path(), &acme.ada).await.successful();
    assert_eq!(read["connection"].get(GROUP_ROLES), None);
}
