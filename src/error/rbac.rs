//! The table from Stytch's `error_type` to [`ErrorKind`].
//!
//! The `error_type` decides; the HTTP status only where the type is unknown. A 403 of an
//! unknown type is never a denied permission: suspended organizations, captchas and firewalls
//! respond with 403 too.

use std::borrow::Cow;

use http::StatusCode;

use super::{error::Error, kind::ErrorKind};
use crate::wire::{Operation, Permission, types};

/// Returns the kind of an error response, and the reason as a text of this crate.
pub(crate) fn classify(
    operation: Operation,
    status: StatusCode,
    body: &types::ErrorBody,
) -> (ErrorKind, Cow<'static, str>) {
    let by_type = by_type(operation, body);
    let (kind, cause) = by_type.unwrap_or_else(|| (by_status(operation, status), ""));
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
        ErrorKind::InvalidRequest if cause.is_empty() => {
            "Stytch rejected the update as invalid".into()
        }
        ErrorKind::InvalidRequest => format!("Stytch rejected the update: {cause}").into(),
        _ => "Stytch responded with an error".into(),
    };
    (kind, reason)
}

/// The error types that the operations of this crate can meet, and the documented cause of a
/// rejected update.
#[expect(clippy::too_many_lines, reason = "a table")]
fn by_type(operation: Operation, body: &types::ErrorBody) -> Option<(ErrorKind, &'static str)> {
    let invalid = |cause| Some((ErrorKind::InvalidRequest, cause));
    let kind = match body.error_type.as_deref()? {
        "session_authorization_error" => match operation.permission() {
            Some(Permission { resource, action }) => {
                ErrorKind::PermissionDenied { action, resource }
            }
            // The document names no permission for the operation.
            None => ErrorKind::Api,
        },
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
        "external_connection_not_active" => return invalid("the connection is not active"),
        "invalid_role" | "invalid_rbac_role_id" => return invalid("a role is unknown"),
        // Captured: details that name the role.
        "invalid_rbac_role_assignment" if body.error_details.is_some() => {
            return invalid("a role is unknown or can't be assigned");
        }
        "invalid_rbac_role_assignment" => {
            return invalid("the connection can't assign roles: an OIDC connection assigns none");
        }
        "cannot_assign_default_rbac_role_id" => {
            return invalid("a default role can't be assigned");
        }
        "saml_connection_attribute_mapping_missing_groups_key" => {
            return invalid(
                "group roles need the key `groups` in the attribute mapping of the SAML connection",
            );
        }
        "invalid_display_name" => return invalid("the display name is invalid"),
        // This crate always sends exactly one session: the two about the number of session
        // arguments would be its own defect.
        "organization_suspended"
        | "captcha_required"
        | "use_https"
        | "no_session_arguments"
        | "too_many_session_arguments"
        | "internal_server_error"
        | "server_unavailable" => ErrorKind::Api,
        _ => return None,
    };
    Some((kind, ""))
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

/// Whether Stytch rejected a session JWT itself, as it rejects an expired one, and not its
/// session.
pub(crate) fn is_jwt_rejection(error: &Error) -> bool {
    matches!(error.error_type(), Some("unable_to_parse_session_jwt" | "jwt_invalid_claims"))
}
