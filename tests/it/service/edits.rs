//! Edits of single roles through the service.

use reqwest::Method;
use serde_json::{Value, json};
use stytch_sso_external::Operation;

use super::{AcmeService, GROUP_ROLES, ROLES};
use crate::support::service::ServiceResponse;

#[tokio::test]
async fn edit_changes_single_roles_and_keeps_those_of_others() {
    let acme = AcmeService::new();
    acme.stytch.role("editor", &[]);
    acme.stytch.role("viewer", &[]);
    let edit = json!({
        "grant": {
            "connection_roles": ["editor"],
            "group_roles": [{"group": "it", "role_id": "stytch_admin"}],
        },
    });
    assert_eq!(patch(&acme, &edit).await.status, 200);
    // Another member's page was loaded before that edit.
    let edit = json!({
        "display_name": "Acme SSO",
        "grant": {"connection_roles": ["viewer"]},
        "revoke": {"connection_roles": ["stytch_member"]},
    });
    let response = patch(&acme, &edit).await;
    assert_eq!(response.status, 200, "{}", response.text);

    let state = acme.connection.state();
    assert_eq!(state.display_name, "Acme SSO");
    let roles = state.external_connection_implicit_role_assignments.unwrap();
    let roles: Vec<_> = roles.iter().map(|role| role.role_id.as_str()).collect();
    assert_eq!(roles, ["editor", "viewer"]);
    let groups = state.external_group_implicit_role_assignments.unwrap();
    assert_eq!((groups.len(), groups[0].group.as_str()), (1, "it"));
    let connection = &response.json()["connection"];
    assert_eq!(connection[ROLES], json!([{"role_id": "editor"}, {"role_id": "viewer"}]));
    // The list that the second edit isn't about was not sent.
    let sent = acme.stytch.updates().pop().unwrap().body;
    assert_eq!(sent.get(GROUP_ROLES), None);
    // The log names what was changed, and where.
    let logged = acme.service.logged_with(&format!("connection_id=\"{}\"", acme.connection.id()));
    assert!(logged.contains(acme.organization.id()), "{logged}");
}

#[tokio::test]
async fn edit_that_changes_nothing_sends_no_update() {
    let acme = AcmeService::new();
    let edit = json!({
        "display_name": "Acme Okta",
        "grant": {"connection_roles": ["stytch_member"]},
        "revoke": {"group_roles": [{"group": "it", "role_id": "stytch_admin"}]},
    });
    let response = patch(&acme, &edit).await;
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 0);
}

#[tokio::test]
async fn rejected_role_is_named_by_its_field() {
    let acme = AcmeService::new();
    let role = json!({"group": "it", "role_id": "no_such_role"});
    let edit = json!({"grant": {"group_roles": [role]}});
    let problem = patch(&acme, &edit).await.problem(422);
    let rejected = json!({"field": GROUP_ROLES, "group": "it", "role_id": "no_such_role"});
    assert_eq!(problem["rejected"], rejected);
    assert_eq!(problem["outcome"], "not_applied");
}

#[tokio::test]
async fn misspelt_edits_are_rejected_before_sending() {
    let acme = AcmeService::new();
    for edit in [
        json!({"displayname": "x"}),
        json!({"grant": {"roles": ["editor"]}}),
        json!({"grant": {"connection_roles": "editor"}}),
        json!({"revoke": {"group_roles": [{"group": "it"}]}}),
    ] {
        patch(&acme, &edit).await.problem(422);
    }
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn edit_of_more_than_a_hundred_roles_is_rejected_before_sending() {
    let acme = AcmeService::new();
    let roles = |n: usize| (0..n).map(|n| format!("role-{n}")).collect::<Vec<_>>();
    let edit =
        |n| json!({"grant": {"connection_roles": roles(n)}, "revoke": {"connection_roles": ["a"]}});
    let problem = patch(&acme, &edit(100)).await.problem(422);
    assert_eq!(problem["detail"], "An edit has at most 100 changes.");
    assert_eq!(acme.stytch.requests(), []);
    // One fewer is sent, and rejected by Stytch, which knows no such roles.
    patch(&acme, &edit(99)).await.problem(422);
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 1);
}

async fn patch(acme: &AcmeService, edit: &Value) -> ServiceResponse {
    let path = format!("/sso/connections/{}", acme.connection.id());
    acme.send(Method::PATCH, &path, &acme.ada, &edit.to_string()).await
}
