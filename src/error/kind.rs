//! [`ErrorKind`]: what a caller does about an error, and the table from Stytch's `error_type` to it.
//! [`Outcome`]: what the call changed.
//!
//! The `error_type` decides; the HTTP status only where the type is unknown. A 403 of an
//! unknown type is never a denied permission: suspended organizations, captchas and firewalls
//! respond with 403 too.

use http::StatusCode;

use super::error::Reason;
use crate::wire::{Operation, Permission, types};

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

/// Returns the kind of an error response, and the reason as a text of this crate.
pub(crate) fn classify(
    operation: Operation,
    status: StatusCode,
    body: &types::ErrorBody,
) -> (ErrorKind, Reason) {
    let kind = by_type(operation, body).unwrap_or_else(|| by_status(operation, status));
    let reason = match kind {
        ErrorKind::PermissionDenied { action, resource } => format!(
            "the member's roles do not grant the action `{action}` on the resource `{resource}`"
        )
        .into(),
        ErrorKind::OrganizationMismatch => {
            "the connection belongs to another organization than the member".into()
        }
        ErrorKind::InvalidSession => "Stytch rejected the member session: log in again".into(),
        ErrorKind::InvalidProjectCredentials => "Stytch rejected the project id or secret".into(),
        ErrorKind::NotFound => "Stytch found no such connection or organization".into(),
        ErrorKind::RateLimited => "Stytch limits the rate of requests".into(),
        ErrorKind::InvalidRequest => match rejected_update(body) {
            Some(cause) => format!("Stytch rejected the update: {cause}").into(),
            None => "Stytch rejected the update as invalid".into(),
        },
        _ => "Stytch responded with an error".into(),
    };
    (kind, reason)
}

/// The documented cause of an update that Stytch rejects as invalid.
fn rejected_update(body: &types::ErrorBody) -> Option<&'static str> {
    Some(match body.error_type.as_deref()? {
        "external_connection_not_active" => "the connection is not active",
        "invalid_role" | "invalid_rbac_role_id" => "a role is unknown",
        // Captured: details that name the role.
        "invalid_rbac_role_assignment" if body.error_details.is_some() => {
            "a role is unknown or can't be assigned"
        }
        "invalid_rbac_role_assignment" => {
            "the connection can't assign roles: an OIDC connection assigns none"
        }
        "cannot_assign_default_rbac_role_id" => "a default role can't be assigned",
        "saml_connection_attribute_mapping_missing_groups_key" => {
            "group roles need the key `groups` in the attribute mapping of the SAML connection"
        }
        "invalid_display_name" => "the display name is invalid",
        _ => return None,
    })
}

/// The kinds of the error types that the operations of this crate can meet.
fn by_type(operation: Operation, body: &types::ErrorBody) -> Option<ErrorKind> {
    Some(match body.error_type.as_deref()? {
        // `None` for an operation that the document names no permission for.
        "session_authorization_error" => {
            let permission = operation.permission();
            permission.map_or(ErrorKind::Api, |Permission { resource, action }| {
                ErrorKind::PermissionDenied { action, resource }
            })
        }
        "session_authorization_tenancy_error" | "sso_connection_organization_mismatch" => {
            ErrorKind::OrganizationMismatch
        }
        "session_not_found"
        | "invalid_session_token"
        | "unable_to_parse_session_jwt"
        | "jwt_invalid_audience"
        | "jwt_invalid_claims"
        | "jwt_invalid_issuer" => ErrorKind::InvalidSession,
        "unauthorized_credentials"
        | "invalid_secret_authentication"
        | "invalid_project_id_authentication"
        | "unauthorized_project_id_live"
        | "unauthorized_project_id_test"
        | "project_not_found" => ErrorKind::InvalidProjectCredentials,
        "sso_connection_not_found"
        | "external_connection_id_not_found"
        | "organization_not_found" => ErrorKind::NotFound,
        "too_many_requests" => ErrorKind::RateLimited,
        // This crate always sends exactly one session: the two about the number of session
        // arguments would be its own defect.
        "organization_suspended"
        | "captcha_required"
        | "use_https"
        | "no_session_arguments"
        | "too_many_session_arguments"
        | "internal_server_error"
        | "server_unavailable" => ErrorKind::Api,
        _ => return rejected_update(body).map(|_| ErrorKind::InvalidRequest),
    })
}

/// For unknown error types. Only a change can be rejected for what it contains, and only an
/// operation of a member has ids that may not exist and a session beside the credentials.
fn by_status(operation: Operation, status: StatusCode) -> ErrorKind {
    let acts_for_member = operation.carries_member_session();
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if operation.is_change() => {
            ErrorKind::InvalidRequest
        }
        StatusCode::NOT_FOUND if acts_for_member => ErrorKind::NotFound,
        StatusCode::UNAUTHORIZED if !acts_for_member => ErrorKind::InvalidProjectCredentials,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
        _ => ErrorKind::Api,
    }
}
