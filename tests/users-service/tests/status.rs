//! Tests of what the handler responds to each error, and of how short a test is.

use stytch_sso_external::testing::{error, transport_error};
use stytch_sso_external::{Error, Operation::UpdateExternalConnection as UPDATE, Outcome};
use users_service::to_status;

fn of(status: u16, error_type: &str) -> Error {
    error(UPDATE, status, format!(r#"{{"error_type": "{error_type}"}}"#))
}

#[test]
fn each_error_has_its_status() {
    assert_eq!(to_status(&of(403, "session_authorization_error")), 403);
    assert_eq!(to_status(&of(403, "session_authorization_tenancy_error")), 404);
    assert_eq!(to_status(&of(404, "session_not_found")), 401);
    assert_eq!(to_status(&of(401, "unauthorized_credentials")), 500);
    assert_eq!(to_status(&of(404, "external_connection_id_not_found")), 404);
    assert_eq!(to_status(&of(429, "too_many_requests")), 429);
    assert_eq!(to_status(&of(400, "invalid_display_name")), 422);
    assert_eq!(to_status(&of(500, "internal_server_error")), 502);
    assert_eq!(to_status(&error(UPDATE, 502, "<html>")), 502);
    assert_eq!(to_status(&transport_error(UPDATE, Outcome::Unknown)), 504);
}

#[test]
fn a_test_of_the_handler_takes_few_lines() {
    let test = include_str!("denied.rs");
    assert!(test.lines().count() < 17, "{test}");
}
