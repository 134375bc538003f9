//! [`Error`]: what failed, on which operation, why, and whether anything changed.
//!
//! `response.rs` and `kind.rs` decide which kind a response becomes. `Debug` and `Display` show of the
//! server's text only error types and request ids that look like Stytch's.

use std::{borrow::Cow, error, fmt, sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::Value;

use super::kind::{ErrorKind, Outcome};
use crate::wire::{Operation, types};

/// The error of a call.
///
/// Match on [`kind`](Self::kind) to decide what to do, and read [`outcome`](Self::outcome) to
/// learn whether an update may have been applied nonetheless.
///
/// ```
/// use stytch_sso_external::{Error, ErrorKind, Outcome};
///
/// fn advice(error: &Error) -> String {
///     match (error.outcome(), error.kind()) {
///         (Outcome::Applied, _) => "the update was applied".to_owned(),
///         (Outcome::Unknown, _) => "check the connection, then retry".to_owned(),
///         (_, ErrorKind::PermissionDenied { action, resource }) => {
///             format!("ask an admin for a role that grants {action} on {resource}")
///         }
///         (_, ErrorKind::InvalidSession) => "log in again".to_owned(),
///         _ if error.is_retryable() => "retry later".to_owned(),
///         _ => format!("contact support with {:?}", error.request_id()),
///     }
/// }
/// # let _ = advice;
/// ```
///
/// `Display` writes one line with the operation, the reason, the HTTP status, the error type
/// and the request id, without text of a response that could be a secret. Clones are cheap.
#[derive(Clone)]
pub struct Error(Arc<ErrorContext>);

/// What an error carries. A clone shares all that is large.
#[derive(Clone)]
pub(crate) struct ErrorContext {
    pub(crate) kind: ErrorKind,
    pub(crate) operation: Operation,
    pub(crate) reason: Reason,
    pub(crate) outcome: Outcome,
    pub(crate) retryable: bool,
    /// Whether the deadline of the call ended it.
    pub(crate) out_of_time: bool,
    pub(crate) attempts: u32,
    pub(crate) status: Option<StatusCode>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Arc<types::ErrorBody>,
    pub(crate) body_snippet: Option<Arc<str>>,
    pub(crate) source: Option<Source>,
}

/// What failed, without text of a response.
pub(crate) type Reason = Cow<'static, str>;

/// The cause of an error. Shared, because callers of one request get the same error.
pub(crate) type Source = Arc<dyn error::Error + Send + Sync>;

impl Error {
    /// The error of a failure without a response, which changed nothing. It is retryable if its kind
    /// is [`Transport`](ErrorKind::Transport).
    pub(crate) fn new(kind: ErrorKind, operation: Operation, reason: impl Into<Reason>) -> Self {
        Self(Arc::new(ErrorContext {
            kind,
            operation,
            reason: reason.into(),
            outcome: Outcome::NotApplied,
            retryable: kind == ErrorKind::Transport,
            out_of_time: false,
            attempts: 0,
            status: None,
            retry_after: None,
            body: Arc::default(),
            body_snippet: None,
            source: None,
        }))
    }

    /// The error of a wait that ended before anything was sent.
    pub(crate) fn timed_out(operation: Operation, reason: impl Into<Reason>) -> Self {
        let error = Self::new(ErrorKind::Transport, operation, reason);
        error.amend(|context| context.out_of_time = true)
    }

    /// Whether the deadline of a call ended it.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.0.out_of_time
    }

    /// Whether the time ended in a wait before an attempt, which was not made. Only right before the
    /// attempts of the call are counted.
    pub(crate) fn is_unsent(&self) -> bool {
        self.0.out_of_time && self.0.attempts == 0
    }

    /// The error of a shared `sessions/authenticate`. One that made no attempt is about the operation
    /// that the caller called.
    pub(crate) fn of_caller(self, operation: Operation) -> Self {
        let is_shared = self.0.operation == Operation::AuthenticateSession;
        if is_shared && self.0.attempts == 0 {
            return self.amend(|context| context.operation = operation);
        }
        self
    }

    /// Changes the context, as a response and later attempts add to it.
    pub(crate) fn amend(mut self, change: impl FnOnce(&mut ErrorContext)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whether Stytch rejected a session JWT itself, as it rejects an expired one, and not its
    /// session.
    pub(crate) fn is_jwt_rejection(&self) -> bool {
        matches!(self.error_type(), Some("unable_to_parse_session_jwt" | "jwt_invalid_claims"))
    }

    /// The error type, or the kind's name if the type can't go into traces.
    pub(crate) fn loggable_type(&self) -> String {
        let kind = format!("{:?}", self.0.kind);
        let name = kind.split(' ').next().unwrap_or_default();
        loggable_error_type(&self.0.body).unwrap_or(name).to_owned()
    }

    /// The request id, if it can go into logs and traces.
    pub(crate) fn loggable_request_id(&self) -> Option<&str> {
        self.request_id().and_then(loggable_request_id)
    }

    /// Returns what failed, by what a caller does about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed.
    ///
    /// For a response of Stytch or a failed request it is the operation of that request:
    /// [`AuthenticateSession`](Operation::AuthenticateSession) if resolving the session failed
    /// inside an update. For input that is rejected locally and for a wait that ran out of time it
    /// is the operation that the caller called.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Returns what failed, in this crate's own text. Always present; contains no text of a
    /// response and no credential.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Returns whether the call may have changed anything at Stytch, over all of its attempts.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns whether the same call may succeed later: after a rate limit, a timeout or failure
    /// of the network, and the statuses 408, 429, 502, 503 and 504.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Returns how many attempts were made; 0 if the call failed before the first one. If
    /// `sessions/authenticate` failed within an update, the greater of its number of attempts and
    /// the update's.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the HTTP status of the response, or `None` if there was none.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns Stytch's `request_id`, which their support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.0.body.request_id.as_deref()
    }

    /// Returns Stytch's `error_type`, known to this crate or not. An OAuth endpoint's `error`
    /// counts as one ([list of error types](https://stytch.com/docs/b2b/api/errors)).
    pub fn error_type(&self) -> Option<&str> {
        self.0.body.error_type.as_deref()
    }

    /// Returns Stytch's `error_message`. Untrusted text: escape it before it goes into HTML.
    pub fn error_message(&self) -> Option<&str> {
        self.0.body.error_message.as_deref()
    }

    /// Returns Stytch's `error_url`, where the error is documented.
    pub fn error_url(&self) -> Option<&str> {
        self.0.body.error_url.as_deref()
    }

    /// Returns Stytch's `error_details`, whose shape depends on the error type. `None` if they are
    /// longer than 16 KiB of JSON.
    pub fn error_details(&self) -> Option<&Value> {
        self.0.body.error_details.as_ref()
    }

    /// Returns how long the server asks to wait: the `Retry-After` header, in seconds or as a
    /// date. A day at most.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the first 512 bytes of a body that isn't Stytch's JSON. `None` for `GetConnections`
    /// and `AuthenticateSession`, whose responses carry secrets. Untrusted text that may contain
    /// anything; this crate never logs it.
    pub fn body_snippet(&self) -> Option<&str> {
        self.0.body_snippet.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &*self.0;
        write!(f, "{}: {}", context.operation, context.reason)?;
        // A connection is missing from a list that was returned with 200.
        let is_in_list = context.kind == ErrorKind::NotFound;
        let shown_status = context.status.filter(|status| !(is_in_list && status.is_success()));
        let parts = [
            shown_status.map(|status| format!("HTTP {}", status.as_u16())),
            loggable_error_type(&context.body).map(str::to_owned),
            self.loggable_request_id().map(str::to_owned),
            (context.attempts > 1).then(|| format!("{} attempts", context.attempts)),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { Ok(()) } else { write!(f, " ({})", parts.join(", ")) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &*self.0;
        f.debug_struct("Error")
            .field("kind", &context.kind)
            .field("operation", &context.operation)
            .field("reason", &context.reason)
            .field("outcome", &context.outcome)
            .field("retryable", &context.retryable)
            .field("status", &context.status.map(|status| status.as_u16()))
            .field("error_type", &loggable_error_type(&context.body))
            .field("request_id", &self.loggable_request_id())
            .field("retry_after", &context.retry_after)
            .field("attempts", &context.attempts)
            .field("source", &context.source)
            .finish_non_exhaustive()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The error type, if it can go into logs and traces.
fn loggable_error_type(body: &types::ErrorBody) -> Option<&str> {
    // An opaque token has no underscore, and a project secret has hyphens.
    let looks_like_stytch = |text: &&str| text.contains('_') && !text.contains('-');
    body.error_type.as_deref().filter(looks_like_stytch).filter(|text| is_plain(text))
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
