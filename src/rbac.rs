//! What a refusal means: the one table from Stytch's `error_type` to [`Error`], and the
//! permission that each operation requires.
//!
//! The `error_type` decides; the HTTP status only where the type is unknown. A 403 whose
//! type isn't known is never a denied permission: suspended organizations, captchas and
//! firewalls answer 403 too.

use http::StatusCode;

use crate::error::{Error, Known};

/// What a member's roles must grant.
pub(crate) struct Permission {
    pub(crate) resource: &'static str,
    pub(crate) action: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/permissions.rs"));

/// The operation that everything here is about; the others only prepare it.
pub(crate) const UPDATE: &str = "update_external_connection";

#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    PermissionDenied,
    OrganizationMismatch,
    SessionInvalid,
    CredentialsRejected,
    NotFound,
    RateLimited,
    InvalidUpdate,
    Api,
}

/// Stytch's error types that this endpoint and its companions can meet.
#[rustfmt::skip]
const MEANINGS: &[(&str, Meaning)] = &[
    ("session_authorization_error",                           Meaning::PermissionDenied),

    ("session_authorization_tenancy_error",                   Meaning::OrganizationMismatch),
    ("sso_connection_organization_mismatch",                  Meaning::OrganizationMismatch),

    ("session_not_found",                                     Meaning::SessionInvalid),
    ("invalid_session_token",                                 Meaning::SessionInvalid),
    ("unable_to_parse_session_jwt",                           Meaning::SessionInvalid),
    ("jwt_invalid_audience",                                  Meaning::SessionInvalid),
    ("jwt_invalid_claims",                                    Meaning::SessionInvalid),
    ("jwt_invalid_issuer",                                    Meaning::SessionInvalid),

    ("unauthorized_credentials",                              Meaning::CredentialsRejected),
    ("invalid_secret_authentication",                         Meaning::CredentialsRejected),
    ("invalid_project_id_authentication",                     Meaning::CredentialsRejected),
    ("unauthorized_project_id_live",                          Meaning::CredentialsRejected),
    ("unauthorized_project_id_test",                          Meaning::CredentialsRejected),
    ("project_not_found",                                     Meaning::CredentialsRejected),

    ("sso_connection_not_found",                              Meaning::NotFound),
    ("external_connection_id_not_found",                      Meaning::NotFound),
    ("organization_not_found",                                Meaning::NotFound),

    ("too_many_requests",                                     Meaning::RateLimited),

    ("external_connection_not_active",                        Meaning::InvalidUpdate),
    ("invalid_role",                                          Meaning::InvalidUpdate),
    ("invalid_rbac_role_id",                                  Meaning::InvalidUpdate),
    ("invalid_rbac_role_assignment",                          Meaning::InvalidUpdate),
    ("cannot_assign_default_rbac_role_id",                    Meaning::InvalidUpdate),
    ("saml_connection_attribute_mapping_missing_groups_key",  Meaning::InvalidUpdate),
    ("invalid_display_name",                                  Meaning::InvalidUpdate),

    ("organization_suspended",                                Meaning::Api),
    ("captcha_required",                                      Meaning::Api),
    ("use_https",                                             Meaning::Api),
    // This crate always sends exactly one session: these would be a fault of its own.
    ("no_session_arguments",                                  Meaning::Api),
    ("too_many_session_arguments",                            Meaning::Api),
    ("internal_server_error",                                 Meaning::Api),
    ("server_unavailable",                                    Meaning::Api),
];

/// Turns an error answer of Stytch's into the error for the caller. `known.reason` is
/// filled in here.
pub(crate) fn refusal(operation_id: &'static str, status: StatusCode, mut known: Known) -> Error {
    let error_type = known.said.error_type.as_deref();
    let listed = MEANINGS.iter().find(|(name, _)| Some(*name) == error_type);
    // A refusal stays one under whatever status; of a failure the status tells more.
    known.retryable = match listed {
        None | Some((_, Meaning::Api)) => known.retryable,
        Some((_, meaning)) => *meaning == Meaning::RateLimited,
    };
    let meaning = listed.map_or_else(|| by_status(operation_id, status), |(_, meaning)| *meaning);
    match (meaning, required_permission(operation_id)) {
        (Meaning::PermissionDenied, Some(Permission { resource, action })) => {
            known.reason = format!(
                "the member's roles don't grant the action `{action}` on the resource `{resource}`"
            )
            .into();
            Error::PermissionDenied { action, resource, details: known.into() }
        }
        (meaning, _) => {
            known.reason = meaning.reason().into();
            meaning.error(known)
        }
    }
}

/// Where the type is unknown. Only an update can be refused for what it asks, and only its
/// ids can lead nowhere.
fn by_status(operation_id: &str, status: StatusCode) -> Meaning {
    let updates = operation_id == UPDATE;
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if updates => {
            Meaning::InvalidUpdate
        }
        StatusCode::NOT_FOUND if updates => Meaning::NotFound,
        StatusCode::UNAUTHORIZED => Meaning::CredentialsRejected,
        StatusCode::TOO_MANY_REQUESTS => Meaning::RateLimited,
        _ => Meaning::Api,
    }
}

impl Meaning {
    fn reason(self) -> &'static str {
        match self {
            // Of an operation that says no permission: Stytch refuses, for what we can't name.
            Self::PermissionDenied | Self::Api => "Stytch answered with an error",
            Self::OrganizationMismatch => "the connection isn't one of the member's organization",
            Self::SessionInvalid => "Stytch doesn't accept the member session",
            Self::CredentialsRejected => "Stytch rejects the project id or secret",
            Self::NotFound => "Stytch doesn't know the connection or the organization",
            Self::RateLimited => "Stytch limits the rate of requests",
            Self::InvalidUpdate => "Stytch refuses the update as it stands",
        }
    }

    fn error(self, known: Known) -> Error {
        let details = known.into();
        match self {
            Self::PermissionDenied | Self::Api => Error::Api(details),
            Self::OrganizationMismatch => Error::OrganizationMismatch(details),
            Self::SessionInvalid => Error::SessionInvalid(details),
            Self::CredentialsRejected => Error::CredentialsRejected(details),
            Self::NotFound => Error::NotFound(details),
            Self::RateLimited => Error::RateLimited(details),
            Self::InvalidUpdate => Error::InvalidUpdate(details),
        }
    }
}
