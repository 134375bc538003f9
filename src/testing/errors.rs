//! Errors for unit tests of a caller's own error handling, made by the classification that
//! responses of Stytch go through.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::response::Body;
use crate::{
    Error, Operation, Outcome,
    error::{RawResponse, response},
    wire::decode_success,
};

/// Returns the error that a response with this status and body becomes. The body is text, bytes, or
/// an error of [`responses`](super::responses).
///
/// ```
/// use stytch_sso_external::{Error, ErrorKind, Operation, testing};
///
/// fn message(error: &Error) -> &'static str {
///     match error.kind() {
///         ErrorKind::PermissionDenied { .. } => "ask an administrator",
///         ErrorKind::NotFound => "no such connection",
///         _ => "retry later",
///     }
/// }
///
/// let body = testing::responses::permission_denied();
/// let denied = testing::error(Operation::UpdateExternalConnection, 403, &body);
/// assert_eq!(message(&denied), "ask an administrator");
/// let bad_gateway = testing::error(Operation::UpdateExternalConnection, 502, "<html>");
/// assert_eq!(message(&bad_gateway), "retry later");
/// ```
///
/// # Panics
///
/// Panics if the status isn't from 100 to 999, or if the response is a success.
pub fn error(operation: Operation, status: u16, body: impl Into<Body>) -> Error {
    error_with_headers(operation, status, &HeaderMap::new(), body)
}

/// Returns the error that a response with this status, these headers and this body becomes.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
/// use stytch_sso_external::{Operation, testing};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(RETRY_AFTER, HeaderValue::from_static("30"));
/// let error = testing::error_with_headers(Operation::GetJwks, 429, &headers, "");
/// assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
/// ```
///
/// # Panics
///
/// Panics if the status isn't from 100 to 999, or if the response is a success.
pub fn error_with_headers(
    operation: Operation,
    status: u16,
    headers: &HeaderMap,
    body: impl Into<Body>,
) -> Error {
    let status = StatusCode::from_u16(status).expect("an HTTP status is from 100 to 999");
    let body = Bytes::from(body.into().into_bytes());
    let headers = headers.clone();
    let response = RawResponse { status, headers, body, body_error: None };
    let decode = |body: &[u8]| decode_success(operation, body);
    let result = response.into_result(operation, SystemTime::now, decode);
    let error = result.expect_err("this response is a success, not an error");
    error.amend(|context| context.attempts = 1)
}

/// Returns the error of a request without a response: one that was never sent
/// ([`Outcome::NotApplied`]), or an update whose connection ended ([`Outcome::Unknown`]).
///
/// ```
/// use stytch_sso_external::{ErrorKind, Operation, Outcome, testing};
///
/// let error = testing::transport_error(Operation::UpdateExternalConnection, Outcome::Unknown);
/// assert!(error.kind() == ErrorKind::Transport && error.is_retryable());
/// assert_eq!(error.outcome(), Outcome::Unknown);
/// ```
///
/// # Panics
///
/// Panics for [`Outcome::Applied`], which needs a response, and for [`Outcome::Unknown`] of an
/// operation that changes nothing.
pub fn transport_error(operation: Operation, outcome: Outcome) -> Error {
    assert!(
        outcome == Outcome::NotApplied || (outcome == Outcome::Unknown && operation.is_change()),
        "a failed request of {operation} without a response can't have the outcome {outcome:?}"
    );
    let error = response::no_response(operation, outcome == Outcome::Unknown, false);
    error.amend(|context| context.attempts = 1)
}
