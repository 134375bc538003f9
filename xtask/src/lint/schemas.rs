//! Rules about schemas and parameters: what the generator makes of them is what users see.

use super::Finding;
use crate::{
    document::{Document, Role, Schema, is_within, required},
    yaml::Node,
};

/// Descriptions become rustdoc, and the crate denies missing docs.
pub(super) fn no_description(document: &Document) -> Vec<Finding> {
    let named = document.schemas.iter().filter(|schema| schema.role != Role::Inline);
    let schemas = named.map(|schema| {
        let kind = match schema.role {
            Role::Property { .. } => "property",
            _ => "schema",
        };
        (kind, &schema.place)
    });
    let parameters = document.parameters.iter().map(|place| ("parameter", place));
    let mut findings = Vec::new();
    for (kind, place) in schemas.chain(parameters) {
        let description = place.node.get("description").and_then(Node::text);
        let is_reference = place.node.get("$ref").is_some();
        if is_reference || description.is_none_or(|text| text.trim().is_empty()) {
            let mend = if is_reference {
                "OpenAPI 3.0 ignores what stands beside a `$ref`: put `description` and an \
                 `allOf` with the `$ref` instead"
            } else {
                "add a `description`, for the reader of the Rust API"
            };
            findings.push(Finding::new(place, format!("a {kind} has no description"), mend));
        }
    }
    findings
}

/// The generator makes a `Vec` of it that is skipped when empty.
pub(super) fn optional_array(document: &Document) -> Vec<Finding> {
    let breaches = document.schemas.iter().filter(|schema| {
        let node = &schema.place.node;
        schema.role == Role::Property { required: false }
            && node.get("type").and_then(Node::text) == Some("array")
            && !node.get("nullable").is_some_and(Node::is_true)
    });
    breaches
        .map(|schema| {
            Finding::new(
                &schema.place,
                "an optional array isn't nullable: its field is skipped when empty, so it \
                 could never be cleared",
                "add `nullable: true`",
            )
        })
        .collect()
}

/// A generated enum is closed: one new value from Stytch fails an answer to an update that
/// was applied.
pub(super) fn closed_enum(document: &Document) -> Vec<Finding> {
    let responses =
        document.operations.iter().map(|operation| operation.child("responses").pointer);
    let reached = document.reach(responses);
    let is_answer =
        |schema: &&Schema| reached.iter().any(|start| is_within(&schema.place.pointer, start));
    let answers = document.schemas.iter().filter(is_answer);
    answers
        .filter(|schema| schema.place.node.get("enum").is_some())
        .map(|schema| {
            Finding::new(
                &schema.place,
                "a closed enum in a response: one value that it lacks fails the whole answer",
                "drop `enum` and name the values in the `description`",
            )
        })
        .collect()
}

/// A misspelt name in `required` leaves the field optional.
pub(super) fn required_unknown(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Schema { place, .. } in &document.schemas {
        let properties = place.node.get("properties");
        for name in required(&place.node) {
            if properties.is_none_or(|properties| properties.get(name).is_none()) {
                findings.push(Finding::new(
                    &place.child("required"),
                    format!("requires `{name}`, which isn't among its properties"),
                    "correct the name, or describe the property",
                ));
            }
        }
    }
    findings
}
