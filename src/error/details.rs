//! The details of an error. Every [`Error`](crate::Error) carries it.
//!
//! `Debug` shows only what can't be a secret: no body, no header, and of the server's text
//! only error types and request ids that look like Stytch's.

use std::{borrow::Cow, error, fmt, sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::Value;

use crate::wire::Operation;

/// Whether a failed call may have changed anything at Stytch.
///
/// Covers all attempts of the call: an update that one attempt may have applied stays
/// [`Unknown`](Self::Unknown) although Stytch rejected the last attempt. A read is always
/// [`NotApplied`](Self::NotApplied).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no fourth case, and callers should handle all three"
)]
pub enum Outcome {
    /// Nothing was changed: Stytch rejected the update, or it was never sent.
    NotApplied,
    /// The update was sent and no response shows whether Stytch applied it. An update sets
    /// values, so sending it again is safe unless somebody else changes the same connection.
    Unknown,
    /// The HTTP status reports success, but the response can't be decoded.
    ///
    /// Any server that responds with 2xx counts, a captive portal too: see
    /// [`Error::body_snippet`](crate::Error::body_snippet).
    Applied,
}

/// The details of an error: the operation, the reason, the outcome, the HTTP status, the fields
/// of Stytch's error.
///
/// [`Error`](crate::Error) has the same methods.
#[derive(Clone)]
pub struct Details(Arc<ErrorContext>);

#[derive(Clone)]
pub(crate) struct ErrorContext {
    pub(crate) operation: Operation,
    /// What failed, without text of a response.
    pub(crate) reason: Cow<'static, str>,
    pub(crate) outcome: Outcome,
    pub(crate) retryable: bool,
    pub(crate) repeat: Repeat,
    pub(crate) status: Option<StatusCode>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: ErrorBody,
    pub(crate) body_snippet: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) source: Option<Source>,
}

/// The cause of an error. Shared, because callers of one request get the same error.
pub(crate) type Source = Arc<dyn error::Error + Send + Sync>;

/// Whether a call makes another attempt after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    IfRetryable,
    /// No time was left for another attempt.
    OutOfTime,
    /// The time ended in a wait before an attempt, which was not made.
    OutOfTimeUnsent,
}

/// The fields of Stytch's error JSON that are present and have the right type.
#[derive(Clone, Default)]
pub(crate) struct ErrorBody {
    pub(crate) request_id: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) error_url: Option<String>,
    pub(crate) error_details: Option<Value>,
}

impl ErrorContext {
    /// The context of a failure without a response, which changed nothing and isn't retryable.
    pub(crate) fn new(operation: Operation, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            operation,
            reason: reason.into(),
            outcome: Outcome::NotApplied,
            retryable: false,
            repeat: Repeat::IfRetryable,
            status: None,
            retry_after: None,
            body: ErrorBody::default(),
            body_snippet: None,
            attempts: 0,
            source: None,
        }
    }
}

impl Details {
    pub(crate) fn context(&self) -> &ErrorContext {
        &self.0
    }

    pub(crate) fn context_mut(&mut self) -> &mut ErrorContext {
        Arc::make_mut(&mut self.0)
    }
}

impl From<ErrorContext> for Details {
    fn from(context: ErrorContext) -> Self {
        Self(Arc::new(context))
    }
}

/// Defines the accessors of a type whose `context()` is an [`ErrorContext`].
macro_rules! accessors {
    ($type:ty) => {
        impl $type {
            /// Returns the operation that failed.
            ///
            /// For a response of Stytch or a failed request it is the operation of that
            /// request: [`AuthenticateSession`](crate::Operation::AuthenticateSession) if
            /// resolving the session failed inside an update. For input that is rejected
            /// locally and for a wait that ran out of time it is the operation that the caller
            /// called.
            #[must_use]
            pub fn operation(&self) -> crate::Operation {
                self.context().operation
            }

            /// Returns what failed, in this crate's own text. Always present; contains no text
            /// of a response and no credential.
            #[must_use]
            pub fn reason(&self) -> &str {
                &self.context().reason
            }

            /// Returns the HTTP status of the response, or `None` if there was none.
            #[must_use]
            pub fn status(&self) -> Option<http::StatusCode> {
                self.context().status
            }

            /// Returns Stytch's `request_id`, which their support asks for.
            #[must_use]
            pub fn request_id(&self) -> Option<&str> {
                self.context().body.request_id.as_deref()
            }

            /// Returns Stytch's `error_type`, known to this crate or not. An OAuth endpoint's
            /// `error` counts as one
            /// ([list of error types](https://stytch.com/docs/b2b/api/errors)).
            #[must_use]
            pub fn error_type(&self) -> Option<&str> {
                self.context().body.error_type.as_deref()
            }

            /// Returns Stytch's `error_message`. Untrusted text: escape it before it goes into
            /// HTML.
            #[must_use]
            pub fn error_message(&self) -> Option<&str> {
                self.context().body.error_message.as_deref()
            }

            /// Returns Stytch's `error_url`, where the error is documented.
            #[must_use]
            pub fn error_url(&self) -> Option<&str> {
                self.context().body.error_url.as_deref()
            }

            /// Returns Stytch's `error_details`, whose shape depends on the error type.
            #[must_use]
            pub fn error_details(&self) -> Option<&serde_json::Value> {
                self.context().body.error_details.as_ref()
            }

            /// Returns how long the server asks to wait: the `Retry-After` header, in seconds
            /// or as a date.
            #[must_use]
            pub fn retry_after(&self) -> Option<std::time::Duration> {
                self.context().retry_after
            }

            /// Returns the first 512 bytes of a body that isn't Stytch's JSON. `None` for
            /// `GetConnections` and `AuthenticateSession`, whose responses carry secrets.
            /// Untrusted text that may contain anything; this crate never logs it.
            #[must_use]
            pub fn body_snippet(&self) -> Option<&str> {
                self.context().body_snippet.as_deref()
            }

            /// Returns whether the same call may succeed later: after a rate limit, a timeout
            /// or failure of the network, and the statuses 408, 429, 502, 503 and 504.
            #[must_use]
            pub fn is_retryable(&self) -> bool {
                self.context().retryable
            }

            /// Returns whether the call may have changed anything at Stytch, over all of its
            /// attempts.
            #[must_use]
            pub fn outcome(&self) -> crate::Outcome {
                self.context().outcome
            }

            /// Returns how many attempts were made; 0 if the call failed before the first one.
            /// If `sessions/authenticate` failed within an update, the number of its attempts or
            /// of the update's, whichever is more.
            #[must_use]
            pub fn attempts(&self) -> u32 {
                self.context().attempts
            }
        }
    };
}

pub(crate) use accessors;

accessors!(Details);

impl ErrorContext {
    /// The error type, if it can go into logs and traces.
    pub(crate) fn loggable_error_type(&self) -> Option<&str> {
        // An opaque token has no underscore, and a project secret has hyphens.
        let looks_like_stytch = |text: &&str| text.contains('_') && !text.contains('-');
        self.body.error_type.as_deref().filter(looks_like_stytch).filter(|text| is_plain(text))
    }

    /// The request id, if it can go into logs and traces.
    pub(crate) fn loggable_request_id(&self) -> Option<&str> {
        self.body.request_id.as_deref().and_then(loggable_request_id)
    }
}

/// Returns a request id that looks like Stytch's.
pub(crate) fn loggable_request_id(request_id: &str) -> Option<&str> {
    (request_id.starts_with("request-id-") && is_plain(request_id)).then_some(request_id)
}

/// Whether text has only characters of ids and error types. A server may send anything in
/// their place, a credential too, and that must not get into a log.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.len() <= 100 && text.bytes().all(plain)
}

impl fmt::Display for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.reason)?;
        let parts = [
            self.status.map(|status| format!("HTTP {}", status.as_u16())),
            self.loggable_error_type().map(str::to_owned),
            self.loggable_request_id().map(str::to_owned),
            (self.attempts > 1).then(|| format!("{} attempts", self.attempts)),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { Ok(()) } else { write!(f, " ({})", parts.join(", ")) }
    }
}

impl ErrorContext {
    pub(crate) fn debug_fields(&self, shown: &mut fmt::DebugStruct<'_, '_>) -> fmt::Result {
        shown
            .field("operation", &self.operation)
            .field("reason", &self.reason)
            .field("outcome", &self.outcome)
            .field("retryable", &self.retryable)
            .field("status", &self.status.map(|status| status.as_u16()))
            .field("error_type", &self.loggable_error_type())
            .field("request_id", &self.loggable_request_id())
            .field("retry_after", &self.retry_after)
            .field("attempts", &self.attempts)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context().debug_fields(&mut f.debug_struct("Details"))
    }
}
