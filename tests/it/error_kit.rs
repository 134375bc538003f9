//! Errors from `testing` are those of real calls.

use std::panic::{UnwindSafe, catch_unwind};

use http::{HeaderMap, HeaderValue, StatusCode};
use stytch_sso_external::{
    Error, Operation, Outcome, Session,
    testing::{self, responses},
};

use crate::support::{
    scripted_project::{self, ScriptedProject, variant},
    steps::{self, Steps},
};

const UPDATE: Operation = Operation::UpdateExternalConnection;

/// What a caller can learn from an error.
fn facts(error: &Error) -> String {
    let facts = (error.operation(), error.status(), error.request_id(), error.error_type());
    let more = (error.retry_after(), error.is_retryable(), error.outcome(), error.attempts());
    let text = (error.error_message(), error.error_details(), error.body_snippet());
    format!("{} {} {facts:?} {more:?} {text:?}", variant(error), error.reason())
}

async fn real(steps: Steps) -> Error {
    let project = ScriptedProject::responding(steps).await;
    let client =
        project.builder().retry(stytch_sso_external::RetryPolicy::disabled()).build().unwrap();
    // A JWT that Stytch rejects would be renewed first.
    let session = Session::token(scripted_project::TOKEN);
    scripted_project::update_as(&client, session).await.unwrap_err()
}

#[tokio::test]
async fn constructed_error_equals_the_error_of_the_same_response() {
    let mut bodies: Vec<(u16, String)> = responses::documented()
        .into_iter()
        .map(|error| {
            let status = error.status_code.and_then(|status| u16::try_from(status).ok());
            (status.unwrap(), serde_json::to_string(&error).unwrap())
        })
        .collect();
    let odd = [(200, "{}"), (200, ""), (204, ""), (302, ""), (403, "<html>"), (503, "{\"a\":1}")];
    bodies.extend(odd.map(|(status, body)| (status, body.to_owned())));
    for (status, body) in bodies {
        let made = testing::error(UPDATE, status, &body);
        assert_eq!(facts(&made), facts(&real(steps::http(status, "", &body)).await), "{body}");
    }

    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    let made = testing::error_with_headers(UPDATE, 503, &headers, "");
    assert_eq!(facts(&made), facts(&real(steps::http(503, "retry-after: 7\r\n", "")).await));
    assert_eq!(made.retry_after().unwrap().as_secs(), 7);
}

#[tokio::test]
async fn constructed_transport_error_equals_that_of_a_closed_connection() {
    let made = testing::transport_error(UPDATE, Outcome::Unknown);
    assert_eq!(facts(&made), facts(&real(vec![steps::Step::Close]).await));
    let made = testing::transport_error(Operation::GetJwks, Outcome::NotApplied);
    assert_eq!((variant(&made), made.outcome()), ("Transport".into(), Outcome::NotApplied));
}

#[test]
fn constructing_an_impossible_error_panics() {
    let updated = scripted_project::updated().to_string();
    assert_panics("this response is a success", || testing::error(UPDATE, 200, &updated));
    assert_panics("an HTTP status is from 100 to 999", || testing::error(UPDATE, 1000, ""));
    for (operation, outcome) in [
        (UPDATE, Outcome::Applied),
        (Operation::AuthenticateSession, Outcome::Applied),
        (Operation::GetJwks, Outcome::Unknown),
    ] {
        let expected = format!("{operation} without a response can't have the outcome {outcome:?}");
        assert_panics(&expected, || testing::transport_error(operation, outcome));
    }
    let other = testing::error(Operation::GetJwks, StatusCode::OK.as_u16(), &updated);
    assert_eq!(variant(&other), "UnexpectedResponse");
}

fn assert_panics(expected: &str, case: impl FnOnce() -> Error + UnwindSafe) {
    let panic = catch_unwind(case).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.contains(expected), "{message}");
}
