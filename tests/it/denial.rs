//! The error of each `error_type`, one row each, and of unknown types by their status.

use crate::support::prelude::*;

#[rustfmt::skip]
pub(crate) const TYPES: &[(u16, &str, ErrorKind)] = &[
    (403, "session_authorization_error",                          PERMISSION_DENIED),
    (403, "session_authorization_tenancy_error",                  OrganizationMismatch),
    (400, "sso_connection_organization_mismatch",                 OrganizationMismatch),
    (404, "session_not_found",                                    InvalidSession),
    (400, "invalid_session_token",                                InvalidSession),
    (400, "unable_to_parse_session_jwt",                          InvalidSession),
    (401, "jwt_invalid_audience",                                 InvalidSession),
    (401, "jwt_invalid_claims",                                   InvalidSession),
    (401, "jwt_invalid_issuer",                                   InvalidSession),
    (401, "unauthorized_credentials",                             InvalidProjectCredentials),
    (401, "invalid_secret_authentication",                        InvalidProjectCredentials),
    (401, "invalid_project_id_authentication",                    InvalidProjectCredentials),
    (401, "unauthorized_project_id_live",                         InvalidProjectCredentials),
    (401, "unauthorized_project_id_test",                         InvalidProjectCredentials),
    (404, "project_not_found",                                    InvalidProjectCredentials),
    (404, "sso_connection_not_found",                             NotFound),
    (404, "external_connection_id_not_found",                     NotFound),
    (404, "organization_not_found",                               NotFound),
    (429, "too_many_requests",                                    RateLimited),
    (400, "external_connection_not_active",                       InvalidRequest),
    (400, "invalid_role",                                         InvalidRequest),
    (400, "invalid_rbac_role_id",                                 InvalidRequest),
    (400, "invalid_rbac_role_assignment",                         InvalidRequest),
    (400, "cannot_assign_default_rbac_role_id",                   InvalidRequest),
    (400, "saml_connection_attribute_mapping_missing_groups_key", InvalidRequest),
    (400, "invalid_display_name",                                 InvalidRequest),
    (403, "organization_suspended",                               Api),
    (403, "captcha_required",                                     Api),
    (403, "use_https",                                            Api),
    (400, "no_session_arguments",                                 Api),
    (400, "too_many_session_arguments",                           Api),
    (500, "internal_server_error",                                Api),
    (503, "server_unavailable",                                   Api),
    // The type wins over the status.
    (400, "session_authorization_error",                          PERMISSION_DENIED),
    (403, "external_connection_id_not_found",                     NotFound),
    (503, "session_authorization_error",                          PERMISSION_DENIED),
    (400, "too_many_requests",                                    RateLimited),
    // Unknown types are classified by their status.
    (400, "new_in_2027",                                          InvalidRequest),
    (422, "new_in_2027",                                          InvalidRequest),
    (401, "new_in_2027",                                          Api),
    (403, "new_in_2027",                                          Api),
    (404, "new_in_2027",                                          NotFound),
    (409, "new_in_2027",                                          Api),
    (429, "new_in_2027",                                          RateLimited),
    (500, "new_in_2027",                                          Api),
];

#[tokio::test]
async fn each_error_type_becomes_its_kind() {
    let (acme, client) = Acme::with_client(|it| it.retry(RetryPolicy::disabled()));
    for (status, error_type, kind) in TYPES {
        // Whatever the attempts: a rejected JWT is renewed once.
        let response = Response::json(*status, &body(*status, error_type));
        let fault = acme.stytch.fault(UPDATE, Fault::response(response));
        let error = acme.rename(&client.as_member(acme.jwt())).await.unwrap_err();
        fault.clear();
        let row = format!("{status} {error_type}: {error:?}");
        let outcome = if *status >= 500 { Unknown } else { NotApplied };
        assert_eq!(facts(&error), (*kind, Some(*status), outcome), "{row}");
        let body = body(*status, error_type);
        assert_eq!(texts(&error), TEXTS.map(|text| body[text].as_str()), "{row}");
        assert_eq!(error.error_details(), Some(&body["error_details"]), "{row}");
        let is_retryable = *kind == RateLimited || (*status, *kind) == (503, Api);
        assert_eq!((error.operation(), error.is_retryable()), (UPDATE, is_retryable), "{row}");
        assert!(!error.to_string().contains("A message."), "{row}");
    }
    assert_eq!(acme.stytch.updates(), []);
}

fn body(status: u16, error_type: &str) -> Value {
    json!({
        "status_code": status,
        "request_id": "request-id-test-1",
        "error_type": error_type,
        "error_message": "A message.",
        "error_url": "https://stytch.com/docs/api/errors",
        "error_details": {"position": 1},
    })
}

#[test]
fn html_502_keeps_its_status_and_a_snippet() {
    let page = format!("<h1>Bad gateway</h1>{}", "x".repeat(10_000));
    let headers = headers_of(&[("retry-after", "7")]);
    let error = testing::error_with_headers(UPDATE, 502, &headers, &*page);
    assert_eq!(facts(&error), (UnexpectedResponse, Some(502), Unknown), "{error:?}");
    assert!(error.is_retryable());
    assert_eq!(error.retry_after().unwrap().as_secs(), 7);
    assert_eq!(error.body_snippet().unwrap(), &page[..512]);
    assert!(!format!("{error} {error:?}").contains("gateway"));
}

/// No session and no id of the caller is in these requests, so their statuses mean something else.
#[test]
fn unknown_error_types_of_operations_without_a_member_are_classified_by_status() {
    let body = r#"{"error_type": "new_in_2027", "request_id": "request-id-test-1"}"#;
    for operation in [AuthenticateSession, GetJwks, GetRbacPolicy, GetOrganizationRbacPolicy] {
        for status in [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503] {
            let (kind, is_retryable) = match status {
                401 => (InvalidProjectCredentials, false),
                429 => (RateLimited, true),
                408 | 502 | 503 => (Api, true),
                _ => (Api, false),
            };
            let error = testing::error(operation, status, body);
            let row = format!("{operation} {status}");
            assert_eq!(facts(&error), (kind, Some(status), NotApplied), "{row}");
            assert_eq!(error.is_retryable(), is_retryable, "{row}");
        }
        // No permission of a member is needed for these.
        let denied = testing::error(operation, 403, &responses::permission_denied());
        assert_eq!(denied.kind(), Api, "{operation}");
    }
}
