//! Edits of single roles through the service.

use super::AcmeService;
use crate::support::prelude::*;

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
    patch(&acme, &edit).await.successful();
    // Another member's page was loaded before that edit.
    let edit = json!({
        "display_name": "Acme SSO",
        "grant": {"connection_roles": ["viewer"]},
        "revoke": {"connection_roles": ["stytch_member"]},
    });
    let connection = &patch(&acme, &edit).await.successful()["connection"];
    assert_eq!(connection[ROLES], json!([{"role_id": "editor"}, {"role_id": "viewer"}]));
    assert_eq!(connection[GROUP_ROLES], json!([{"group": "it", "role_id": "stytch_admin"}]));
    assert_eq!(*connection, json!(acme.connection.state()));
    assert_eq!(connection["display_name"], "Acme SSO");
    // The list that the second edit isn't about was not sent.
    let sent = acme.stytch.updates().pop().unwrap().body;
    assert_eq!(sent.get(GROUP_ROLES), None);
    // The log names what was changed, and where.
    let logged =
        acme.service.logged_with(&format!("connection_id=\"{}\"", acme.connection.id())).await;
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
    patch(&acme, &edit).await.successful();
    assert_eq!(acme.stytch.count(UPDATE), 0);
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
async fn invalid_edits_are_rejected_before_sending() {
    let acme = AcmeService::new();
    let roles = |n: usize| (0..n).map(|n| format!("role-{n}")).collect::<Vec<_>>();
    let edit =
        |n| json!({"grant": {"connection_roles": roles(n)}, "revoke": {"connection_roles": ["a"]}});
    for (edit, detail) in [
        (json!({"displayname": "x"}), "unknown field `displayname`"),
        (json!({"grant": {"roles": ["editor"]}}), "unknown field `roles`"),
        (json!({"grant": {"connection_roles": "editor"}}), "connection_roles"),
        (json!({"revoke": {"group_roles": [{"group": "it"}]}}), "missing field `role_id`"),
        (edit(100), "An edit has at most 100 changes."),
    ] {
        let problem = patch(&acme, &edit).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    assert_eq!(acme.stytch.requests(), []);
    // One fewer is sent, and rejected by Stytch, which knows no such roles.
    patch(&acme, &edit(99)).await.problem(422);
    assert_eq!(acme.stytch.count(UPDATE), 1);
}

async fn patch(acme: &AcmeService, edit: &Value) -> ServiceResponse {
    acme.send(Method::PATCH, &acme.path(), &acme.ada, &edit.to_string()).await
}
