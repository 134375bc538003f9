//! Reads whose response ends early or doesn't come: they change nothing, so they are retried.

use std::time::Duration;

use stytch_sso_external::{Outcome, RetryPolicy, Session};

use crate::support::{
    fast_time::accelerate,
    scripted_project::{self, ScriptedProject, variant},
    scripted_server::Request,
    steps::{self, Step, Steps},
};

#[tokio::test]
async fn interrupted_authenticate_is_retried() {
    let authenticate = |request: &Request, before: usize| {
        if before == 0 {
            truncated()
        } else {
            scripted_project::successful_authenticate(request, before)
        }
    };
    let update = |_: &Request, _: usize| steps::json(200, &scripted_project::updated());
    let project =
        ScriptedProject::scripted(scripted_project::successful_jwks, authenticate, update).await;
    scripted_project::update_as(&project.client(), Session::token(scripted_project::TOKEN))
        .await
        .unwrap();
    assert_eq!((project.server.count("POST"), project.updates()), (2, 1));
}

#[tokio::test]
async fn interrupted_list_is_retryable() {
    let project = project_with_list(truncated()).await;
    let error =
        project.client().as_member(scripted_project::session()).connections().await.unwrap_err();
    assert_eq!(variant(&error), "UnexpectedResponse");
    assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(200), 3));
    assert!(error.is_retryable());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    // The JWKS and three attempts.
    assert_eq!(project.server.count("GET"), 4);
}

#[tokio::test]
async fn interrupted_update_is_not_retried() {
    let project = ScriptedProject::start(|_, _| truncated()).await;
    let error = scripted_project::update(&project.client()).await.unwrap_err();
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::Applied, false));
    assert_eq!(project.updates(), 1);
}

/// What followed may have changed its meaning, so a complete error is no denial.
#[tokio::test]
async fn complete_error_in_an_interrupted_body_is_unexpected() {
    let body = r#"{"error_type":"session_authorization_error","request_id":"request-id-test-1"}"#;
    let length = body.len() + 1;
    let head = format!(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    let steps = vec![Step::Send((head + body).into()), Step::Close];
    let project = ScriptedProject::start(move |_, _| steps.clone()).await;
    let error = scripted_project::update(&project.client()).await.unwrap_err();
    assert_eq!(variant(&error), "UnexpectedResponse", "{error:?}");
    assert_eq!(error.request_id(), Some("request-id-test-1"));
    assert_eq!(error.error_type(), Some("session_authorization_error"));
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::NotApplied, false));
    assert_eq!(project.updates(), 1);
}

#[tokio::test]
async fn list_timeout_reports_waiting_for_the_response() {
    // Signed first: signing may outlast the attempt timeout.
    let session = scripted_project::session();
    let project = project_with_list(vec![Step::Hang]).await;
    let settings = project.builder().retry(RetryPolicy::disabled());
    let client = settings.attempt_timeout(Duration::from_secs(1)).build().unwrap();
    accelerate();
    let error = client.as_member(session).connections().await.unwrap_err();
    assert_eq!(error.reason(), "timed out while waiting for the response");
    // Finding that out gives the request no body.
    let sent = project.server.requests().pop().unwrap();
    let mut names = sent.headers.iter().map(|(name, _)| &**name);
    assert!(!names.any(|name| ["content-length", "transfer-encoding"].contains(&name)));
}

/// A project whose list of connections gets this response.
async fn project_with_list(list: Steps) -> ScriptedProject {
    let get = move |request: &Request, before: usize| {
        let is_jwks = request.target.contains("/jwks/");
        if is_jwks { scripted_project::successful_jwks(request, before) } else { list.clone() }
    };
    ScriptedProject::scripted(get, scripted_project::successful_authenticate, |_, _| {
        vec![Step::Close]
    })
    .await
}

fn truncated() -> Steps {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    vec![Step::Send(head.into()), Step::Close]
}
