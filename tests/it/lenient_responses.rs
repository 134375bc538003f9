//! What comes of a success that lacks a field, or has a null in its place: for each field of each
//! response, whether it is rejected, or what the field is then.

use std::slice;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use stytch_sso_external::{
    testing::responses,
    types::{
        AuthenticateSessionResponse, ExternalConnection, GetConnectionsResponse, GetJwksResponse,
        GetOrganizationRbacPolicyResponse, GetRbacPolicyResponse, UpdateExternalConnectionResponse,
    },
};

use crate::support::scripted_project::KEY;

/// The response can't be decoded.
const REJECTED: &str = "rejected";
/// The field is `None`: serializing leaves it out.
const NONE: &str = "None";
const EMPTY_LIST: &str = "[]";
const EMPTY: &str = "\"\"";
const ZERO: &str = "0";

/// A field, what comes of it if it is missing, and if it is null.
type Row = (&'static str, &'static str, &'static str);

#[test]
fn update_requires_a_connection_and_its_ids() {
    check::<UpdateExternalConnectionResponse>(
        &responses::updated(responses::connection()),
        &[
            ("/connection", REJECTED, REJECTED),
            ("/connection/connection_id", REJECTED, REJECTED),
            ("/connection/display_name", EMPTY, EMPTY),
            ("/connection/external_connection_id", EMPTY, EMPTY),
            ("/connection/external_connection_implicit_role_assignments", NONE, EMPTY_LIST),
            (
                "/connection/external_connection_implicit_role_assignments/0/role_id",
                REJECTED,
                REJECTED,
            ),
            ("/connection/external_group_implicit_role_assignments", NONE, EMPTY_LIST),
            ("/connection/external_group_implicit_role_assignments/0/group", REJECTED, REJECTED),
            ("/connection/external_group_implicit_role_assignments/0/role_id", REJECTED, REJECTED),
            ("/connection/external_organization_id", EMPTY, EMPTY),
            ("/connection/organization_id", REJECTED, REJECTED),
            ("/connection/status", EMPTY, EMPTY),
            ("/request_id", EMPTY, EMPTY),
            ("/status_code", ZERO, ZERO),
        ],
    );
}

#[test]
fn connections_require_a_list_which_may_be_null() {
    check::<GetConnectionsResponse>(
        &responses::connections([]),
        &[
            ("/external_connections", REJECTED, EMPTY_LIST),
            ("/request_id", EMPTY, EMPTY),
            ("/status_code", ZERO, ZERO),
        ],
    );
}

#[test]
fn policies_require_roles_in_the_project_only() {
    let roles: &[(&str, &str, &[&str])] = &[("editor", "stytch.sso", &["update"])];
    check::<GetRbacPolicyResponse>(
        &responses::rbac_policy(roles),
        &[
            ("/policy", REJECTED, REJECTED),
            ("/policy/roles", REJECTED, REJECTED),
            ("/policy/roles/0/permissions", NONE, EMPTY_LIST),
            ("/policy/roles/0/permissions/0/actions", REJECTED, REJECTED),
            ("/policy/roles/0/permissions/0/resource_id", REJECTED, REJECTED),
            ("/policy/roles/0/role_id", REJECTED, REJECTED),
            ("/request_id", EMPTY, EMPTY),
        ],
    );
    check::<GetOrganizationRbacPolicyResponse>(
        &responses::organization_rbac_policy(roles),
        &[
            ("/org_policy", NONE, NONE),
            ("/org_policy/roles", NONE, EMPTY_LIST),
            ("/org_policy/roles/0/permissions", NONE, EMPTY_LIST),
            ("/org_policy/roles/0/permissions/0/actions", REJECTED, REJECTED),
            ("/org_policy/roles/0/permissions/0/resource_id", REJECTED, REJECTED),
            ("/org_policy/roles/0/role_id", REJECTED, REJECTED),
            ("/request_id", EMPTY, EMPTY),
        ],
    );
}

#[test]
fn session_requires_its_organization_and_no_credential() {
    check::<AuthenticateSessionResponse>(
        &responses::authenticated("organization-test-1", "token", "a.b.c"),
        &[
            ("/member_session", REJECTED, REJECTED),
            ("/member_session/member_session_id", EMPTY, EMPTY),
            ("/member_session/organization_id", REJECTED, REJECTED),
            ("/member_session/roles", NONE, NONE),
            ("/request_id", EMPTY, EMPTY),
            ("/session_jwt", NONE, NONE),
            ("/session_token", NONE, NONE),
            ("/status_code", ZERO, ZERO),
        ],
    );
}

#[test]
fn jwks_requires_keys_and_nothing_of_a_key() {
    check::<GetJwksResponse>(
        &responses::jwks(slice::from_ref(&*KEY)),
        &[
            ("/keys", REJECTED, REJECTED),
            ("/keys/0/alg", NONE, NONE),
            ("/keys/0/e", NONE, NONE),
            ("/keys/0/kid", NONE, NONE),
            ("/keys/0/kty", NONE, NONE),
            ("/keys/0/n", NONE, NONE),
            ("/request_id", EMPTY, EMPTY),
        ],
    );
}

/// Compares what comes of each field of a response with a table that has a row for each.
fn check<T: DeserializeOwned + Serialize>(response: &T, rows: &[Row]) {
    let whole = serde_json::to_value(response).unwrap();
    let mut pointers = Vec::new();
    collect_fields(&whole, "", &mut pointers);
    let expected: Vec<_> = rows.iter().map(|(pointer, ..)| (*pointer).to_owned()).collect();
    assert_eq!(pointers, expected, "a row for each field, in this order");
    for (pointer, missing, null) in rows {
        assert_eq!(outcome::<T>(without(&whole, pointer), pointer), *missing, "no {pointer}");
        assert_eq!(outcome::<T>(with_null(&whole, pointer), pointer), *null, "null {pointer}");
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
        return REJECTED.to_owned();
    };
    let encoded = serde_json::to_value(decoded).unwrap();
    encoded.pointer(pointer).map_or(NONE.to_owned(), Value::to_string)
}

fn without(whole: &Value, pointer: &str) -> Value {
    let mut body = whole.clone();
    let (above, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(above).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    body
}

fn with_null(whole: &Value, pointer: &str) -> Value {
    let mut body = whole.clone();
    *body.pointer_mut(pointer).unwrap() = Value::Null;
    body
}

#[test]
fn null_in_a_list_is_never_skipped() {
    let connection = json!(responses::connection());
    let lists = [
        "external_connection_implicit_role_assignments",
        "external_group_implicit_role_assignments",
    ];
    for list in lists {
        let body = with_null(&connection, &format!("/{list}/0"));
        assert!(serde_json::from_value::<ExternalConnection>(body).is_err(), "{list}");
    }
    let body = json!({"external_connections": [connection, null]});
    assert!(serde_json::from_value::<GetConnectionsResponse>(body).is_err());
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
        assert!(!decodes::<GetConnectionsResponse>(&body), "{body}");
        assert!(!decodes::<GetRbacPolicyResponse>(&body), "{body}");
        assert!(!decodes::<AuthenticateSessionResponse>(&body), "{body}");
        assert!(!decodes::<GetJwksResponse>(&body), "{body}");
        assert!(decodes::<GetOrganizationRbacPolicyResponse>(&body), "{body}");
    }
}

fn decodes<T: DeserializeOwned>(body: &Value) -> bool {
    serde_json::from_value::<T>(body.clone()).is_ok()
}
