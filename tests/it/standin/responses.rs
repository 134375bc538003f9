//! The ready-made bodies are what was captured from Stytch.

use serde_json::{Value, json};
use stytch_sso_external::testing::responses;

#[test]
fn errors_are_as_captured() {
    let captured: Value =
        serde_json::from_str(include_str!("../../vectors/responses.json")).unwrap();
    let list = "external_connection_implicit_role_assignments";
    for (name, error) in [
        ("error_400_invalid_display_name", responses::invalid_display_name()),
        ("error_400_groups_key_missing", responses::groups_key_missing()),
        ("error_401_unauthorized_credentials", responses::credentials_rejected()),
        ("error_403_session_authorization_error", responses::permission_denied()),
        ("error_403_session_authorization_tenancy_error", responses::organization_mismatch()),
        ("error_404_connection_not_found", responses::connection_not_found()),
        ("error_404_session_not_found", responses::session_not_found()),
        ("error_429_too_many_requests", responses::rate_limited()),
        ("error_500_internal_server_error", responses::internal_server_error()),
        ("error_with_error_details", responses::invalid_role_assignment("no_such_role", list, 1)),
    ] {
        let mut cases = captured["cases"].as_array().unwrap().iter();
        let case = cases.find(|case| case["name"] == name).unwrap();
        assert_eq!(json!(error), case["body"], "{name}");
        assert_eq!(json!(error.status_code), case["http_status"], "{name}");
    }
}

#[test]
fn success_is_an_active_connection() {
    let answer = json!(responses::updated(responses::connection()));
    assert_eq!(answer["status_code"], 200);
    assert_eq!(answer["connection"]["status"], "active");
}
