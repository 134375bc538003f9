//! What can go wrong with a call, and what every failure can answer.
//!
//! Nothing here decides what a failure is: `rbac.rs` does for what Stytch says, `wire.rs`
//! for what the network does. No error prints a body, a header or a credential: `Display`
//! and `Debug` show only what can be no secret, and leave the words of a server to
//! [`Error::error_message`] and [`Error::excerpt`].

use std::{borrow::Cow, error, fmt, sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::Value;

/// Why a call failed.
///
/// Match on the variant for what to do, and ask any error for [`outcome`](Self::outcome):
/// whether the update may have been applied nonetheless.
///
/// ```
/// use stytch_sso_external::{Error, Outcome};
///
/// fn advice(error: &Error) -> String {
///     match error {
///         Error::PermissionDenied { action, resource, .. } => {
///             format!("ask an admin for a role that may {action} {resource}")
///         }
///         Error::SessionInvalid(_) => "log in again".to_owned(),
///         _ if error.outcome() == Outcome::Unknown => "look before you try again".to_owned(),
///         _ if error.is_retryable() => "try again later".to_owned(),
///         _ => format!("tell support {:?}", error.request_id()),
///     }
/// }
/// # let _ = advice;
/// ```
///
/// Where a variant says that the update was not applied, it speaks of the attempt that was
/// refused. If an earlier attempt got no answer, [`outcome`](Self::outcome) is
/// [`Unknown`](Outcome::Unknown) all the same.
///
/// The types of error are Stytch's
/// ([list](https://stytch.com/docs/b2b/api/errors)).
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The member's roles don't grant the action on the resource: Stytch's
    /// `session_authorization_error`.
    ///
    /// The update was not applied. Show it to the member; somebody who administers roles
    /// can change it.
    #[non_exhaustive]
    PermissionDenied {
        /// The action that the member may not take, `update`.
        action: &'static str,
        /// The resource that it is about, `stytch.sso`.
        resource: &'static str,
        /// What else is known, through the methods of [`Error`].
        details: Details,
    },
    /// The connection belongs to another organization than the member: Stytch's
    /// `session_authorization_tenancy_error` or `sso_connection_organization_mismatch`.
    ///
    /// The update was not applied. Either the connection id is wrong, or somebody tries to
    /// reach what isn't theirs.
    OrganizationMismatch(Details),
    /// The session is over, was revoked, never was, or isn't one of this project.
    ///
    /// The update was not applied. The member has to log in again. Where
    /// [`status`](Error::status) is `None`, the session was refused here and no update
    /// left.
    SessionInvalid(Details),
    /// Stytch rejects the project id or the secret.
    ///
    /// The update was not applied. Nothing will work until the configuration is mended.
    CredentialsRejected(Details),
    /// There is no such connection or organization.
    ///
    /// The update was not applied.
    NotFound(Details),
    /// Too many requests.
    ///
    /// The update was not applied. Try again after [`retry_after`](Error::retry_after);
    /// the client already has as far as its [`RetryPolicy`](crate::RetryPolicy) allows.
    RateLimited(Details),
    /// The update can't be made as it stands: refused here before it was sent
    /// ([`status`](Error::status) is `None`), or by Stytch.
    ///
    /// The update was not applied. [`error_type`](Error::error_type),
    /// [`error_message`](Error::error_message) and [`error_details`](Error::error_details)
    /// say what Stytch found wrong.
    InvalidUpdate(Details),
    /// Any other error of Stytch's, as a suspended organization or a failure of theirs.
    ///
    /// [`outcome`](Error::outcome) tells whether the update may have been applied: with a
    /// 5xx it may. Send [`request_id`](Error::request_id) to Stytch's support.
    Api(Details),
    /// An answer that isn't Stytch's or can't be used: a gateway's HTML, a redirect, a body
    /// that breaks off, another connection than the one asked for.
    ///
    /// [`outcome`](Error::outcome) tells whether the update was or may have been applied.
    UnexpectedResponse(Details),
    /// No answer came: no connection, a reset, a timeout.
    ///
    /// [`outcome`](Error::outcome) tells whether the update may have been applied: it is
    /// [`NotApplied`](Outcome::NotApplied) where nothing was sent.
    Transport(Details),
}

/// Whether a failed update may have been applied.
///
/// Where retries were made, it speaks for all of them: an update that one attempt may have
/// applied stays [`Unknown`](Self::Unknown) though the last attempt was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no fourth case, and callers should handle all three"
)]
pub enum Outcome {
    /// Stytch refused the update, or it was never sent.
    NotApplied,
    /// The update was sent and no answer tells what became of it. It sets values, so
    /// sending it again does no harm unless somebody else changes the same connection.
    Unknown,
    /// Accepted, by the HTTP status, but the answer can't be read or used. Whoever answers 2xx
    /// with a page of its own, as a captive portal does, is believed too: see
    /// [`Error::excerpt`].
    Applied,
}

/// What is known about a failure; the methods of [`Error`] tell it.
#[derive(Clone)]
pub struct Details(Arc<Known>);

#[derive(Clone)]
pub(crate) struct Known {
    /// What happened, in words of ours.
    pub(crate) reason: Cow<'static, str>,
    pub(crate) outcome: Outcome,
    pub(crate) retryable: bool,
    pub(crate) status: Option<StatusCode>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) said: Said,
    pub(crate) excerpt: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What an error body of Stytch's says, each where it is there and has the right type.
#[derive(Clone, Default)]
pub(crate) struct Said {
    pub(crate) request_id: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) error_url: Option<String>,
    pub(crate) error_details: Option<Value>,
    /// Whether it says that something failed, whatever the status of the answer.
    pub(crate) is_error: bool,
}

impl Error {
    /// The HTTP status of the answer, or `None` where none came.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.known().status
    }

    /// Stytch's name for the request, which their support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.known().said.request_id.as_deref()
    }

    /// Stytch's `error_type`, also one that this crate doesn't know. An OAuth endpoint's
    /// `error` counts as one.
    #[must_use]
    pub fn error_type(&self) -> Option<&str> {
        self.known().said.error_type.as_deref()
    }

    /// Stytch's `error_message`. It comes from the far end: don't show it as HTML.
    #[must_use]
    pub fn error_message(&self) -> Option<&str> {
        self.known().said.error_message.as_deref()
    }

    /// Stytch's `error_url`, where the error is documented.
    #[must_use]
    pub fn error_url(&self) -> Option<&str> {
        self.known().said.error_url.as_deref()
    }

    /// Stytch's `error_details`, whose form depends on the error type.
    #[must_use]
    pub fn error_details(&self) -> Option<&Value> {
        self.known().said.error_details.as_ref()
    }

    /// How long the server asks to wait, from a `Retry-After` header in seconds or as a
    /// date.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.known().retry_after
    }

    /// The beginning of a body that isn't Stytch's JSON, of at most 512 bytes. It comes
    /// from the far end and may hold anything: no log of this crate shows it.
    #[must_use]
    pub fn excerpt(&self) -> Option<&str> {
        self.known().excerpt.as_deref()
    }

    /// Tells whether the same call may succeed later: after a rate limit, a gateway's or
    /// Stytch's 502, 503 or 504, a 408, or a failure of the network.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.known().retryable
    }

    /// Whether the update may have been applied.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.known().outcome
    }

    /// How often the update, or what had to come before it, was tried; 0 where the call was
    /// refused before the first attempt.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.known().attempts
    }

    /// The error type as logs and traces show it.
    pub(crate) fn printable_error_type(&self) -> Option<&str> {
        // An opaque token has no underscore, and a project secret has hyphens.
        let of_stytch = |text: &&str| text.contains('_') && !text.contains('-');
        self.error_type().filter(of_stytch).and_then(printable)
    }

    /// The request id as logs and traces show it.
    pub(crate) fn printable_request_id(&self) -> Option<&str> {
        self.request_id().and_then(printable_request_id)
    }

    /// The failure of an input that is refused before anything is sent.
    pub(crate) fn invalid_update(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidUpdate(Known::never_sent(reason).into())
    }

    /// The failure of a session that is refused before an update is sent.
    pub(crate) fn session_invalid(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::SessionInvalid(Known::never_sent(reason).into())
    }

    /// The failure of a call whose time ran out before the update was sent.
    pub(crate) fn out_of_time(when: &str) -> Self {
        let reason = format!("the deadline passed {when}");
        let known = Known { retryable: true, ..Known::never_sent(reason) };
        Self::Transport(known.into())
    }

    /// Changes what is known, as later attempts add to it.
    pub(crate) fn amend(mut self, change: impl FnOnce(&mut Known)) -> Self {
        change(Arc::make_mut(&mut self.details_mut().0));
        self
    }

    fn known(&self) -> &Known {
        match self {
            Self::PermissionDenied { details, .. }
            | Self::OrganizationMismatch(details)
            | Self::SessionInvalid(details)
            | Self::CredentialsRejected(details)
            | Self::NotFound(details)
            | Self::RateLimited(details)
            | Self::InvalidUpdate(details)
            | Self::Api(details)
            | Self::UnexpectedResponse(details)
            | Self::Transport(details) => &details.0,
        }
    }

    fn details_mut(&mut self) -> &mut Details {
        match self {
            Self::PermissionDenied { details, .. }
            | Self::OrganizationMismatch(details)
            | Self::SessionInvalid(details)
            | Self::CredentialsRejected(details)
            | Self::NotFound(details)
            | Self::RateLimited(details)
            | Self::InvalidUpdate(details)
            | Self::Api(details)
            | Self::UnexpectedResponse(details)
            | Self::Transport(details) => details,
        }
    }

    /// The variant's name, as logs and traces show it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::PermissionDenied { .. } => "PermissionDenied",
            Self::OrganizationMismatch(_) => "OrganizationMismatch",
            Self::SessionInvalid(_) => "SessionInvalid",
            Self::CredentialsRejected(_) => "CredentialsRejected",
            Self::NotFound(_) => "NotFound",
            Self::RateLimited(_) => "RateLimited",
            Self::InvalidUpdate(_) => "InvalidUpdate",
            Self::Api(_) => "Api",
            Self::UnexpectedResponse(_) => "UnexpectedResponse",
            Self::Transport(_) => "Transport",
        }
    }
}

impl Known {
    pub(crate) fn never_sent(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: reason.into(),
            outcome: Outcome::NotApplied,
            retryable: false,
            status: None,
            retry_after: None,
            said: Said::default(),
            excerpt: None,
            attempts: 0,
            source: None,
        }
    }

    /// What is known of an answer of success that can't be used.
    pub(crate) fn unusable(
        reason: impl Into<Cow<'static, str>>,
        request_id: Option<String>,
    ) -> Self {
        let said = Said { request_id, ..Said::default() };
        Self { status: Some(StatusCode::OK), attempts: 1, said, ..Self::never_sent(reason) }
    }
}

impl From<Known> for Details {
    fn from(known: Known) -> Self {
        Self(Arc::new(known))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known();
        f.write_str(&known.reason)?;
        let status = known.status.map(|status| format!("status {}", status.as_u16()));
        let error_type = self.printable_error_type().map(str::to_owned);
        let request_id = self.printable_request_id().map(str::to_owned);
        let attempts = (known.attempts > 1).then(|| format!("{} attempts", known.attempts));
        let parts: Vec<_> =
            [status, error_type, request_id, attempts].into_iter().flatten().collect();
        if parts.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", parts.join(", "))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(self.name());
        if let Self::PermissionDenied { action, resource, .. } = self {
            shown.field("action", action).field("resource", resource);
        }
        let known = self.known();
        shown
            .field("reason", &known.reason)
            .field("outcome", &known.outcome)
            .field("status", &known.status.map(|status| status.as_u16()))
            .field("error_type", &self.printable_error_type())
            .field("request_id", &self.printable_request_id())
            .field("retry_after", &known.retry_after)
            .field("attempts", &known.attempts)
            .field("source", &known.source)
            .finish_non_exhaustive()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let source = self.known().source.as_deref()?;
        Some(source)
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

/// Lets through a request id that looks like Stytch's.
pub(crate) fn printable_request_id(request_id: &str) -> Option<&str> {
    request_id.starts_with("request-id-").then(|| printable(request_id))?
}

/// Lets through the few characters that ids and error types are made of. A server may say
/// anything in their place, a credential too, and that must not get into a log.
fn printable(text: &str) -> Option<&str> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (text.len() <= 100 && text.bytes().all(plain)).then_some(text)
}
