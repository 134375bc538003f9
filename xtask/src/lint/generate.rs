//! What the generator says of the document: whether it can be read, whether all of it is
//! read, and whether Rust comes out.

use openapiv3::{OpenAPI, Operation, ReferenceOr};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::Finding;
use crate::{
    codegen,
    document::{Document, Place, is_within},
    yaml::{Node, Value},
};

pub(super) fn not_generated(document: &Document) -> Vec<Finding> {
    let Some(json) = json(&document.root) else {
        return Vec::new();
    };
    if let Err(error) = serde_json::from_value::<OpenAPI>(json.clone()) {
        let (place, error) = unreadable(document).unwrap_or_else(|| {
            let place = Place::root(document.root.clone());
            (place, error.to_string())
        });
        let says = format!("isn't OpenAPI 3.0: {error}");
        return vec![Finding::new(&place, says, "write it as OpenAPI 3.0 does")];
    }
    let Err(message) = codegen::generate(&json.to_string()) else {
        return Vec::new();
    };
    // Where an operation is to blame, the message begins with its pointer.
    let mut operations = document.operations.iter();
    let blamed = operations.find_map(|operation| {
        let reason = message.strip_prefix(&operation.pointer)?;
        Some((operation.clone(), reason.trim_start_matches([' ', ':'])))
    });
    let (place, reason) = blamed.unwrap_or_else(|| (Place::root(document.root.clone()), &message));
    let mend = "say it in a way that the generator supports";
    vec![Finding::new(&place, reason.replace('\n', " "), mend)]
}

/// A misspelt key is no error for anybody: it's just ignored, and so is what stands beside
/// a `$ref`.
pub(super) fn unknown_key(document: &Document) -> Vec<Finding> {
    let read = json(&document.root).and_then(|json| {
        let read: OpenAPI = serde_json::from_value(json).ok()?;
        serde_json::to_value(read).ok()
    });
    let mut findings = Vec::new();
    if let Some(read) = read {
        compare(&Place::root(document.root.clone()), &read, &mut findings);
    }
    findings
}

fn compare(place: &Place, read: &Json, findings: &mut Vec<Finding>) {
    let entries = place.node.entries().iter().map(|(key, _)| key);
    let entries = entries.map(|key| read.get(key));
    let items = place.node.items().iter().enumerate();
    let items = items.map(|(index, _)| read.get(index));
    for (child, read) in place.children().iter().zip(entries.chain(items)) {
        match read {
            Some(read) => compare(child, read, findings),
            // Left out because it says what holds anyway.
            None if says_nothing(&child.node.value) => {}
            None => findings.push(Finding::new(
                child,
                "nothing reads this key here",
                "correct its spelling or remove it; beside a `$ref`, wrap the `$ref` in an \
                 `allOf`",
            )),
        }
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

/// The innermost part that can't be read: the error for the whole document doesn't say
/// where it is.
fn unreadable(document: &Document) -> Option<(Place, String)> {
    let schemas = document.schemas.iter().filter_map(|schema| {
        let error = refusal::<ReferenceOr<openapiv3::Schema>>(&schema.place.node)?;
        Some((schema.place.clone(), error))
    });
    let parameters = document.parameters.iter().filter_map(|place| {
        let error = refusal::<openapiv3::Parameter>(&place.node)?;
        Some((place.clone(), error))
    });
    let operations = document.operations.iter().filter_map(|place| {
        let error = refusal::<Operation>(&place.node)?;
        Some((place.clone(), error))
    });
    let refused: Vec<_> = schemas.chain(parameters).chain(operations).collect();
    let is_innermost = |place: &Place| {
        let mut others = refused.iter().map(|(other, _)| &other.pointer);
        !others.any(|other| *other != place.pointer && is_within(other, &place.pointer))
    };
    let mut innermost = refused.iter().filter(|(place, _)| is_innermost(place));
    innermost.next().cloned()
}

fn refusal<T: DeserializeOwned>(node: &Node) -> Option<String> {
    let outcome = serde_json::from_value::<T>(json(node)?);
    outcome.err().map(|error| error.to_string())
}

fn json(node: &Node) -> Option<Json> {
    serde_json::to_value(node).ok()
}
