//! Reads whose response ends early or doesn't come: they change nothing, so they are retried.

use std::time::Duration;

use stytch_sso_external::{Outcome, RetryPolicy, Session};

use crate::support::{
    hostile::Request,
    lab::{self, Lab, variant},
    play::{self, Act, Play},
};

#[tokio::test]
async fn interrupted_authenticate_is_retried() {
    let authenticate = |request: &Request, before: usize| {
        if before == 0 { truncated() } else { lab::successful_authenticate(request, before) }
    };
    let update = |_: &Request, _: usize| play::json(200, &lab::updated());
    let lab = Lab::scripted(lab::successful_jwks, authenticate, update).await;
    lab::update_as(&lab.client(), Session::token(lab::TOKEN)).await.unwrap();
    assert_eq!((lab.server.count("POST"), lab.updates()), (2, 1));
}

#[tokio::test]
async fn interrupted_list_is_retryable() {
    let lab = lab_with_list(truncated()).await;
    let error = lab.client().as_member(lab::session()).connections().await.unwrap_err();
    assert_eq!(variant(&error), "UnexpectedResponse");
    assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(200), 3));
    assert!(error.is_retryable());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    // The JWKS and three attempts.
    assert_eq!(lab.server.count("GET"), 4);
}

#[tokio::test]
async fn interrupted_update_is_not_retried() {
    let lab = Lab::start(|_, _| truncated()).await;
    let error = lab::update(&lab.client()).await.unwrap_err();
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::Applied, false));
    assert_eq!(lab.updates(), 1);
}

#[tokio::test]
async fn list_without_a_response_was_not_connecting() {
    // Made before the time of an attempt begins.
    let session = lab::session();
    let lab = lab_with_list(vec![Act::Hang]).await;
    let settings = lab.builder().retry(RetryPolicy::disabled());
    let client = settings.attempt_timeout(Duration::from_secs(1)).build().unwrap();
    let error = client.as_member(session).connections().await.unwrap_err();
    assert_eq!(error.reason(), "timed out while waiting for the response");
}

/// A project whose list of connections gets this response.
async fn lab_with_list(list: Play) -> Lab {
    let get = move |request: &Request, before: usize| {
        let is_jwks = request.target.contains("/jwks/");
        if is_jwks { lab::successful_jwks(request, before) } else { list.clone() }
    };
    Lab::scripted(get, lab::successful_authenticate, |_, _| vec![Act::Close]).await
}

fn truncated() -> Play {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    vec![Act::Send(head.into()), Act::Close]
}
