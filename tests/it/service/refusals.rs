//! Each refusal and failure as a problem that a caller can act on, and that leaks nothing.

use serde_json::Value;
use stytch_sso_external::testing::{Answer as Scripted, Fault, Operation, responses};

use super::{Acme, RENAME, token_cookie};
use crate::support::service::{Answer, Service};

#[tokio::test]
async fn a_member_without_the_role_is_told_the_action_and_the_resource() {
    let acme = Acme::new();
    let bob = acme.organization.member("bob", &[]).log_in();
    let answer =
        Answer::to(acme.service.put(acme.connection.id(), &token_cookie(&bob), RENAME)).await;
    let problem = answer.problem(403);
    assert_eq!(problem["type"], "tag:example.com,2026:problem/permission-denied");
    assert_eq!(
        (&problem["action"], &problem["resource"]),
        (&"update".into(), &"stytch.sso".into())
    );
    assert_eq!(problem["outcome"], "not_applied");
    let stytch_request_id = problem["stytch_request_id"].as_str().unwrap();
    let logged = acme.service.logged_with(stytch_request_id);
    assert!(logged.contains("refused"), "{logged}");
    assert_eq!(acme.connection.state().display_name, "Acme Okta");
}

#[tokio::test]
async fn ids_that_reach_another_path_are_refused_before_anything_is_sent() {
    let acme = Acme::new();
    for id in ["..", "%2E%2E", ".", "..%5C..%5Cx", "%00"] {
        let answer =
            acme.service.put_raw(&format!("/sso/connections/{id}"), &token_cookie(&acme.ada));
        assert!(answer.starts_with("HTTP/1.1 422"), "{id}: {answer}");
        assert!(answer.contains("It wasn't sent") && answer.contains("not_applied"), "{answer}");
    }
    let answer = acme.service.put_raw("/sso/connections/%FF", &token_cookie(&acme.ada));
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn bodies_that_are_no_change_are_refused_before_anything_is_sent() {
    let acme = Acme::new();
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 422),
        (r#"{"display_name": 1}"#, 422),
        (r#"{"displayname": "x"}"#, 422),
        (r#"{"group_roles": [{"group": "it"}]}"#, 422),
        ("{}", 422),
    ] {
        acme.put(body).await.problem(status);
    }
    acme.put(&"x".repeat(65 * 1024)).await.problem(413);
    assert_eq!(acme.stytch.count(Operation::Update), 0);
}

#[tokio::test]
async fn what_stytch_finds_wrong_is_said_in_our_words() {
    let acme = Acme::new();
    let problem = acme.put(r#"{"connection_roles": ["no_such_role"]}"#).await.problem(422);
    assert_eq!(problem["detail"], "The role no_such_role can't be assigned. Nothing was changed.");
    let problem = acme.put(r#"{"display_name": " "}"#).await.problem(422);
    assert_eq!(problem["detail"], "The name can't be used. Nothing was changed.");
    acme.connection.set_status("pending");
    let problem = acme.rename().await.problem(422);
    assert_eq!(problem["detail"], "The connection isn't active. Nothing was changed.");
}

#[tokio::test]
async fn a_connection_of_others_looks_like_none() {
    let acme = Acme::new();
    let theirs = acme.stytch.organization("other").connection("Other Okta");
    let mut problems = Vec::new();
    for id in [theirs.id(), "external-connection-test-nothing"] {
        let answer = Answer::to(acme.service.put(id, &token_cookie(&acme.ada), RENAME)).await;
        let mut problem = answer.problem(404);
        for member in ["request_id", "stytch_request_id"] {
            assert!(problem[member].take().is_string());
        }
        problems.push(problem);
    }
    assert_eq!(problems[0], problems[1]);
    assert_eq!(theirs.state().display_name, "Other Okta");
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_again() {
    let acme = Acme::new();
    acme.stytch.fault(Operation::Update, Fault::rate_limited().retry_after("61"));
    let answer = acme.rename().await;
    assert_eq!(answer.problem(429)["outcome"], "not_applied");
    assert_eq!(answer.header("retry-after"), "61");
}

#[tokio::test]
async fn an_update_that_may_have_happened_is_called_that() {
    let acme = Acme::new();
    acme.stytch.fault(Operation::Update, Fault::status(500).after_applying());
    let problem = acme.rename().await.problem(502);
    assert_eq!(problem["outcome"], "unknown");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("look at the connection before you try again"), "{detail}");
    assert_eq!(acme.connection.state().display_name, "Renamed");

    acme.stytch.clear_faults();
    acme.stytch.fault(Operation::Update, Fault::answer(Scripted::html(200, "<h1>Hello</h1>")));
    let problem = acme.rename().await.problem(502);
    assert_eq!(problem["outcome"], "applied");
}

#[tokio::test]
async fn what_others_say_stays_out() {
    let acme = Acme::new();
    let words = "<script>alert(1)</script> at db-7.internal";
    let mut error = responses::error(400, words, words);
    error.request_id = Some(words.into());
    for scripted in
        [Scripted::html(500, words), Scripted::error(&error), Scripted::html(403, words)]
    {
        acme.stytch.clear_faults();
        acme.stytch.fault(Operation::Update, Fault::answer(scripted));
        let answer = acme.rename().await;
        assert!(answer.status >= 400);
        let problem = answer.problem(answer.status);
        assert_eq!(problem.get("stytch_request_id"), None);
        let logged = acme.service.logged_with(answer.header("x-request-id"));
        let said = format!("{}{logged}", answer.text);
        assert!(!said.contains("script") && !said.contains("internal"), "{said}");
    }
}

#[tokio::test]
async fn our_own_mistakes_are_told_without_their_cause() {
    let acme = Acme::new();
    let service = Service::start(Service::command(&acme.stytch).env("STYTCH_SECRET", "wrong"));
    let request = service.put(acme.connection.id(), &token_cookie(&acme.ada), RENAME);
    let answer = Answer::to(request).await;
    let problem = answer.problem(500);
    assert_eq!(problem["detail"], "Something is wrong on our side. Nothing was changed.");
    assert_eq!(problem.get("type"), None);
    let tells = |value: &Value| value.to_string().to_lowercase().contains("credential");
    assert!(!tells(&problem));
    service.logged_with("credentials are wrong");
}
