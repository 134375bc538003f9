//! The refusals that Stytch documents and a test seldom needs by name, and the list of all.
//!
//! Where Stytch's reference names no status, the one here is a guess, and the function says so.

use super::{
    connection_not_active, connection_not_found, connection_organization_mismatch,
    credentials_rejected, error, groups_key_missing, internal_server_error, invalid_display_name,
    invalid_role_assignment, no_session_arguments, organization_mismatch, organization_not_found,
    organization_suspended, permission_denied, rate_limited, server_unavailable, session_not_found,
    too_many_session_arguments, unable_to_parse_session_jwt,
};
use crate::generated::types;

/// 400 `invalid_session_token`: no session token at all. Stytch names no status.
#[must_use]
pub fn invalid_session_token() -> types::Error {
    error(400, "invalid_session_token", "session_token is invalid.")
}

/// 401 `jwt_invalid_audience`: a JWT of another project. Stytch names no status.
#[must_use]
pub fn jwt_invalid_audience() -> types::Error {
    error(401, "jwt_invalid_audience", "The JWT's audience is invalid.")
}

/// 401 `jwt_invalid_claims`: a claim of the JWT's can't be used. Stytch names no status.
#[must_use]
pub fn jwt_invalid_claims() -> types::Error {
    error(401, "jwt_invalid_claims", "The JWT's claims are invalid.")
}

/// 401 `jwt_invalid_issuer`: a JWT that somebody else issued. Stytch names no status.
#[must_use]
pub fn jwt_invalid_issuer() -> types::Error {
    error(401, "jwt_invalid_issuer", "The JWT's issuer is invalid.")
}

/// 401 `invalid_secret_authentication`: the secret is wrong. Stytch names no status.
#[must_use]
pub fn invalid_secret_authentication() -> types::Error {
    error(401, "invalid_secret_authentication", "The secret is invalid.")
}

/// 401 `invalid_project_id_authentication`: the project id is wrong. Stytch names no status.
#[must_use]
pub fn invalid_project_id_authentication() -> types::Error {
    error(401, "invalid_project_id_authentication", "The project_id is invalid.")
}

/// 401 `unauthorized_project_id_live`: a live project, asked for at the test host. Stytch
/// names no status.
#[must_use]
pub fn unauthorized_project_id_live() -> types::Error {
    error(401, "unauthorized_project_id_live", "A live project_id can't be used here.")
}

/// 401 `unauthorized_project_id_test`: a test project, asked for at the live host. Stytch
/// names no status.
#[must_use]
pub fn unauthorized_project_id_test() -> types::Error {
    error(401, "unauthorized_project_id_test", "A test project_id can't be used here.")
}

/// 404 `project_not_found`. Stytch names no status.
#[must_use]
pub fn project_not_found() -> types::Error {
    error(404, "project_not_found", "Project could not be found.")
}

/// 404 `sso_connection_not_found`.
#[must_use]
pub fn sso_connection_not_found() -> types::Error {
    error(404, "sso_connection_not_found", "SSO connection could not be found.")
}

/// 400 `invalid_role`: no such role.
#[must_use]
pub fn invalid_role() -> types::Error {
    error(400, "invalid_role", "The role is invalid.")
}

/// 400 `invalid_rbac_role_id`: nothing that could be the id of a role.
#[must_use]
pub fn invalid_rbac_role_id() -> types::Error {
    error(400, "invalid_rbac_role_id", "role_id is invalid.")
}

/// 400 `cannot_assign_default_rbac_role_id`: a role that every member has isn't assigned.
#[must_use]
pub fn cannot_assign_default_role() -> types::Error {
    error(400, "cannot_assign_default_rbac_role_id", "A default role can't be assigned.")
}

/// 403 `captcha_required`.
#[must_use]
pub fn captcha_required() -> types::Error {
    error(403, "captcha_required", "A captcha is required.")
}

/// 403 `use_https`: the request came in the clear.
#[must_use]
pub fn use_https() -> types::Error {
    error(403, "use_https", "Use https.")
}

/// One of each error that Stytch documents for the operations of this crate.
///
/// It is for a test of what must hold whatever Stytch says, for example that a handler never
/// repeats Stytch's words:
///
/// ```
/// use stytch_sso_external::{
///     Session,
///     testing::{Answer, Fault, Operation, Stytch, responses},
///     types::UpdateExternalConnectionRequest,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let stytch = Stytch::start();
/// let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
/// let update = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
/// # let client = stytch.client_builder().retry(stytch_sso_external::RetryPolicy::off()).build().unwrap();
/// for refusal in responses::documented() {
///     stytch.fault(Operation::Update, Fault::answer(Answer::error(&refusal))).times(1);
///     let member = client.as_member(Session::jwt(ada.jwt()));
///     let error = member.update_connection("external-connection-test-1", &update).await.unwrap_err();
///     assert_eq!(error.error_type(), refusal.error_type.as_deref());
/// }
/// # }
/// ```
#[must_use]
pub fn documented() -> Vec<types::Error> {
    vec![
        permission_denied(),
        organization_mismatch(),
        connection_organization_mismatch(),
        organization_suspended(),
        captcha_required(),
        use_https(),
        credentials_rejected(),
        invalid_secret_authentication(),
        invalid_project_id_authentication(),
        unauthorized_project_id_live(),
        unauthorized_project_id_test(),
        project_not_found(),
        session_not_found(),
        invalid_session_token(),
        unable_to_parse_session_jwt(),
        jwt_invalid_audience(),
        jwt_invalid_claims(),
        jwt_invalid_issuer(),
        no_session_arguments(),
        too_many_session_arguments(),
        organization_not_found(),
        connection_not_found(),
        sso_connection_not_found(),
        connection_not_active(),
        invalid_display_name(),
        groups_key_missing(),
        invalid_role(),
        invalid_rbac_role_id(),
        invalid_role_assignment("no_such_role", ROLES, 0),
        cannot_assign_default_role(),
        rate_limited(),
        internal_server_error(),
        server_unavailable(),
    ]
}

const ROLES: &str = "external_connection_implicit_role_assignments";
