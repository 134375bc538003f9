//! Rules about responses: one type of error for all operations, and successes that can't be
//! mistaken for an error.

use super::Finding;
use crate::{
    document::{Document, Place, required},
    yaml::Node,
};

const ERROR: &str = "#/components/responses/Error";

/// The generator panics on two types of error, and `src/response.rs` reads this one.
pub(super) fn error_response(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for operation in &document.operations {
        let responses = operation.child("responses");
        for status in ["4XX", "5XX"] {
            let response = responses.child(status);
            if response.pointer != responses.pointer && response.text("$ref") != Some(ERROR) {
                findings.push(Finding::new(
                    &response,
                    "an error of a type of its own: the generator takes one type of error for an \
                     operation",
                    format!("write `$ref: '{ERROR}'`"),
                ));
            }
        }
    }
    findings
}

/// Stytch may send an error body with a status of success.
pub(super) fn ambiguous_success(document: &Document) -> Vec<Finding> {
    let error = document.root.at(ERROR).and_then(|response| schema_of(document, response));
    let in_errors = |name: &str| {
        let properties = error.and_then(|schema| schema.get("properties"));
        properties.is_some_and(|properties| properties.get(name).is_some())
    };
    let mut findings = Vec::new();
    for operation in &document.operations {
        let responses = operation.child("responses");
        let success = responses.child("2XX");
        let schema = schema_of(document, document.resolve(&success.node));
        let Some(schema) = schema.filter(|_| success.pointer != responses.pointer) else {
            continue;
        };
        let is_checked = schema.get("x-reject-error-bodies").is_some();
        if !is_checked && required(schema).iter().all(|name| in_errors(name)) {
            let place = place_of_schema(document, &success);
            if findings.iter().any(|finding: &Finding| finding.pointer == place.pointer) {
                continue;
            }
            findings.push(Finding::new(
                &place,
                "requires no property that the error lacks: an error body with a status of \
                 success would be decoded as a success",
                "add a property that every success has to `required`, or add \
                 `x-reject-error-bodies` with the reason why there is none",
            ));
        }
    }
    findings
}

fn schema_of<'a>(document: &'a Document, response: &'a Node) -> Option<&'a Node> {
    let schema = response.get("content")?.get("application/json")?.get("schema")?;
    Some(document.resolve(schema))
}

/// The named schema of a response: the place to add to.
fn place_of_schema(document: &Document, response: &Place) -> Place {
    let node = document.resolve(&response.node);
    let target = node.at("#/content/application~1json/schema/$ref").and_then(Node::text);
    let component = target.and_then(|target| {
        let mut components = document.components();
        components.find(|schema| schema.place.pointer == target)
    });
    component.map_or_else(|| response.clone(), |schema| schema.place.clone())
}
