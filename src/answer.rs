//! What an answer means that isn't the documented success: which error, and whether the
//! update may have been applied. And what it means when none comes.
//!
//! An answer is believed by its HTTP status. What its body says goes to `rbac.rs` if it is
//! Stytch's, and else nowhere but into an excerpt.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::{
    error::{Error, Known, Outcome, Said},
    rbac::{self, UPDATE},
};

/// An answer as it came, before anybody made sense of it.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<HeaderValue>,
    pub(crate) body: Bytes,
    pub(crate) cut: Option<Cut>,
}

/// Why a body isn't whole.
#[derive(Clone)]
pub(crate) enum Cut {
    TooLong(usize),
    Broken(Arc<reqwest::Error>),
}

impl Answer {
    /// The error that this answer is. `stuck` is the line and column where the decoder of a
    /// success gave up.
    pub(crate) fn error(&self, operation_id: &'static str, stuck: Option<(usize, usize)>) -> Error {
        let read = if self.cut.is_none() { Said::read(&self.body) } else { None };
        let is_stytch = read.is_some();
        let said = read.unwrap_or_else(|| Said::salvage(&self.body));
        let mut known = Known {
            outcome: if operation_id == UPDATE {
                outcome(self.status)
            } else {
                Outcome::NotApplied
            },
            retryable: is_retryable(self.status),
            status: Some(self.status),
            retry_after: self.retry_after.as_ref().and_then(wait),
            excerpt: (!is_stytch && !self.body.is_empty()).then(|| excerpt(&self.body)),
            said,
            ..Known::never_sent("")
        };
        if self.status.is_success() {
            if known.said.is_error && known.outcome == Outcome::Applied {
                known.outcome = Outcome::Unknown;
            }
            known.reason = self.why_unusable(stuck, known.said.is_error);
            known.source = self.broken();
            return Error::UnexpectedResponse(known.into());
        }
        if is_stytch || self.status == StatusCode::TOO_MANY_REQUESTS {
            return rbac::refusal(operation_id, self.status, known);
        }
        known.reason = if self.status.is_redirection() {
            "the answer is a redirect, which isn't followed: credentials go to the configured host only"
        } else {
            "the answer isn't Stytch's JSON"
        }
        .into();
        known.source = self.broken();
        Error::UnexpectedResponse(known.into())
    }

    fn why_unusable(&self, stuck: Option<(usize, usize)>, says_error: bool) -> Cow<'static, str> {
        match (&self.cut, stuck) {
            (Some(Cut::TooLong(limit)), _) => {
                format!("the answer is longer than {limit} bytes").into()
            }
            (Some(Cut::Broken(_)), _) => "the answer broke off".into(),
            _ if says_error => "the answer is an error under a status of success".into(),
            (None, Some((line, column))) => format!(
                "the answer isn't the JSON that was expected, from line {line} column {column}"
            )
            .into(),
            (None, None) => "the answer has a status that isn't documented".into(),
        }
    }

    fn broken(&self) -> Option<Arc<dyn std::error::Error + Send + Sync>> {
        match &self.cut {
            Some(Cut::Broken(error)) => Some(Arc::clone(error) as _),
            _ => None,
        }
    }
}

/// The error where nothing came back. `sent` tells whether anything went out.
pub(crate) fn no_answer(operation_id: &'static str, sent: bool, error: reqwest::Error) -> Error {
    // A timeout doesn't tell what it cut off, but where nothing was sent it was connecting.
    let never_sent = !sent || error.is_connect() || error.is_builder();
    let known = Known {
        outcome: if never_sent || operation_id != UPDATE {
            Outcome::NotApplied
        } else {
            Outcome::Unknown
        },
        retryable: !error.is_builder(),
        source: Some(Arc::new(error.without_url())),
        ..Known::never_sent("")
    };
    let reason = match &known.source {
        _ if known.retryable && never_sent => "no connection to Stytch could be made",
        _ if !known.retryable => "the request can't be built",
        _ => "no answer came",
    };
    Error::Transport(Known { reason: reason.into(), ..known }.into())
}

fn outcome(status: StatusCode) -> Outcome {
    match status {
        status if status.is_success() => Outcome::Applied,
        // Whoever says it may have passed the request on.
        StatusCode::REQUEST_TIMEOUT => Outcome::Unknown,
        status if status.is_client_error() => Outcome::NotApplied,
        _ => Outcome::Unknown,
    }
}

fn is_retryable(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Reads a `Retry-After`, in seconds or as an HTTP date.
fn wait(retry_after: &HeaderValue) -> Option<Duration> {
    let text = retry_after.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large is a very long time, not nonsense.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}

fn excerpt(body: &Bytes) -> String {
    let mut text = String::from_utf8_lossy(body.get(..EXCERPT_BYTES).unwrap_or(body)).into_owned();
    // What takes the place of a byte that is no text has three.
    while text.len() > EXCERPT_BYTES {
        text.pop();
    }
    text
}

const EXCERPT_BYTES: usize = 512;
