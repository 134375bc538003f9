//! The table from Stytch's `error_type` to [`Error`].
//!
//! The `error_type` decides; the HTTP status only where the type is unknown. A 403 of an
//! unknown type is never a denied permission: suspended organizations, captchas and firewalls
//! respond with 403 too.

use http::StatusCode;

use super::{details::ErrorContext, error::Error};
use crate::wire::Operation;

type Constructor = fn(ErrorContext) -> Error;

/// Stytch's error types that the operations of this crate can meet.
#[rustfmt::skip]
const ERROR_TYPES: &[(&str, Constructor)] = &[
    ("session_authorization_error",                           permission_denied),

    ("session_authorization_tenancy_error",                   organization_mismatch),
    ("sso_connection_organization_mismatch",                  organization_mismatch),

    ("session_not_found",                                     session_invalid),
    ("invalid_session_token",                                 session_invalid),
    ("unable_to_parse_session_jwt",                           session_invalid),
    ("jwt_invalid_audience",                                  session_invalid),
    ("jwt_invalid_claims",                                    session_invalid),
    ("jwt_invalid_issuer",                                    session_invalid),

    ("unauthorized_credentials",                              credentials_rejected),
    ("invalid_secret_authentication",                         credentials_rejected),
    ("invalid_project_id_authentication",                     credentials_rejected),
    ("unauthorized_project_id_live",                          credentials_rejected),
    ("unauthorized_project_id_test",                          credentials_rejected),
    ("project_not_found",                                     credentials_rejected),

    ("sso_connection_not_found",                              not_found),
    ("external_connection_id_not_found",                      not_found),
    ("organization_not_found",                                not_found),

    ("too_many_requests",                                     rate_limited),

    ("external_connection_not_active",                        invalid_update),
    ("invalid_role",                                          invalid_update),
    ("invalid_rbac_role_id",                                  invalid_update),
    ("invalid_rbac_role_assignment",                          invalid_update),
    ("cannot_assign_default_rbac_role_id",                    invalid_update),
    ("saml_connection_attribute_mapping_missing_groups_key",  invalid_update),
    ("invalid_display_name",                                  invalid_update),

    ("organization_suspended",                                api),
    ("captcha_required",                                      api),
    ("use_https",                                             api),
    // This crate always sends exactly one session: these would be its own defect.
    ("no_session_arguments",                                  api),
    ("too_many_session_arguments",                            api),
    ("internal_server_error",                                 api),
    ("server_unavailable",                                    api),
];

/// Returns the error for an error response with this status. Fills in the reason.
pub(crate) fn error(status: StatusCode, context: ErrorContext) -> Error {
    let error_type = context.body.error_type.as_deref();
    let listed = ERROR_TYPES.iter().find(|(name, _)| Some(*name) == error_type);
    let constructor = listed
        .map_or_else(|| by_status(context.operation, status), |(_, constructor)| *constructor);
    constructor(context)
}

/// Whether Stytch rejected a session JWT itself, as it rejects an expired one, and not its
/// session.
pub(crate) fn is_jwt_rejection(error: &Error) -> bool {
    matches!(error.error_type(), Some("unable_to_parse_session_jwt" | "jwt_invalid_claims"))
}

/// For unknown error types. Only a change can be rejected for what it contains, and only an
/// operation of a member has ids that may not exist and a session beside the credentials.
fn by_status(operation: Operation, status: StatusCode) -> Constructor {
    let acts_for_member = operation.carries_member_session();
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if operation.is_change() => {
            invalid_update
        }
        StatusCode::NOT_FOUND if acts_for_member => not_found,
        StatusCode::UNAUTHORIZED if !acts_for_member => credentials_rejected,
        StatusCode::TOO_MANY_REQUESTS => rate_limited,
        _ => api,
    }
}

fn permission_denied(mut context: ErrorContext) -> Error {
    // The document names no permission for the operation.
    let Some(permission) = context.operation.permission() else {
        return api(context);
    };
    let (action, resource) = (permission.action, permission.resource);
    context.reason = format!(
        "the member's roles do not grant the action `{action}` on the resource `{resource}`"
    )
    .into();
    Error::PermissionDenied { action, resource, details: context.into() }
}

fn organization_mismatch(mut context: ErrorContext) -> Error {
    context.reason = "the connection belongs to another organization than the member".into();
    Error::OrganizationMismatch(context.into())
}

fn session_invalid(mut context: ErrorContext) -> Error {
    context.reason = "Stytch rejected the member session: log in again".into();
    Error::SessionInvalid(context.into())
}

fn credentials_rejected(mut context: ErrorContext) -> Error {
    context.reason = "Stytch rejected the project id or secret".into();
    Error::CredentialsRejected(context.into())
}

fn not_found(mut context: ErrorContext) -> Error {
    context.reason = "Stytch found no such connection or organization".into();
    Error::NotFound(context.into())
}

fn rate_limited(mut context: ErrorContext) -> Error {
    context.reason = "Stytch limits the rate of requests".into();
    Error::RateLimited(context.into())
}

fn invalid_update(mut context: ErrorContext) -> Error {
    context.reason = "Stytch rejected the update as invalid".into();
    Error::InvalidUpdate(context.into())
}

fn api(mut context: ErrorContext) -> Error {
    context.reason = "Stytch responded with an error".into();
    Error::Api(context.into())
}
