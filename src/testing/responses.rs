//! Bodies for the typed [`mocks`](super::mocks) and for [`Response`](super::Response): the
//! successes and each error type that this crate classifies.
//!
//! Response types are `#[non_exhaustive]`, so a test builds them here and then changes their
//! fields. An error contains its HTTP status as `status_code`. One line mocks a member without
//! the permission:
//!
//! ```
//! use stytch_sso_external::testing::{httpmock::MockServer, mocks::MockServerExt, responses};
//!
//! let server = MockServer::start();
//! server.update_external_connection(|_when, then| {
//!     then.client_error(403, &responses::permission_denied());
//! });
//! ```
//!
//! Functions without arguments, unless the table shows them:
//!
//! | body | result of the call |
//! | --- | --- |
//! | [`permission_denied`] | [`ErrorKind::PermissionDenied`] |
//! | [`organization_mismatch`], [`connection_organization_mismatch`] | [`ErrorKind::OrganizationMismatch`] |
//! | [`session_not_found`], [`invalid_session_token`], [`unable_to_parse_session_jwt`], [`jwt_invalid_audience`], [`jwt_invalid_claims`], [`jwt_invalid_issuer`] | [`ErrorKind::InvalidSession`] |
//! | [`credentials_rejected`], [`invalid_secret_authentication`], [`invalid_project_id_authentication`], [`unauthorized_project_id_live`], [`unauthorized_project_id_test`], [`project_not_found`] | [`ErrorKind::InvalidProjectCredentials`] |
//! | [`connection_not_found`], [`sso_connection_not_found`], [`organization_not_found`] | [`ErrorKind::NotFound`] |
//! | [`rate_limited`] | [`ErrorKind::RateLimited`] |
//! | [`connection_not_active`], [`invalid_display_name`], [`groups_key_missing`], [`invalid_role_assignment`], [`invalid_role`], [`invalid_rbac_role_id`], [`cannot_assign_default_role`] | [`ErrorKind::InvalidRequest`] |
//! | [`organization_suspended`], [`captcha_required`], [`use_https`], [`no_session_arguments`], [`too_many_session_arguments`], [`internal_server_error`], [`server_unavailable`] | [`ErrorKind::Api`] |
//! | [`updated`]`(connection)`, [`connections`]`([connection])`, [`authenticated`]`(organization_id, token, jwt)`, [`jwks`]`(&[key])`, [`rbac_policy`]`(&[(role, resource, actions)])`, [`organization_rbac_policy`], with the same argument | success |
//!
//! [`connection`], [`member_session`] and [`jwt::Key::jwk`](super::jwt::Key::jwk) build the
//! parts of a success.
//!
//! [`ErrorKind::PermissionDenied`]: crate::ErrorKind::PermissionDenied
//! [`ErrorKind::OrganizationMismatch`]: crate::ErrorKind::OrganizationMismatch
//! [`ErrorKind::InvalidSession`]: crate::ErrorKind::InvalidSession
//! [`ErrorKind::InvalidProjectCredentials`]: crate::ErrorKind::InvalidProjectCredentials
//! [`ErrorKind::NotFound`]: crate::ErrorKind::NotFound
//! [`ErrorKind::RateLimited`]: crate::ErrorKind::RateLimited
//! [`ErrorKind::InvalidRequest`]: crate::ErrorKind::InvalidRequest
//! [`ErrorKind::Api`]: crate::ErrorKind::Api
//!
//! Stytch's reference names some error types without a status. The status here is a guess
//! then, and the documentation of the function mentions it.

mod reads;
mod uncommon;

use serde_json::{Map, Value};

pub use self::{reads::*, uncommon::*};
use super::jwt::Key;
use crate::wire::{Credential, MemberRoles, types};

/// An external connection: active, with one connection role and one group role.
pub fn connection() -> types::ExternalConnection {
    types::ExternalConnection {
        organization_id: "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931".into(),
        connection_id: "external-connection-test-d89ff7a0-e86f-4b4d-b6a3-9a74d967528e".into(),
        external_organization_id: "organization-test-c6e2ab4f-7f6a-4a3e-8b0c-5d9f1e2a3b4c".into(),
        external_connection_id: "saml-connection-test-51861cbc-d3b9-428b-9761-227f5fb12be9".into(),
        display_name: "Acme Okta".into(),
        status: "active".into(),
        external_connection_implicit_role_assignments: Some(vec![
            types::ConnectionImplicitRoleAssignment { role_id: "editor".into() },
        ]),
        external_group_implicit_role_assignments: Some(vec![types::GroupImplicitRoleAssignment {
            group: "it-admins".into(),
            role_id: "stytch_admin".into(),
        }]),
    }
}

/// 200: the update was applied, with this result.
pub fn updated(connection: types::ExternalConnection) -> types::UpdateExternalConnectionResponse {
    types::UpdateExternalConnectionResponse {
        connection,
        request_id: REQUEST_ID.into(),
        status_code: 200,
    }
}

/// 200: the session is active and belongs to `organization_id`.
pub fn authenticated(
    organization_id: &str,
    session_token: &str,
    session_jwt: &str,
) -> types::AuthenticateSessionResponse {
    types::AuthenticateSessionResponse {
        member_session: member_session(organization_id),
        session_jwt: Some(Credential::new(session_jwt)),
        session_token: Some(Credential::new(session_token)),
        request_id: REQUEST_ID.into(),
        status_code: 200,
    }
}

/// A member session of `organization_id`, as [`authenticated`] contains it. The client accepts it
/// for a session JWT whose signature it verified only with the `member_session_id` of that JWT.
pub fn member_session(organization_id: &str) -> types::MemberSession {
    types::MemberSession {
        organization_id: organization_id.into(),
        member_session_id: "session-test-fe6c042b-6286-479f-8a4f-b046a6c46509".into(),
        roles: Some(MemberRoles::new(["stytch_member", "stytch_admin"])),
    }
}

/// 200: the JWKS of a project that signs with `keys`.
pub fn jwks(keys: &[Key]) -> types::GetJwksResponse {
    types::GetJwksResponse {
        keys: keys.iter().map(Key::jwk).collect(),
        request_id: REQUEST_ID.to_owned(),
    }
}

/// 403 `session_authorization_error`: the member's roles don't grant the permission.
pub fn permission_denied() -> types::ErrorBody {
    error(
        403,
        "session_authorization_error",
        "The Member is not authorized to perform the requested action on that resource.",
    )
}

/// 403 `session_authorization_tenancy_error`: the session belongs to another organization.
pub fn organization_mismatch() -> types::ErrorBody {
    error(
        403,
        "session_authorization_tenancy_error",
        "The Member's Organization does not match the requested Organization.",
    )
}

/// 403 `organization_suspended`.
pub fn organization_suspended() -> types::ErrorBody {
    error(403, "organization_suspended", "The Organization is suspended.")
}

/// 401 `unauthorized_credentials`: the project id or secret is wrong.
pub fn credentials_rejected() -> types::ErrorBody {
    error(401, "unauthorized_credentials", "Unauthorized credentials.")
}

/// 404 `session_not_found`: the session is expired, revoked or unknown.
pub fn session_not_found() -> types::ErrorBody {
    error(404, "session_not_found", "Session could not be found.")
}

/// 400 `unable_to_parse_session_jwt`: not a JWT of this project, or an expired one where an
/// unexpired one is required. Stytch documents no status.
pub fn unable_to_parse_session_jwt() -> types::ErrorBody {
    error(400, "unable_to_parse_session_jwt", "Could not parse the session JWT.")
}

/// 400 `no_session_arguments`: neither a token nor a JWT was sent.
pub fn no_session_arguments() -> types::ErrorBody {
    error(
        400,
        "no_session_arguments",
        "Exactly one of session_token or session_jwt must be provided.",
    )
}

/// 400 `too_many_session_arguments`: more than one session was sent.
pub fn too_many_session_arguments() -> types::ErrorBody {
    error(
        400,
        "too_many_session_arguments",
        "Only one of session_token or session_jwt may be provided.",
    )
}

/// 404 `organization_not_found`.
pub fn organization_not_found() -> types::ErrorBody {
    error(404, "organization_not_found", "Organization could not be found.")
}

/// 404 `external_connection_id_not_found`.
pub fn connection_not_found() -> types::ErrorBody {
    error(404, "external_connection_id_not_found", "External connection could not be found.")
}

/// 400 `sso_connection_organization_mismatch`: the connection belongs to another organization.
/// Stytch documents no status.
pub fn connection_organization_mismatch() -> types::ErrorBody {
    error(
        400,
        "sso_connection_organization_mismatch",
        "The SSO connection does not belong to the Organization.",
    )
}

/// 400 `external_connection_not_active`.
pub fn connection_not_active() -> types::ErrorBody {
    error(400, "external_connection_not_active", "The external connection is not active.")
}

/// 400 `invalid_display_name`.
pub fn invalid_display_name() -> types::ErrorBody {
    error(400, "invalid_display_name", "display_name is invalid.")
}

/// 400 `saml_connection_attribute_mapping_missing_groups_key`: group roles need a `groups`
/// key in the attribute mapping of the underlying SAML connection.
pub fn groups_key_missing() -> types::ErrorBody {
    error(
        400,
        "saml_connection_attribute_mapping_missing_groups_key",
        "The underlying SAML connection's attribute_mapping has no groups key.",
    )
}

/// 400 `invalid_rbac_role_assignment`: an unknown role. `error_details` contains the role, the
/// name of the list and the position in it.
pub fn invalid_role_assignment(role_id: &str, field: &str, position: usize) -> types::ErrorBody {
    let details = [
        ("role_id", Value::from(role_id)),
        ("field", Value::from(field)),
        ("position", Value::from(position)),
    ];
    let details = details.map(|(name, value)| (name.to_owned(), value));
    types::ErrorBody {
        error_details: Some(Value::Object(Map::from_iter(details))),
        ..error(400, "invalid_rbac_role_assignment", "One or more role assignments are invalid.")
    }
}

/// 429 `too_many_requests`.
pub fn rate_limited() -> types::ErrorBody {
    error(429, "too_many_requests", "Too many requests have been made.")
}

/// 500 `internal_server_error`.
pub fn internal_server_error() -> types::ErrorBody {
    error(
        500,
        "internal_server_error",
        "Oops, something seems to have gone wrong, please reach out to support@stytch.com to \
         let us know what went wrong.",
    )
}

/// 503 `server_unavailable`.
pub fn server_unavailable() -> types::ErrorBody {
    error(503, "server_unavailable", "The server is unavailable.")
}

/// Any other error in Stytch's format.
///
/// ```
/// use stytch_sso_external::testing::responses;
///
/// let error = responses::error(403, "captcha_required", "A captcha is required.");
/// assert_eq!(error.error_url.unwrap(), "https://stytch.com/docs/api/errors/403");
/// ```
pub fn error(status: u16, error_type: &str, error_message: &str) -> types::ErrorBody {
    types::ErrorBody {
        status_code: Some(status.into()),
        request_id: Some(REQUEST_ID.into()),
        error_type: Some(error_type.into()),
        error_message: Some(error_message.into()),
        error_url: Some(format!("https://stytch.com/docs/api/errors/{status}")),
        error_details: None,
        error: None,
        error_description: None,
        error_uri: None,
    }
}

/// The `request_id` of all bodies here. The fake generates a new one for each response.
pub const REQUEST_ID: &str = "request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141";
