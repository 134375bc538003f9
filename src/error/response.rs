//! What a response means, or its absence: success, or which error, with which outcome and
//! whether to retry.
//!
//! The HTTP status decides success or failure; the body never overrides it. Everything in a
//! body is untrusted: it is decoded as far as possible, and text of unknown origin goes into
//! nothing but the snippet.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{
    error::{Error, Reason, Source},
    kind::{ErrorKind, Outcome, classify},
};
use crate::wire::{Operation, ResponseBody, generated::ResponseValue, types};

/// The result of an attempt, or of all attempts of a call: a response with a status of success,
/// decoded.
pub(crate) type Attempted<T> = Result<ResponseValue<T>, Error>;

/// The error of a success whose content can't be used.
pub(crate) fn unusable(
    response: &ResponseValue<impl ResponseBody>,
    operation: Operation,
    reason: impl Into<Reason>,
) -> Error {
    let request_id = Some(response.request_id()).filter(|id| !id.is_empty());
    let request_id = request_id.map(str::to_owned);
    Error::new(ErrorKind::UnexpectedResponse, operation, reason).amend(|context| {
        // The response is about another resource, so it doesn't show the outcome.
        context.outcome = outcome(operation, None, false);
        context.status = Some(response.status());
        context.body = Arc::new(types::ErrorBody { request_id, ..Default::default() });
        context.attempts = 1;
    })
}

/// A response before it is interpreted.
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) body_error: Option<BodyError>,
}

/// Why a body is incomplete.
pub(crate) struct BodyError {
    pub(crate) reason: Reason,
    /// The error that interrupted it. `None` if it is too long.
    pub(crate) source: Option<Source>,
}

impl RawResponse {
    /// Decodes a success with `decode`, whose error describes the field that failed. Everything
    /// else becomes an error.
    pub(crate) fn into_result<T>(
        self,
        operation: Operation,
        now: impl FnOnce() -> SystemTime,
        decode: impl FnOnce(&[u8]) -> Result<T, Option<String>>,
    ) -> Result<T, Error> {
        let is_complete_success = self.status.is_success() && self.body_error.is_none();
        let mut bad_field = None;
        if is_complete_success && !is_error_body(operation, &self.body) {
            match decode(&self.body) {
                Ok(body) => return Ok(body),
                Err(error) => bad_field = error,
            }
        }
        Err(self.into_error(operation, now(), bad_field))
    }

    fn into_error(self, operation: Operation, now: SystemTime, bad_field: Option<String>) -> Error {
        let complete = if self.body_error.is_none() { decode(&self.body) } else { None };
        let is_stytch = complete.is_some();
        let body = complete.unwrap_or_else(|| find_fields(&self.body));
        let reports_error = reports_error(&body);
        let is_limited = self.status == StatusCode::TOO_MANY_REQUESTS;
        let (kind, reason) = if !self.status.is_success() && (is_stytch || is_limited) {
            classify(operation, self.status, &body)
        } else {
            (ErrorKind::UnexpectedResponse, self.why_unexpected(reports_error, bad_field))
        };
        let shows_snippet = !is_stytch && !self.body.is_empty() && !carries_secrets(operation);
        let retry_after = self.headers.get(RETRY_AFTER);
        let interruption = self.body_error.and_then(|error| error.source);
        let is_interrupted_read = interruption.is_some() && !operation.is_change();
        Error::new(kind, operation, reason).amend(|context| {
            context.outcome = outcome(operation, Some(self.status), reports_error);
            context.retryable = match kind {
                ErrorKind::RateLimited => true,
                ErrorKind::Api | ErrorKind::UnexpectedResponse => {
                    is_interrupted_read || RETRYABLE.contains(&self.status.as_u16())
                }
                _ => false,
            };
            context.status = Some(self.status);
            context.retry_after = retry_after.and_then(|value| parse_retry_after(value, now));
            context.body = Arc::new(body);
            context.body_snippet = shows_snippet.then(|| snippet(&self.body).into());
            context.source = interruption;
        })
    }

    fn why_unexpected(&self, reports_error: bool, bad_field: Option<String>) -> Reason {
        let encoding = self.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
        match (&self.body_error, bad_field) {
            (Some(error), _) => error.reason.clone(),
            _ if self.status == StatusCode::NOT_MODIFIED => {
                "HTTP 304 Not Modified in response to a request without a condition".into()
            }
            _ if self.status.is_redirection() => {
                "redirects are not followed, since credentials go to the configured host only"
                    .into()
            }
            _ if encoding.is_some_and(|it| !it.eq_ignore_ascii_case(b"identity")) => {
                "the body has a Content-Encoding that was not requested".into()
            }
            _ if reports_error && self.status.is_success() => {
                "the body reports an error under a status of success".into()
            }
            (None, Some(bad_field)) => bad_field.into(),
            _ => match self.headers.get(CONTENT_TYPE).map(HeaderValue::to_str) {
                _ if self.body.is_empty() => "expected JSON, got an empty body".into(),
                Some(Ok(media_type)) if !media_type.contains("json") => {
                    format!("expected JSON, got {}", loggable_media_type(media_type)).into()
                }
                _ => "expected Stytch's JSON format, got other content".into(),
            },
        }
    }
}

/// The error of a request without a response, of which something may have been `sent`. Retryable.
pub(crate) fn no_response(operation: Operation, sent: bool, is_timeout: bool) -> Error {
    let reason = match (is_timeout, sent) {
        (true, false) => "timed out while connecting",
        (true, true) => "timed out while waiting for the response",
        (false, false) => "connecting failed",
        (false, true) => "the connection ended before the response was complete",
    };
    let outcome = if sent { outcome(operation, None, false) } else { Outcome::NotApplied };
    Error::new(ErrorKind::Transport, operation, reason).amend(|context| context.outcome = outcome)
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
    operation.rejects_error_bodies() && decode(body).is_some_and(|body| reports_error(&body))
}

/// Whether a request that was sent changed anything at Stytch. The one place that decides it.
fn outcome(operation: Operation, status: Option<StatusCode>, reports_error: bool) -> Outcome {
    match status {
        _ if !operation.is_change() => Outcome::NotApplied,
        Some(status) if status.is_success() && !reports_error => Outcome::Applied,
        // A gateway that gives up may have passed the request on.
        Some(StatusCode::REQUEST_TIMEOUT) => Outcome::Unknown,
        Some(status) if status.is_client_error() => Outcome::NotApplied,
        _ => Outcome::Unknown,
    }
}

/// Decodes an error body of Stytch, in which a field of the wrong type costs only that field. `None`
/// if the body is something else.
fn decode(body: &[u8]) -> Option<types::ErrorBody> {
    // An invalid byte in a message must not cost the rest.
    let text = String::from_utf8_lossy(body);
    let fields: HashMap<String, &RawValue> = serde_json::from_str(&text).ok()?;
    let raw = |name| fields.get(name).map(|value| value.get());
    let string = |names: [_; 2]| names.into_iter().find_map(|name| parse(raw(name)?));
    // A field that is added to the document stops the build here: decode it.
    let body = types::ErrorBody {
        status_code: raw("status_code").and_then(parse),
        request_id: raw("request_id").and_then(parse),
        error_type: string(["error_type", "error"]),
        error_message: string(["error_message", "error_description"]),
        error_url: string(["error_url", "error_uri"]),
        error_details: raw("error_details")
            .filter(|details| details.len() <= MAX_DETAILS_BYTES)
            .and_then(parse),
        error: None,
        error_description: None,
        error_uri: None,
    };
    let of_stytch = [&body.error_type, &body.error_message, &body.request_id];
    of_stytch.iter().any(|field| field.is_some()).then_some(body)
}

/// Whether a body reports an error, whatever the HTTP status.
fn reports_error(body: &types::ErrorBody) -> bool {
    let names_one = body.error_type.is_some() || body.error_message.is_some();
    names_one || body.status_code.is_some_and(|status| status >= 400)
}

/// Parses the JSON of one field; `None` if it has another type, or is null.
fn parse<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str::<Option<T>>(json).ok()?
}

/// Finds the fields that matter most in a body that can't be decoded, for example a truncated one:
/// `request_id`, which support asks for, and `error_type`, which names the failure.
fn find_fields(body: &[u8]) -> types::ErrorBody {
    let text = String::from_utf8_lossy(body);
    types::ErrorBody {
        status_code: find(&text, r#""status_code""#),
        request_id: find(&text, r#""request_id""#),
        error_type: find(&text, r#""error_type""#),
        ..types::ErrorBody::default()
    }
}

fn find<T: DeserializeOwned>(text: &str, key: &str) -> Option<T> {
    text.match_indices(key).find_map(|(at, _)| {
        let value = text.get(at + key.len()..)?.trim_start().strip_prefix(':')?;
        serde_json::Deserializer::from_str(value).into_iter().next()?.ok()
    })
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

/// The statuses of transient failures.
const RETRYABLE: [u16; 5] = [408, 429, 502, 503, 504];
const SNIPPET_BYTES: usize = 512;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// As a value, JSON takes up to 72 times its length in memory.
const MAX_DETAILS_BYTES: usize = 16 * 1024;
