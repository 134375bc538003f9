//! Documented errors that few tests need by name, and the list of all documented errors.

use super::{
    connection_not_active, connection_not_found, connection_organization_mismatch,
    credentials_rejected, error, groups_key_missing, internal_server_error, invalid_display_name,
    invalid_role_assignment, no_session_arguments, organization_mismatch, organization_not_found,
    organization_suspended, permission_denied, rate_limited, server_unavailable, session_not_found,
    too_many_session_arguments, unable_to_parse_session_jwt,
};
use crate::wire::types;

/// 400 `invalid_session_token`: a malformed session token. Stytch documents no status.
pub fn invalid_session_token() -> types::ErrorBody {
    error(400, "invalid_session_token", "session_token is invalid.")
}

/// 401 `jwt_invalid_audience`: a JWT of another project. Stytch documents no status.
pub fn jwt_invalid_audience() -> types::ErrorBody {
    error(401, "jwt_invalid_audience", "The JWT's audience is invalid.")
}

/// 401 `jwt_invalid_claims`: an invalid claim. Stytch documents no status.
pub fn jwt_invalid_claims() -> types::ErrorBody {
    error(401, "jwt_invalid_claims", "The JWT's claims are invalid.")
}

/// 401 `jwt_invalid_issuer`: a JWT of another issuer. Stytch documents no status.
pub fn jwt_invalid_issuer() -> types::ErrorBody {
    error(401, "jwt_invalid_issuer", "The JWT's issuer is invalid.")
}

/// 401 `invalid_secret_authentication`: the secret is wrong. Stytch documents no status.
pub fn invalid_secret_authentication() -> types::ErrorBody {
    error(401, "invalid_secret_authentication", "The secret is invalid.")
}

/// 401 `invalid_project_id_authentication`: the project id is wrong. Stytch documents no status.
pub fn invalid_project_id_authentication() -> types::ErrorBody {
    error(401, "invalid_project_id_authentication", "The project_id is invalid.")
}

/// 401 `unauthorized_project_id_live`: a live project at the test host. Stytch
/// documents no status.
pub fn unauthorized_project_id_live() -> types::ErrorBody {
    error(401, "unauthorized_project_id_live", "A live project_id can't be used here.")
}

/// 401 `unauthorized_project_id_test`: a test project at the live host. Stytch
/// documents no status.
pub fn unauthorized_project_id_test() -> types::ErrorBody {
    error(401, "unauthorized_project_id_test", "A test project_id can't be used here.")
}

/// 404 `project_not_found`. Stytch documents no status.
pub fn project_not_found() -> types::ErrorBody {
    error(404, "project_not_found", "Project could not be found.")
}

/// 404 `sso_connection_not_found`.
pub fn sso_connection_not_found() -> types::ErrorBody {
    error(404, "sso_connection_not_found", "SSO connection could not be found.")
}

/// 400 `invalid_role`: an unknown role.
pub fn invalid_role() -> types::ErrorBody {
    error(400, "invalid_role", "The role is invalid.")
}

/// 400 `invalid_rbac_role_id`: a malformed role id.
pub fn invalid_rbac_role_id() -> types::ErrorBody {
    error(400, "invalid_rbac_role_id", "role_id is invalid.")
}

/// 400 `cannot_assign_default_rbac_role_id`: a default role, which every member has already.
pub fn cannot_assign_default_role() -> types::ErrorBody {
    error(400, "cannot_assign_default_rbac_role_id", "A default role can't be assigned.")
}

/// 403 `captcha_required`.
pub fn captcha_required() -> types::ErrorBody {
    error(403, "captcha_required", "A captcha is required.")
}

/// 403 `use_https`: the request was sent over plain http.
pub fn use_https() -> types::ErrorBody {
    error(403, "use_https", "Use https.")
}

/// Returns one of each error that Stytch documents for the operations of this crate.
///
/// For tests of what holds for every error, for example that a handler never shows Stytch's
/// `error_message`:
///
/// ```
/// use stytch_sso_external::{
///     Operation, Session,
///     testing::{Fault, Response, Stytch, responses},
///     types::UpdateExternalConnectionRequest,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let stytch = Stytch::start();
/// let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
/// let update = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
/// # let client = stytch.client_builder().retry(stytch_sso_external::RetryPolicy::disabled()).build().unwrap();
/// for body in responses::documented() {
///     let fault = Fault::response(Response::error(&body));
///     stytch.fault(Operation::UpdateExternalConnection, fault).times(1);
///     let member = client.as_member(Session::token(ada.token()));
///     let error = member.update_connection("external-connection-test-1", &update).await.unwrap_err();
///     assert_eq!(error.error_type(), body.error_type.as_deref());
/// }
/// # }
/// ```
pub fn documented() -> Vec<types::ErrorBody> {
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
