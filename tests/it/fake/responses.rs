//! The bodies in `testing::responses` equal those captured from Stytch.

use std::collections::BTreeSet;

use crate::{denial::TYPES, support::prelude::*, vectors::samples};

#[test]
fn errors_are_as_captured() {
    let captured = samples("responses");
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
        ("error_with_error_details", responses::invalid_role_assignment("no_such_role", ROLES, 1)),
    ] {
        let mut cases = captured["cases"].as_array().unwrap().iter();
        let case = cases.find(|case| case["name"] == name).unwrap();
        assert_eq!(json!(error), case["body"], "{name}");
        assert_eq!(json!(error.status_code), case["http_status"], "{name}");
    }
}

#[test]
fn success_is_an_active_connection() {
    let response = json!(responses::updated(responses::connection()));
    assert_eq!(response["status_code"], 200);
    assert_eq!(response["connection"]["status"], "active");
}

/// Response types are `#[non_exhaustive]`: outside the crate, only functions build them.
#[test]
fn every_response_type_can_be_built_and_changed() {
    let mut connection: ExternalConnection = responses::connection();
    connection.display_name = "Renamed".to_owned();
    let mut updated: UpdateExternalConnectionResponse = responses::updated(connection);
    updated.request_id.clear();
    let mut session: types::MemberSession = responses::member_session("organization-test-1");
    session.organization_id.push('0');
    let mut authenticated: types::AuthenticateSessionResponse =
        responses::authenticated("organization-test-1", "token", "jwt");
    authenticated.member_session = session;
    authenticated.session_token = None;
    let mut jwk: types::Jwk = Key::generate().jwk();
    jwk.kid = None;
    let mut jwks: types::GetJwksResponse = responses::jwks(&[]);
    jwks.keys.push(jwk);
    let mut error: types::ErrorBody = responses::error(400, "new_type", "A message.");
    error.error_url = None;
    assert_eq!(json!(authenticated)["member_session"]["organization_id"], "organization-test-10");
}

#[test]
fn each_error_type_of_the_client_has_a_body() {
    let documented = responses::documented();
    let made: BTreeSet<_> = documented.iter().map(|it| it.error_type.as_deref().unwrap()).collect();
    assert_eq!(made.len(), documented.len());
    let known = TYPES.iter().map(|(_, error_type, _)| *error_type);
    assert_eq!(made, known.filter(|error_type| *error_type != "new_in_2027").collect());
    for error in &documented {
        let row = TYPES.iter().find(|row| Some(row.1) == error.error_type.as_deref()).unwrap();
        assert_eq!(error.status_code, Some(row.0.into()), "{}", row.1);
        assert!(error.request_id.is_some() && error.error_message.is_some(), "{}", row.1);
    }
}
