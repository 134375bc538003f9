//! The problem details of each rejection and failure, which contain no internal information.

use stytch_sso_external::testing::Response as Scripted;

use super::{AcmeService, RENAME, path, token_cookie};
use crate::support::prelude::*;

#[tokio::test]
async fn denied_member_gets_the_action_and_the_resource() {
    let acme = AcmeService::new();
    let bob = acme.log_in("bob", &[]);
    let problem = acme.rename_with(&token_cookie(&bob)).await.problem(403);
    assert_eq!(problem["type"], "tag:example.com,2026:problem/permission-denied");
    assert_eq!(problem["action"], "update");
    assert_eq!(problem["resource"], "stytch.sso");
    assert_eq!(problem["outcome"], "not_applied");
    let detail =
        "You can't change connections. Ask for the role stytch_admin. Nothing was changed.";
    assert_eq!(problem["detail"], detail);
    assert_eq!(problem["sufficient_roles"], json!(["stytch_admin"]));
    let stytch_request_id = problem["stytch_request_id"].as_str().unwrap();
    let logged = acme.service.logged_with(stytch_request_id).await;
    assert!(logged.contains("rejected"), "{logged}");
    assert_eq!(acme.connection.state().display_name, "Acme Okta");
}

#[tokio::test]
async fn ids_of_another_path_are_rejected_before_sending() {
    let acme = AcmeService::new();
    let put = |id| acme.service.put_raw(&path(id), &token_cookie(&acme.ada));
    for id in ["..", "%2E%2E", ".", "..%5C..%5Cx", "%00"] {
        let response = put(id);
        for part in ["HTTP/1.1 422", "The request was not sent", "not_applied"] {
            assert!(response.contains(part), "{id}: {response}");
        }
    }
    let response = put("%FF");
    assert!(response.starts_with("HTTP/1.1 400"), "{response}");
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn invalid_bodies_are_rejected_before_sending() {
    let acme = AcmeService::new();
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 422),
        (r#"{"display_name": 1}"#, 422),
        (r#"{"displayname": "x"}"#, 422),
        (r#"{"external_group_implicit_role_assignments": [{"group": "it"}]}"#, 422),
        ("{}", 422),
    ] {
        acme.put(body).await.problem(status);
    }
    acme.put(&"x".repeat(65 * 1024)).await.problem(413);
    assert_eq!(acme.stytch.count(UPDATE), 0);
}

#[tokio::test]
async fn rejections_by_stytch_are_explained_in_our_own_text() {
    let acme = AcmeService::new();
    let role = json!({ROLES: [{"role_id": "no_such_role"}]}).to_string();
    let rejected = json!({"field": ROLES, "group": null, "role_id": "no_such_role"});
    let unassignable = "a role is unknown or can't be assigned";
    let no_name = r#"{"display_name": " "}"#;
    for (body, reason, rejected, status) in [
        (&*role, unassignable, rejected, "active"),
        (no_name, "the display name is invalid", json!({"field": "display_name"}), "active"),
        (RENAME, "the connection is not active", json!(null), "pending"),
    ] {
        acme.connection.set_status(status);
        let problem = acme.put(body).await.problem(422);
        let detail = format!("Stytch rejected the update: {reason}. Nothing was changed.");
        assert_eq!((&problem["detail"], &problem["rejected"]), (&json!(detail), &rejected));
    }
}

#[tokio::test]
async fn foreign_connection_looks_like_a_missing_one() {
    let acme = AcmeService::new();
    let theirs = acme.stytch.organization("other").connection("Other Okta");
    for (method, body) in [(Method::GET, ""), (Method::PUT, RENAME)] {
        let problem_of = async |id| {
            let response = acme.send(method.clone(), &path(id), &acme.ada, body).await;
            let mut problem = response.problem(404);
            for member in ["request_id", "stytch_request_id"] {
                assert!(problem[member].take().is_string(), "{method}: {problem}");
            }
            problem
        };
        let problem = problem_of(theirs.id()).await;
        assert_eq!(problem, problem_of("external-connection-test-nothing").await, "{method}");
        let detail = problem["detail"].as_str().unwrap();
        let expected = "Your organization has no external connection with this id.";
        assert!(detail.starts_with(expected), "{method}: {detail}");
        assert!(method == Method::PUT || detail == expected, "{method}: {detail}");
    }
    assert_eq!(theirs.state().display_name, "Other Okta");
}

#[tokio::test]
async fn outcome_of_a_failure_and_the_time_to_wait_are_reported() {
    let acme = AcmeService::new();
    let unreadable = Fault::response(Scripted::html(200, "<h1>Hello</h1>"));
    let check = "check the connection before you retry";
    for (fault, status, outcome, retry_after, detail, name) in [
        (Fault::rate_limited().retry_after("61"), 429, "not_applied", "61", "", "Acme Okta"),
        (Fault::status(500).after_applying(), 502, "unknown", "", check, "Renamed"),
        (unreadable, 502, "applied", "", "", "Renamed"),
    ] {
        acme.fault(UPDATE, fault);
        let response = acme.rename().await;
        let problem = response.problem(status);
        assert_eq!(problem["outcome"], json!(outcome), "{problem}");
        assert_eq!(response.header("retry-after"), retry_after, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        assert_eq!(acme.connection.state().display_name, name, "{outcome}");
    }
}

#[tokio::test]
async fn response_text_is_neither_returned_nor_logged() {
    let acme = AcmeService::new();
    let text = "<script>alert(1)</script> at db-7.internal";
    let mut error = responses::error(400, text, text);
    error.request_id = Some(text.into());
    for scripted in [Scripted::html(500, text), Scripted::error(&error), Scripted::html(403, text)]
    {
        acme.stytch.clear_faults();
        acme.stytch.fault(UPDATE, Fault::response(scripted));
        let response = acme.rename().await;
        assert!(response.status >= 400);
        let problem = response.problem(response.status);
        assert_eq!(problem.get("stytch_request_id"), None);
        let logged = acme.service.logged_with(response.header("x-request-id")).await;
        let output = format!("{}{logged}", response.text);
        assert!(!output.contains("script") && !output.contains("internal"), "{output}");
    }
}

#[tokio::test]
async fn rejected_credentials_are_logged_but_not_returned() {
    let acme = AcmeService::new();
    let service = Service::start(
        child::example_of("axum_service", &acme.stytch).env("STYTCH_SECRET", "wrong"),
    );
    let request = service.request(Method::PUT, &acme.path(), &token_cookie(&acme.ada), RENAME);
    let problem = ServiceResponse::to(request).await.problem(500);
    assert_eq!(problem["detail"], "An internal error occurred. Nothing was changed.");
    assert_eq!(problem.get("type"), None);
    assert!(!problem.to_string().to_lowercase().contains("credential"), "{problem}");
    service.logged_with("Stytch rejected the project id or secret").await;
}
