//! Errors from `testing` are those of real calls.

use std::panic::{UnwindSafe, catch_unwind};

use crate::support::prelude::*;

const DAY: u64 = 86_400;

/// Everything that a caller can learn from an error.
fn all_facts(error: &Error) -> String {
    let call = (error.operation(), error.is_retryable(), error.attempts(), error.reason());
    let response = (error.retry_after(), error.error_details(), error.body_snippet());
    format!("{:?} {:?} {call:?} {response:?}", facts(error), texts(error))
}

async fn real(steps: Steps) -> Error {
    let project = ScriptedProject::responding(steps).await;
    // A JWT that Stytch rejects would be renewed first.
    update_as(&project.client_without_retries(), token()).await.unwrap_err()
}

#[tokio::test]
async fn constructed_error_equals_the_error_of_the_same_response() {
    let documented = responses::documented().into_iter().map(|error| {
        let status = error.status_code.and_then(|status| u16::try_from(status).ok());
        (status.unwrap(), serde_json::to_string(&error).unwrap())
    });
    let odd = [(200, "{}"), (200, ""), (204, ""), (302, ""), (403, "<html>"), (503, "{\"a\":1}")];
    let odd = odd.map(|(status, body)| (status, body.to_owned()));
    for (status, body) in documented.chain(odd) {
        let (made, real) = (testing::error(UPDATE, status, &body), steps::http(status, "", &body));
        assert_eq!(all_facts(&made), all_facts(&self::real(real).await), "{body}");
    }

    let late = "Fri, 31 Dec 9999 23:59:59 GMT";
    for (value, seconds) in
        [("7", 7), ("86401", DAY), ("99999999999999999999999", DAY), (late, DAY)]
    {
        let headers = headers_of(&[("retry-after", value)]);
        let made = testing::error_with_headers(UPDATE, 503, &headers, "");
        let real = real(steps::http(503, &format!("retry-after: {value}\r\n"), "")).await;
        assert_eq!(all_facts(&made), all_facts(&real), "{value}");
        assert_eq!(made.retry_after().unwrap().as_secs(), seconds, "{value}");
    }
}

#[tokio::test]
async fn constructed_transport_error_equals_that_of_a_closed_connection() {
    let made = testing::transport_error(UPDATE, Unknown);
    assert_eq!(all_facts(&made), all_facts(&real(vec![Step::Close]).await));
    let made = testing::transport_error(GetJwks, NotApplied);
    assert_eq!(facts(&made), (Transport, None, NotApplied));
}

#[test]
fn constructing_an_impossible_error_panics() {
    let updated = updated().to_string();
    assert_panics("this response is a success", || testing::error(UPDATE, 200, &updated));
    assert_panics("an HTTP status is from 100 to 999", || testing::error(UPDATE, 1000, ""));
    for (operation, outcome) in
        [(UPDATE, Applied), (AuthenticateSession, Applied), (GetJwks, Unknown)]
    {
        let expected = format!("{operation} without a response can't have the outcome {outcome:?}");
        assert_panics(&expected, || testing::transport_error(operation, outcome));
    }
    let other = testing::error(GetJwks, 200, &updated);
    assert_eq!(other.kind(), UnexpectedResponse);
}

fn assert_panics(expected: &str, case: impl FnOnce() -> Error + UnwindSafe) {
    let panic = catch_unwind(case).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.contains(expected), "{message}");
}
