//! The code that the build generates, compared with the document and with what reviewers see.

use std::collections::BTreeSet;

use crate::support::prelude::*;

const DOCUMENT: &str = include_str!("../../openapi/generated/external-connections.json");
const BINDINGS: &str = include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"));

#[test]
fn update_rejects_unknown_fields() {
    let misspelt = json!({"display_name": "Acme", "external_connection_implicit_roles": []});
    let error = serde_json::from_value::<UpdateExternalConnectionRequest>(misspelt).unwrap_err();
    let expected = "unknown field `external_connection_implicit_roles`, expected one of";
    assert!(error.to_string().starts_with(expected), "{error}");
    let misspelt = json!({"session_tokn": "token"});
    assert!(serde_json::from_value::<types::AuthenticateSessionRequest>(misspelt).is_err());
}

#[test]
fn unknown_fields_of_an_assignment_are_ignored() {
    let mut connection = json!(responses::connection());
    connection["new"] = json!(1);
    for list in [ROLES, GROUP_ROLES] {
        connection[list][0]["new"] = json!({"a": [1]});
        let update = json!({list: connection[list]});
        serde_json::from_value::<UpdateExternalConnectionRequest>(update).unwrap();
    }
    let decoded: ExternalConnection = serde_json::from_value(connection).unwrap();
    assert_eq!(decoded, responses::connection());
}

/// Null is no empty list in a request: it would revoke roles.
#[test]
fn null_in_an_update_changes_nothing() {
    let update = json!({"display_name": null, (ROLES): null, (GROUP_ROLES): null});
    let update: UpdateExternalConnectionRequest = serde_json::from_value(update).unwrap();
    assert_eq!(update, UpdateExternalConnectionRequest::default());
}

#[test]
fn types_of_requests_are_plain_and_all_others_non_exhaustive() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut plain = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap().values();
    for operation in paths.flat_map(|path| path.as_object().unwrap().values()) {
        collect_schemas(&document, &operation["requestBody"], &mut plain);
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let Some((above, _)) = BINDINGS.split_once(&format!("pub struct {name} {{")) else {
            assert_ne!(schema["type"], "object", "{name} has no struct");
            continue;
        };
        let attributes = &above[above.rfind("*/").unwrap()..];
        let is_plain = !attributes.contains("#[non_exhaustive]");
        assert_eq!(is_plain, plain.contains(name), "{name}");
    }
}

/// Collects the names of the schemas that a part of the document refers to.
fn collect_schemas(document: &Value, within: &Value, found: &mut BTreeSet<String>) {
    for reference in within.to_string().split("\"$ref\":\"#/components/schemas/").skip(1) {
        let (name, _) = reference.split_once('"').unwrap();
        if found.insert(name.to_owned()) {
            collect_schemas(document, &document["components"]["schemas"][name], found);
        }
    }
}

/// `cargo xtask bindings` copies the code, so that a change of the document, or of the generator,
/// shows in the copy.
#[test]
fn snapshot_is_what_the_build_wrote() {
    let openapi = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi");
    if !openapi.join("external-connections.yaml").exists() {
        eprintln!("skipped: the published package has no snapshot");
        return;
    }
    let snapshot = std::fs::read_to_string(openapi.join("generated/bindings.rs")).unwrap();
    let generated = [
        include_str!(concat!(env!("OUT_DIR"), "/operations.rs")),
        BINDINGS,
        include_str!(concat!(env!("OUT_DIR"), "/mocks.rs")),
    ];
    // A header stands above the code. Git may have checked it out with CRLF.
    let is_fresh = snapshot.replace("\r\n", "\n").ends_with(&generated.concat());
    assert!(is_fresh, "openapi/generated/bindings.rs is stale; fix: cargo xtask bindings");
}
