//! Reads whose response ends early or doesn't come: they change nothing, so they are retried.

use crate::support::prelude::*;

#[tokio::test]
async fn interrupted_list_is_retryable() {
    let project = ScriptedProject::successful().await;
    project.respond(GetConnections, steps::truncated(200, 99, "{"));
    let error = project.client().as_member(session()).connections().await.unwrap_err();
    assert_eq!(facts(&error), (UnexpectedResponse, Some(200), NotApplied));
    assert_eq!((error.attempts(), error.is_retryable()), (3, true));
    // The JWKS and three attempts.
    assert_eq!(project.server.count("GET"), 4);
}

#[tokio::test]
async fn list_timeout_reports_waiting_for_the_response() {
    // Signed first: signing may outlast the attempt timeout.
    let session = session();
    let project = ScriptedProject::successful().await;
    project.respond(GetConnections, vec![Step::Hang]);
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
