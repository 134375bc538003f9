//! What a response means, or its absence: success, or which error, with which outcome and
//! whether to retry.
//!
//! The HTTP status decides success or failure; the body never overrides it. Everything in a
//! body is untrusted: it is decoded as far as possible, and text of unknown origin goes into
//! nothing but the snippet.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};

use super::{
    body as error_body,
    error::{Error, ErrorContext, Source},
    kind::{ErrorKind, Outcome},
    rbac,
};
use crate::wire::{Operation, ResponseBody, types};

/// The body of a response with a status of success, decoded.
pub(crate) struct Success<T> {
    pub(crate) status: StatusCode,
    pub(crate) body: T,
}

impl<T: ResponseBody> Success<T> {
    /// The error of a success whose content can't be used, or lacks what was requested.
    pub(crate) fn unusable(
        &self,
        kind: ErrorKind,
        operation: Operation,
        reason: impl Into<Cow<'static, str>>,
    ) -> Error {
        let request_id = Some(self.body.request_id()).filter(|id| !id.is_empty());
        let request_id = request_id.map(str::to_owned);
        let context = ErrorContext {
            // The response is about another resource, so it doesn't show the outcome.
            outcome: outcome(operation, true, None, false),
            status: Some(self.status),
            body: Arc::new(types::ErrorBody { request_id, ..types::ErrorBody::default() }),
            attempts: 1,
            ..ErrorContext::new(kind, operation, reason)
        };
        context.into_error(None)
    }
}

/// A response before it is interpreted.
#[derive(Clone)]
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) body_error: Option<BodyError>,
    /// The field at which decoding a success failed.
    pub(crate) field_error: Option<String>,
}

/// Why a body is incomplete.
#[derive(Clone)]
pub(crate) enum BodyError {
    /// Longer than the limit, in bytes.
    TooLong(usize),
    Interrupted(Source),
}

/// A request without a response.
pub(crate) struct Failure {
    /// Whether any of it may have been sent.
    pub(crate) sent: bool,
    /// Whether a response began whose head is too large.
    pub(crate) head_too_large: bool,
    /// Whether every retry would fail the same way.
    pub(crate) permanent: bool,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) source: Option<Source>,
}

impl Failure {
    /// A failure that may not happen again.
    pub(crate) fn transient(sent: bool, is_timeout: bool) -> Self {
        let reason = match (is_timeout, sent) {
            (true, false) => "timed out while connecting",
            (true, true) => "timed out while waiting for the response",
            (false, false) => "connecting failed",
            (false, true) => "the connection ended before the response was complete",
        };
        let (head_too_large, permanent) = (false, false);
        Self { sent, head_too_large, permanent, reason: reason.into(), source: None }
    }
}

impl RawResponse {
    /// Converts the response to an error.
    pub(crate) fn to_error(&self, operation: Operation, now: SystemTime) -> Error {
        let complete =
            if self.body_error.is_none() { error_body::decode(&self.body) } else { None };
        let is_stytch = complete.is_some();
        let (body, reports_error) = complete.unwrap_or_else(|| error_body::find_fields(&self.body));
        let is_error = !self.status.is_success();
        let (kind, reason) =
            if is_error && (is_stytch || self.status == StatusCode::TOO_MANY_REQUESTS) {
                rbac::classify(operation, self.status, &body)
            } else {
                (ErrorKind::UnexpectedResponse, self.why_unexpected(reports_error))
            };
        let retry_after = self.headers.get(RETRY_AFTER);
        let shows_snippet = !is_stytch && !self.body.is_empty() && !carries_secrets(operation);
        let context = ErrorContext {
            outcome: outcome(operation, true, Some(self.status), reports_error),
            status: Some(self.status),
            retry_after: retry_after.and_then(|value| parse_retry_after(value, now)),
            body: Arc::new(body),
            body_snippet: shows_snippet.then(|| snippet(&self.body).into()),
            source: self.interruption(),
            ..ErrorContext::new(kind, operation, reason)
        };
        let is_interrupted_read = self.interruption().is_some() && !operation.is_change();
        context.into_error(is_interrupted_read.then_some(true))
    }

    fn why_unexpected(&self, reports_error: bool) -> Cow<'static, str> {
        match (&self.body_error, &self.field_error) {
            (Some(BodyError::TooLong(limit)), _) => {
                format!("the body is longer than {limit} bytes (max_response_bytes)").into()
            }
            (Some(BodyError::Interrupted(_)), _) => "the body was interrupted".into(),
            _ if self.status == StatusCode::NOT_MODIFIED => {
                "HTTP 304 Not Modified in response to a request without a condition".into()
            }
            _ if self.status.is_redirection() => {
                "redirects are not followed, since credentials go to the configured host only"
                    .into()
            }
            _ if self.is_encoded() => {
                "the body has a Content-Encoding that was not requested".into()
            }
            _ if reports_error && self.status.is_success() => {
                "the body reports an error under a status of success".into()
            }
            (None, Some(field_error)) => field_error.clone().into(),
            _ => match self.headers.get(CONTENT_TYPE).map(HeaderValue::to_str) {
                _ if self.body.is_empty() => "expected JSON, got an empty body".into(),
                Some(Ok(media_type)) if !media_type.contains("json") => {
                    format!("expected JSON, got {}", loggable_media_type(media_type)).into()
                }
                _ => "expected Stytch's JSON format, got other content".into(),
            },
        }
    }

    fn is_encoded(&self) -> bool {
        let encoding = self.headers.get(CONTENT_ENCODING);
        encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    }

    fn interruption(&self) -> Option<Source> {
        match &self.body_error {
            Some(BodyError::Interrupted(error)) => Some(Arc::clone(error)),
            _ => None,
        }
    }
}

/// The error of a request without a response.
pub(crate) fn no_response(operation: Operation, failure: Failure) -> Error {
    let kind =
        if failure.head_too_large { ErrorKind::UnexpectedResponse } else { ErrorKind::Transport };
    let context = ErrorContext {
        outcome: outcome(operation, failure.sent, None, false),
        source: failure.source,
        ..ErrorContext::new(kind, operation, failure.reason)
    };
    context.into_error((kind == ErrorKind::Transport).then_some(!failure.permanent))
}

/// Whether the responses of an operation carry secrets, such as the client secret of an OIDC
/// connection: then no part of a body goes into an error. A new operation stops the build here.
pub(crate) fn carries_secrets(operation: Operation) -> bool {
    match operation {
        Operation::GetConnections | Operation::AuthenticateSession => true,
        Operation::UpdateExternalConnection
        | Operation::GetJwks
        | Operation::GetRbacPolicy
        | Operation::GetOrganizationRbacPolicy => false,
    }
}

/// Whether a body reports an error, for an operation whose success type would also decode it.
pub(crate) fn is_error_body(operation: Operation, body: &[u8]) -> bool {
    operation.rejects_error_bodies()
        && error_body::decode(body).is_some_and(|(_, reports_error)| reports_error)
}

/// Whether a request changed anything at Stytch. The one place that decides it.
fn outcome(
    operation: Operation,
    sent: bool,
    status: Option<StatusCode>,
    reports_error: bool,
) -> Outcome {
    match status {
        _ if !operation.is_change() || !sent => Outcome::NotApplied,
        Some(status) if status.is_success() && !reports_error => Outcome::Applied,
        // A gateway that gives up may have passed the request on.
        Some(StatusCode::REQUEST_TIMEOUT) => Outcome::Unknown,
        Some(status) if status.is_client_error() => Outcome::NotApplied,
        _ => Outcome::Unknown,
    }
}

/// Parses a `Retry-After` header, in seconds or as an HTTP date. A longer time than a day counts as
/// one.
fn parse_retry_after(retry_after: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = retry_after.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large is a very long time, not an invalid value.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)).min(DAY));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(now).unwrap_or_default().min(DAY))
}

/// The media type of a response for an error message, which contains no text of a server
/// beyond the few types that gateways send.
fn loggable_media_type(media_type: &str) -> &'static str {
    let known = ["text/html", "text/plain", "application/xml", "text/xml"];
    known.into_iter().find(|known| media_type.starts_with(known)).unwrap_or("another media type")
}

fn snippet(body: &Bytes) -> String {
    let mut text = String::from_utf8_lossy(body.get(..SNIPPET_BYTES).unwrap_or(body)).into_owned();
    // The replacement of an invalid byte has three bytes.
    while text.len() > SNIPPET_BYTES {
        text.pop();
    }
    text
}

const SNIPPET_BYTES: usize = 512;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
