//! The error of each `error_type`, one row each, and of unknown types by their status.

use serde_json::json;
use stytch_sso_external::{
    Error, ErrorKind, Operation, Outcome, RetryPolicy, Session,
    testing::{self, Fault, Response, responses},
    types::UpdateExternalConnectionResponse,
};

use crate::support::{
    acme::Acme,
    scripted_project::{rename, variant},
};

#[rustfmt::skip]
pub(crate) const TYPES: &[(u16, &str, &str)] = &[
    (403, "session_authorization_error",                          "PermissionDenied"),
    (403, "session_authorization_tenancy_error",                  "OrganizationMismatch"),
    (400, "sso_connection_organization_mismatch",                 "OrganizationMismatch"),
    (404, "session_not_found",                                    "InvalidSession"),
    (400, "invalid_session_token",                                "InvalidSession"),
    (400, "unable_to_parse_session_jwt",                          "InvalidSession"),
    (401, "jwt_invalid_audience",                                 "InvalidSession"),
    (401, "jwt_invalid_claims",                                   "InvalidSession"),
    (401, "jwt_invalid_issuer",                                   "InvalidSession"),
    (401, "unauthorized_credentials",                             "InvalidProjectCredentials"),
    (401, "invalid_secret_authentication",                        "InvalidProjectCredentials"),
    (401, "invalid_project_id_authentication",                    "InvalidProjectCredentials"),
    (401, "unauthorized_project_id_live",                         "InvalidProjectCredentials"),
    (401, "unauthorized_project_id_test",                         "InvalidProjectCredentials"),
    (404, "project_not_found",                                    "InvalidProjectCredentials"),
    (404, "sso_connection_not_found",                             "NotFound"),
    (404, "external_connection_id_not_found",                     "NotFound"),
    (404, "organization_not_found",                               "NotFound"),
    (429, "too_many_requests",                                    "RateLimited"),
    (400, "external_connection_not_active",                       "InvalidRequest"),
    (400, "invalid_role",                                         "InvalidRequest"),
    (400, "invalid_rbac_role_id",                                 "InvalidRequest"),
    (400, "invalid_rbac_role_assignment",                         "InvalidRequest"),
    (400, "cannot_assign_default_rbac_role_id",                   "InvalidRequest"),
    (400, "saml_connection_attribute_mapping_missing_groups_key", "InvalidRequest"),
    (400, "invalid_display_name",                                 "InvalidRequest"),
    (403, "organization_suspended",                               "Api"),
    (403, "captcha_required",                                     "Api"),
    (403, "use_https",                                            "Api"),
    (400, "no_session_arguments",                                 "Api"),
    (400, "too_many_session_arguments",                           "Api"),
    (500, "internal_server_error",                                "Api"),
    (503, "server_unavailable",                                   "Api"),
    // The type wins over the status.
    (400, "session_authorization_error",                          "PermissionDenied"),
    (403, "external_connection_id_not_found",                     "NotFound"),
    // Unknown types are classified by their status.
    (400, "new_in_2027",                                          "InvalidRequest"),
    (422, "new_in_2027",                                          "InvalidRequest"),
    (401, "new_in_2027",                                          "Api"),
    (403, "new_in_2027",                                          "Api"),
    (404, "new_in_2027",                                          "NotFound"),
    (409, "new_in_2027",                                          "Api"),
    (429, "new_in_2027",                                          "RateLimited"),
    (500, "new_in_2027",                                          "Api"),
];

#[tokio::test]
async fn each_error_type_becomes_its_variant() {
    let acme = Acme::captured();
    for (status, error_type, kind) in TYPES {
        let error = acme.rejected(*status, error_type).await;
        let row = format!("{status} {error_type}: {error:?}");
        assert_eq!(variant(&error), *kind, "{row}");
        assert_eq!(error.status().unwrap().as_u16(), *status, "{row}");
        assert_eq!(error.error_type(), Some(*error_type), "{row}");
        assert_eq!(error.error_message(), Some("A message."), "{row}");
        assert_eq!(error.error_url(), Some("https://stytch.com/docs/api/errors"), "{row}");
        assert_eq!(error.error_details(), Some(&json!({"position": 1})), "{row}");
        assert_eq!(error.request_id(), Some("request-id-test-1"), "{row}");
        assert_eq!(error.is_retryable(), [429, 503].contains(status), "{row}");
        let outcome = if *status >= 500 { Outcome::Unknown } else { Outcome::NotApplied };
        assert_eq!(error.outcome(), outcome, "{row}");
        assert!(!error.to_string().contains("A message."), "{row}");
    }
    assert_eq!(acme.stytch.updates(), []);
}

#[tokio::test]
async fn denial_under_a_retryable_status_is_not_retryable() {
    let acme = Acme::captured();
    let error = acme.rejected(503, "session_authorization_error").await;
    assert!(
        matches!(error.kind(), ErrorKind::PermissionDenied { .. }) && !error.is_retryable(),
        "{error:?}"
    );
    let error = acme.rejected(400, "too_many_requests").await;
    assert!(error.kind() == ErrorKind::RateLimited && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn denied_permission_names_action_and_resource() {
    let acme = Acme::captured();
    let error = acme.rejected(403, "session_authorization_error").await;
    let denied = ErrorKind::PermissionDenied { action: "update", resource: "stytch.sso" };
    assert_eq!(error.kind(), denied);
}

#[tokio::test]
async fn status_403_alone_is_no_permission_denied() {
    let acme = Acme::captured();
    acme.fault(
        Operation::UpdateExternalConnection,
        Fault::response(Response::json(
            403,
            &json!({"request_id": "request-id-test-1", "status_code": 403}),
        )),
    );
    let error = acme.update().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error:?}");
    assert_eq!(error.request_id(), Some("request-id-test-1"));
}

#[tokio::test]
async fn html_502_keeps_its_status_and_a_snippet() {
    let acme = Acme::captured();
    let page = format!("<h1>Bad gateway</h1>{}", "x".repeat(10_000));
    acme.fault(
        Operation::UpdateExternalConnection,
        Fault::response(Response::html(502, &page).header("retry-after", "7")),
    );
    let error = acme.update().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error:?}");
    assert_eq!(error.status().unwrap(), 502);
    assert!(error.is_retryable());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.retry_after().unwrap().as_secs(), 7);
    assert_eq!(error.body_snippet().unwrap(), &page[..512]);
    assert!(!format!("{error} {error:?}").contains("gateway"));
}

#[tokio::test]
async fn errors_of_authenticate_send_no_update() {
    let acme = Acme::captured();
    let client = acme.stytch.client_builder().retry(RetryPolicy::disabled()).build().unwrap();
    let rows = [
        (500, "Api"),
        (429, "RateLimited"),
        (404, "InvalidSession"),
        (400, "Api"),
        // Only the project's credentials can be rejected here: the session is in the body.
        (401, "InvalidProjectCredentials"),
    ];
    for (status, kind) in rows {
        let error_type = if status == 404 { "session_not_found" } else { "new_in_2027" };
        let fault = acme
            .stytch
            .fault(Operation::AuthenticateSession, Fault::response(body(status, error_type)))
            .times(1);
        let member = client.as_member(Session::token(acme.ada.token()));
        let error =
            member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap_err();
        assert_eq!((&*variant(&error), error.outcome()), (kind, Outcome::NotApplied), "{error:?}");
        assert_eq!(fault.hits(), 1);
    }
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 0);
}

/// No session and no id of the caller is in these requests, so their statuses mean something else.
#[test]
fn unknown_error_types_of_operations_without_a_member_are_classified_by_status() {
    let body = r#"{"error_type": "new_in_2027", "request_id": "request-id-test-1"}"#;
    let operations = [
        Operation::AuthenticateSession,
        Operation::GetJwks,
        Operation::GetRbacPolicy,
        Operation::GetOrganizationRbacPolicy,
    ];
    let rows = [
        (400, "Api", false),
        (401, "InvalidProjectCredentials", false),
        (403, "Api", false),
        (404, "Api", false),
        (408, "Api", true),
        (409, "Api", false),
        (422, "Api", false),
        (429, "RateLimited", true),
        (500, "Api", false),
        (502, "Api", true),
        (503, "Api", true),
    ];
    for operation in operations {
        for (status, kind, is_retryable) in rows {
            let error = testing::error(operation, status, body);
            let row = format!("{operation} {status}");
            assert_eq!(variant(&error), kind, "{row}");
            assert_eq!(error.is_retryable(), is_retryable, "{row}");
            assert_eq!(error.outcome(), Outcome::NotApplied, "{row}");
        }
        // No permission of a member is needed for these.
        let denied = testing::error(operation, 403, &responses::permission_denied());
        assert_eq!(denied.kind(), ErrorKind::Api, "{operation}");
    }
}

impl Acme {
    async fn rejected(&self, status: u16, error_type: &str) -> Error {
        // Whatever the attempts: a rejected JWT is renewed once.
        let fault = Fault::response(body(status, error_type));
        let fault = self.stytch.fault(Operation::UpdateExternalConnection, fault);
        let error = self.update().await.unwrap_err();
        fault.clear();
        error
    }

    async fn update(&self) -> Result<UpdateExternalConnectionResponse, Error> {
        let client = self.stytch.client_builder().retry(RetryPolicy::disabled()).build().unwrap();
        let member = client.as_member(Session::jwt(self.ada.jwt()));
        member.update_connection(self.connection.id(), &rename("Renamed")).await
    }
}

fn body(status: u16, error_type: &str) -> Response {
    let body = json!({
        "status_code": status,
        "request_id": "request-id-test-1",
        "error_type": error_type,
        "error_message": "A message.",
        "error_url": "https://stytch.com/docs/api/errors",
        "error_details": {"position": 1},
    });
    Response::json(status, &body)
}
