//! [`ErrorKind`]: what a caller does about an error. [`Outcome`]: what the call changed.

use http::StatusCode;

/// What failed, by what a caller does about it.
///
/// "Nothing was applied" refers to the attempt that Stytch rejected. If an earlier attempt of the
/// same call got no response, [`Error::outcome`](crate::Error::outcome) is
/// [`Unknown`](Outcome::Unknown) all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The member's roles don't grant the action on the resource: Stytch's
    /// `session_authorization_error`.
    ///
    /// Nothing was applied. Show it to the member; whoever administers roles can change it.
    PermissionDenied {
        /// The action that was denied, for example `update`.
        action: &'static str,
        /// The resource of the action, `stytch.sso`.
        resource: &'static str,
    },
    /// The connection belongs to another organization than the member: Stytch's
    /// `session_authorization_tenancy_error` or `sso_connection_organization_mismatch`.
    ///
    /// Nothing was applied. The connection id is wrong, or this is a possible enumeration
    /// attempt.
    OrganizationMismatch,
    /// The session is expired, revoked, unknown, malformed, or of another project.
    ///
    /// Nothing was applied. The member has to log in again. If
    /// [`Error::status`](crate::Error::status) is `None`, this crate rejected the session and sent
    /// no update.
    InvalidSession,
    /// Stytch rejected the project id or the secret.
    ///
    /// Nothing was applied. Every call fails until the configuration is fixed.
    InvalidProjectCredentials,
    /// The connection or organization doesn't exist.
    ///
    /// Nothing was applied.
    NotFound,
    /// Stytch limits the rate of requests.
    ///
    /// Nothing was applied. Retry after [`Error::retry_after`](crate::Error::retry_after); the
    /// client already retried as far as its [`RetryPolicy`](crate::RetryPolicy) allows.
    RateLimited,
    /// The request is invalid: rejected by this crate before anything was sent
    /// ([`Error::status`](crate::Error::status) is `None`), or by Stytch.
    ///
    /// Nothing was applied. [`Error::reason`](crate::Error::reason) names the cause;
    /// [`Error::error_details`](crate::Error::error_details) may name the field.
    InvalidRequest,
    /// Any other error of Stytch, for example a suspended organization or an internal error.
    ///
    /// An update may have been applied if the status is 5xx: see
    /// [`Error::outcome`](crate::Error::outcome). Send
    /// [`Error::request_id`](crate::Error::request_id) to Stytch's support.
    Api,
    /// The response is not Stytch's or can't be used: a gateway's HTML, a redirect, a
    /// truncated body, another connection than the one requested.
    ///
    /// An update may have been applied: see [`Error::outcome`](crate::Error::outcome).
    UnexpectedResponse,
    /// No response, or none that is HTTP: no connection, a reset, a timeout, an invalid
    /// certificate, a proxy that requires authorization. Retry only if
    /// [`Error::is_retryable`](crate::Error::is_retryable).
    ///
    /// [`Error::outcome`](crate::Error::outcome) is [`NotApplied`](Outcome::NotApplied) if the
    /// request was never sent, else [`Unknown`](Outcome::Unknown) for an update.
    Transport,
}

impl ErrorKind {
    /// Returns the status with which a web service responds to its own client.
    ///
    /// | kind | status |
    /// | --- | --- |
    /// | `PermissionDenied` | 403 |
    /// | `OrganizationMismatch`, `NotFound` | 404: a client can't learn which ids exist elsewhere |
    /// | `InvalidSession` | 401 |
    /// | `InvalidProjectCredentials` | 500: the service is misconfigured |
    /// | `RateLimited` | 429, with [`Error::retry_after`](crate::Error::retry_after) |
    /// | `InvalidRequest` | 422 |
    /// | `Api`, `UnexpectedResponse` | 502 |
    /// | `Transport` | 504 |
    ///
    /// ```
    /// use stytch_sso_external::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::InvalidSession.response_status(), 401);
    /// ```
    pub fn response_status(self) -> StatusCode {
        match self {
            Self::PermissionDenied { .. } => StatusCode::FORBIDDEN,
            Self::OrganizationMismatch | Self::NotFound => StatusCode::NOT_FOUND,
            Self::InvalidSession => StatusCode::UNAUTHORIZED,
            Self::InvalidProjectCredentials => StatusCode::INTERNAL_SERVER_ERROR,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::InvalidRequest => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Api | Self::UnexpectedResponse => StatusCode::BAD_GATEWAY,
            Self::Transport => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

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
    /// The update was sent and nothing shows whether Stytch applied it: there is no response, or its
    /// status is 408 or 5xx. An update sets values, so sending it again is safe unless somebody else
    /// changes the same connection.
    Unknown,
    /// The HTTP status reports success, but the response can't be decoded.
    ///
    /// Any server that responds with 2xx counts, a captive portal too: see
    /// [`Error::body_snippet`](crate::Error::body_snippet).
    Applied,
}
