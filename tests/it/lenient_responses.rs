//! What comes of a success that lacks a field, or has a null in its place: for each field of each
//! response, whether it is rejected, or what the field is then.

use std::slice;

use serde::{Serialize, de::DeserializeOwned};

use crate::support::prelude::*;

/// What comes of a field if it is missing, and if it is null.
type Leniency = (&'static str, &'static str);

/// The response can't be decoded.
const REQUIRED: Leniency = ("rejected", "rejected");
const REQUIRED_LIST: Leniency = ("rejected", "[]");
/// The field is `None`: serializing leaves it out.
const OPTIONAL: Leniency = ("None", "None");
const OPTIONAL_LIST: Leniency = ("None", "[]");
const TEXT: Leniency = ("\"\"", "\"\"");
const NUMBER: Leniency = ("0", "0");

#[test]
fn update_requires_a_connection_and_its_ids() {
    let rows = [
        ("/connection", REQUIRED),
        ("/connection/connection_id", REQUIRED),
        ("/connection/display_name", TEXT),
        ("/connection/external_connection_id", TEXT),
        ("/connection/external_connection_implicit_role_assignments", OPTIONAL_LIST),
        ("/connection/external_connection_implicit_role_assignments/0/role_id", REQUIRED),
        ("/connection/external_group_implicit_role_assignments", OPTIONAL_LIST),
        ("/connection/external_group_implicit_role_assignments/0/group", REQUIRED),
        ("/connection/external_group_implicit_role_assignments/0/role_id", REQUIRED),
        ("/connection/external_organization_id", TEXT),
        ("/connection/organization_id", REQUIRED),
        ("/connection/status", TEXT),
        ("/request_id", TEXT),
        ("/status_code", NUMBER),
    ];
    check(&responses::updated(responses::connection()), &rows);
}

#[test]
fn connections_require_a_list_which_may_be_null() {
    let rows =
        [("/external_connections", REQUIRED_LIST), ("/request_id", TEXT), ("/status_code", NUMBER)];
    check(&responses::connections([]), &rows);
}

#[test]
fn policies_require_roles_in_the_project_only() {
    let roles: &[(&str, &str, &[&str])] = &[("editor", "stytch.sso", &["update"])];
    let rows = [
        ("/policy", REQUIRED),
        ("/policy/roles", REQUIRED),
        ("/policy/roles/0/permissions", OPTIONAL_LIST),
        ("/policy/roles/0/permissions/0/actions", REQUIRED),
        ("/policy/roles/0/permissions/0/resource_id", REQUIRED),
        ("/policy/roles/0/role_id", REQUIRED),
        ("/request_id", TEXT),
    ];
    check(&responses::rbac_policy(roles), &rows);
    let rows = [
        ("/org_policy", OPTIONAL),
        ("/org_policy/roles", OPTIONAL_LIST),
        ("/org_policy/roles/0/permissions", OPTIONAL_LIST),
        ("/org_policy/roles/0/permissions/0/actions", REQUIRED),
        ("/org_policy/roles/0/permissions/0/resource_id", REQUIRED),
        ("/org_policy/roles/0/role_id", REQUIRED),
        ("/request_id", TEXT),
    ];
    check(&responses::organization_rbac_policy(roles), &rows);
}

#[test]
fn session_requires_its_organization_and_no_credential() {
    let rows = [
        ("/member_session", REQUIRED),
        ("/member_session/member_session_id", TEXT),
        ("/member_session/organization_id", REQUIRED),
        ("/member_session/roles", OPTIONAL),
        ("/request_id", TEXT),
        ("/session_jwt", OPTIONAL),
        ("/session_token", OPTIONAL),
        ("/status_code", NUMBER),
    ];
    check(&responses::authenticated("organization-test-1", "token", "a.b.c"), &rows);
}

#[test]
fn jwks_requires_keys_and_nothing_of_a_key() {
    let rows = [
        ("/keys", REQUIRED),
        ("/keys/0/alg", OPTIONAL),
        ("/keys/0/e", OPTIONAL),
        ("/keys/0/kid", OPTIONAL),
        ("/keys/0/kty", OPTIONAL),
        ("/keys/0/n", OPTIONAL),
        ("/request_id", TEXT),
    ];
    check(&responses::jwks(slice::from_ref(&*KEY)), &rows);
}

/// Compares what comes of each field of a response with a table that has a row for each.
fn check<T: DeserializeOwned + Serialize>(response: &T, rows: &[(&str, Leniency)]) {
    let whole = serde_json::to_value(response).unwrap();
    let mut pointers = Vec::new();
    collect_fields(&whole, "", &mut pointers);
    let expected: Vec<_> = rows.iter().map(|(pointer, ..)| (*pointer).to_owned()).collect();
    assert_eq!(pointers, expected, "a row for each field, in this order");
    for (pointer, (missing, null)) in rows {
        let outcomes = missing_or_null(&whole, &[pointer]).map(|body| outcome::<T>(body, pointer));
        assert_eq!(outcomes, [*missing, *null], "{pointer}, missing and null");
    }
}

fn collect_fields(value: &Value, at: &str, pointers: &mut Vec<String>) {
    for (name, field) in value.as_object().into_iter().flatten() {
        pointers.push(format!("{at}/{name}"));
        collect_fields(field, &format!("{at}/{name}"), pointers);
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        collect_fields(item, &format!("{at}/{index}"), pointers);
    }
}

/// Decodes a body and encodes it again: what became of the field.
fn outcome<T: DeserializeOwned + Serialize>(body: Value, pointer: &str) -> String {
    let Ok(decoded) = serde_json::from_value::<T>(body) else {
        return "rejected".to_owned();
    };
    let encoded = serde_json::to_value(decoded).unwrap();
    encoded.pointer(pointer).map_or("None".to_owned(), Value::to_string)
}

#[test]
fn null_in_a_list_is_never_skipped() {
    let connection = json!(responses::connection());
    for list in [ROLES, GROUP_ROLES] {
        let body = with(connection.clone(), &format!("/{list}/0"), Value::Null);
        assert!(!decodes::<ExternalConnection>(&body), "{list}");
    }
    let body = json!({"external_connections": [connection, null]});
    assert!(!decodes::<types::GetConnectionsResponse>(&body));
}

#[test]
fn empty_lists_survive_being_serialized_again() {
    let mut connection = responses::connection();
    connection.external_connection_implicit_role_assignments = Some(vec![]);
    connection.external_group_implicit_role_assignments = None;
    let encoded = serde_json::to_string(&connection).unwrap();
    assert!(encoded.contains("\"external_connection_implicit_role_assignments\":[]"), "{encoded}");
    assert!(!encoded.contains("external_group_implicit_role_assignments"), "{encoded}");
    assert_eq!(serde_json::from_str::<ExternalConnection>(&encoded).unwrap(), connection);
}

/// Of the one response without a required field, the client checks each success:
/// `decoding::documented_errors_under_200_are_errors_for_every_operation`.
#[test]
fn no_success_type_decodes_an_error_body() {
    for error in responses::documented() {
        let body = json!(error);
        assert!(!decodes::<UpdateExternalConnectionResponse>(&body), "{body}");
        assert!(!decodes::<types::GetConnectionsResponse>(&body), "{body}");
        assert!(!decodes::<types::GetRbacPolicyResponse>(&body), "{body}");
        assert!(!decodes::<types::AuthenticateSessionResponse>(&body), "{body}");
        assert!(!decodes::<types::GetJwksResponse>(&body), "{body}");
        assert!(decodes::<types::GetOrganizationRbacPolicyResponse>(&body), "{body}");
    }
}

fn decodes<T: DeserializeOwned>(body: &Value) -> bool {
    serde_json::from_value::<T>(body.clone()).is_ok()
}
