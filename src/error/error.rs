//! [`Error`]: a variant for each reaction of a caller.
//!
//! Nothing here decides which variant a response becomes: `response.rs` and `rbac.rs` do.

use std::{borrow::Cow, error, fmt};

use super::details::{Details, ErrorContext, Repeat, accessors};
use crate::wire::Operation;

/// The error of a call.
///
/// Match on the variant to decide what to do, and read [`outcome`](Self::outcome) to learn
/// whether an update may have been applied nonetheless.
///
/// ```
/// use stytch_sso_external::{Error, Outcome};
///
/// fn advice(error: &Error) -> String {
///     match (error.outcome(), error) {
///         (Outcome::Applied, _) => "the update was applied".to_owned(),
///         (Outcome::Unknown, _) => "check the connection, then retry".to_owned(),
///         (_, Error::PermissionDenied { action, resource, .. }) => {
///             format!("ask an admin for a role that grants {action} on {resource}")
///         }
///         (_, Error::SessionInvalid(_)) => "log in again".to_owned(),
///         _ if error.is_retryable() => "retry later".to_owned(),
///         _ => format!("contact support with {:?}", error.request_id()),
///     }
/// }
/// # let _ = advice;
/// ```
///
/// "Nothing was applied" in a variant's documentation refers to the attempt that Stytch
/// rejected. If an earlier attempt of the same call got no response,
/// [`outcome`](Self::outcome) is [`Unknown`](crate::Outcome::Unknown) all the same.
///
/// `Display` writes one line with the operation, the reason, the HTTP status, the error type
/// and the request id; it contains no text of a response that could be a secret.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The member's roles don't grant the action on the resource: Stytch's
    /// `session_authorization_error`.
    ///
    /// Nothing was applied. Show it to the member; whoever administers roles can change it.
    #[non_exhaustive]
    PermissionDenied {
        /// The action that was denied, for example `update`.
        action: &'static str,
        /// The resource of the action, `stytch.sso`.
        resource: &'static str,
        /// The other details; [`Error`] has the same methods.
        details: Details,
    },
    /// The connection belongs to another organization than the member: Stytch's
    /// `session_authorization_tenancy_error` or `sso_connection_organization_mismatch`.
    ///
    /// Nothing was applied. The connection id is wrong, or this is a possible enumeration
    /// attempt.
    OrganizationMismatch(Details),
    /// The session is expired, revoked, unknown, malformed, or of another project.
    ///
    /// Nothing was applied. The member has to log in again. If [`status`](Error::status) is
    /// `None`, this crate rejected the session and sent no update.
    SessionInvalid(Details),
    /// Stytch rejected the project id or the secret.
    ///
    /// Nothing was applied. Every call fails until the configuration is fixed.
    CredentialsRejected(Details),
    /// The connection or organization doesn't exist.
    ///
    /// Nothing was applied.
    NotFound(Details),
    /// Stytch limits the rate of requests.
    ///
    /// Nothing was applied. Retry after [`retry_after`](Error::retry_after); the client already
    /// retried as far as its [`RetryPolicy`](crate::RetryPolicy) allows.
    RateLimited(Details),
    /// The update is invalid: rejected by this crate before it was sent
    /// ([`status`](Error::status) is `None`), or by Stytch.
    ///
    /// Nothing was applied. [`reason`](Error::reason) names the cause of a local rejection;
    /// [`error_type`](Error::error_type), [`error_message`](Error::error_message) and
    /// [`error_details`](Error::error_details) that of Stytch's.
    InvalidUpdate(Details),
    /// Any other error of Stytch, for example a suspended organization or an internal error.
    ///
    /// An update may have been applied if the status is 5xx: see [`outcome`](Error::outcome).
    /// Send [`request_id`](Error::request_id) to Stytch's support.
    Api(Details),
    /// The response is not Stytch's or can't be used: a gateway's HTML, a redirect, a
    /// truncated body, another connection than the one requested.
    ///
    /// An update may have been applied: see [`outcome`](Error::outcome).
    UnexpectedResponse(Details),
    /// No response, or none that is HTTP: no connection, a reset, a timeout, an invalid
    /// certificate, a proxy that requires authorization. Retry only if
    /// [`is_retryable`](Error::is_retryable).
    ///
    /// [`outcome`](Error::outcome) is [`NotApplied`](crate::Outcome::NotApplied) if the request
    /// was never sent, else [`Unknown`](crate::Outcome::Unknown) for an update.
    Transport(Details),
}

accessors!(Error);

impl Error {
    /// The error of input that is rejected before anything is sent.
    pub(crate) fn invalid_update(
        operation: Operation,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::InvalidUpdate(ErrorContext::new(operation, reason).into())
    }

    /// The error of a session that is rejected locally.
    pub(crate) fn session_invalid(
        operation: Operation,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::SessionInvalid(ErrorContext::new(operation, reason).into())
    }

    /// The error of a wait that ended before anything was sent.
    pub(crate) fn timed_out(operation: Operation, reason: impl Into<Cow<'static, str>>) -> Self {
        let context = ErrorContext {
            repeat: Repeat::OutOfTimeUnsent,
            ..ErrorContext::new(operation, reason)
        };
        Self::Transport(context.into()).decide_retryable(None)
    }

    /// Decides whether the same call may succeed later. The one place that decides it.
    ///
    /// `Some(true)` makes a failure retryable whatever its status; `Some(false)` makes a failure
    /// without a response permanent. A rejection is never retryable.
    pub(crate) fn decide_retryable(self, is_transient: Option<bool>) -> Self {
        let statuses = [408, 429, 502, 503, 504];
        let retryable = match &self {
            Self::RateLimited(_) => true,
            Self::Transport(_) => is_transient != Some(false),
            Self::Api(_) | Self::UnexpectedResponse(_) => {
                let status = self.status();
                is_transient == Some(true)
                    || status.is_some_and(|status| statuses.contains(&status.as_u16()))
            }
            _ => false,
        };
        self.amend(|context| context.retryable = retryable)
    }

    /// Changes the context, as later attempts add to it.
    pub(crate) fn amend(mut self, change: impl FnOnce(&mut ErrorContext)) -> Self {
        change(self.details_mut().context_mut());
        self
    }

    pub(crate) fn context(&self) -> &ErrorContext {
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
            | Self::Transport(details) => details.context(),
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context().fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(self.name());
        if let Self::PermissionDenied { action, resource, .. } = self {
            shown.field("action", action).field("resource", resource);
        }
        self.context().debug_fields(&mut shown)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let source = self.context().source.as_deref()?;
        Some(source)
    }
}
