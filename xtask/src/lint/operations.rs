//! Rules about operations, and about the permissions that they require.

use super::Finding;
use crate::{
    document::{Document, Place},
    yaml::Node,
};

const SESSION_HEADERS: [&str; 2] = ["X-Stytch-Member-Session", "X-Stytch-Member-SessionJWT"];

pub(super) fn openapi_version(document: &Document) -> Vec<Finding> {
    let place = Place::root(document.root.clone()).child("openapi");
    let version = place.node.text().unwrap_or_default();
    if version.starts_with("3.0.") {
        return Vec::new();
    }
    vec![Finding::new(
        &place,
        "isn't OpenAPI 3.0, all that the generator reads",
        "say `openapi: 3.0.3`",
    )]
}

/// Name and docs of the method, and errors that are declared.
pub(super) fn incomplete(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for operation in &document.operations {
        for (key, what_for) in [
            ("operationId", "the name of the method"),
            ("summary", "the first line of its docs"),
            ("description", "the rest of its docs"),
        ] {
            let text = operation.node.get(key).and_then(Node::text);
            if text.is_none_or(|text| text.trim().is_empty()) {
                let mend = format!("add `{key}`: {what_for}");
                findings.push(Finding::new(operation, format!("has no {key}"), mend));
            }
        }
        if tags(operation).is_empty() {
            let mend = "add `tags` with one of the document's tags";
            findings.push(Finding::new(operation, "has no tag", mend));
        }
        for range in ["4XX", "5XX"] {
            let responses = operation.node.get("responses");
            if responses.is_none_or(|responses| responses.get(range).is_none()) {
                let mend = format!("add `{range}: {{$ref: '#/components/responses/Error'}}`");
                let place = operation.child("responses");
                findings.push(Finding::new(&place, format!("has no {range}"), mend));
            }
        }
    }
    findings
}

pub(super) fn id_twice(document: &Document) -> Vec<Finding> {
    let id = |operation: &Place| {
        let id = operation.node.get("operationId").and_then(Node::text);
        id.map(str::to_owned)
    };
    let mut seen = Vec::new();
    let mut findings = Vec::new();
    for operation in &document.operations {
        let Some(id) = id(operation) else { continue };
        if seen.contains(&id) {
            let says = format!("`{id}` names another operation too");
            let place = operation.child("operationId");
            findings.push(Finding::new(&place, says, "choose another name"));
        }
        seen.push(id);
    }
    findings
}

pub(super) fn undefined_tag(document: &Document) -> Vec<Finding> {
    let declared = document.root.get("tags").map_or(&[][..], Node::items);
    let declared: Vec<_> = declared.iter().filter_map(|tag| tag.get("name")?.text()).collect();
    let mut findings = Vec::new();
    for operation in &document.operations {
        for tag in tags(operation) {
            if tag.text().is_none_or(|name| !declared.contains(&name)) {
                findings.push(Finding::new(
                    &operation.child("tags"),
                    format!("the tag `{}` isn't declared", tag.text().unwrap_or_default()),
                    "declare it, with a description, in the document's `tags`",
                ));
            }
        }
    }
    findings
}

/// Without the headers the request would run with the project's full power.
pub(super) fn session_headers(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for operation in with_permission(document) {
        for header in SESSION_HEADERS {
            let parameter =
                parameters(document, operation).find(|parameter| is_header(parameter, header));
            let (says, mend) = match parameter.map(|parameter| parameter.get("required")) {
                None => (
                    format!("requires a permission, but lacks the header {header}"),
                    format!("add the parameter `{header}`, `in: header`"),
                ),
                Some(Some(required)) if required.is_true() => (
                    format!("requires {header}, but exactly one of the two headers is sent"),
                    format!("drop `required` from {header}"),
                ),
                Some(_) => continue,
            };
            let place = operation.child("parameters");
            findings.push(Finding::new(&place, says, mend));
        }
    }
    findings
}

pub(super) fn unknown_permission(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for operation in with_permission(document) {
        let rbac = operation.child("x-stytch-rbac");
        let field = |key: &str| rbac.node.get(key).and_then(Node::text).unwrap_or_default();
        let (resource, action) = (field("resource"), field("action"));
        let known = crate::permissions::KNOWN.iter().find(|(name, _)| *name == resource);
        let Some((_, actions)) = known else {
            let names = crate::permissions::KNOWN.map(|(name, _)| name).join(", ");
            let says = format!("the resource `{resource}` isn't one of Stytch's");
            let mend = format!("one of {names}");
            findings.push(Finding::new(&rbac.child("resource"), says, mend));
            continue;
        };
        if !actions.contains(&action) {
            let says = format!("`{resource}` has no action `{action}`");
            let mend = format!("one of {}", actions.join(", "));
            findings.push(Finding::new(&rbac.child("action"), says, mend));
        }
    }
    findings
}

fn with_permission(document: &Document) -> impl Iterator<Item = &Place> {
    let operations = document.operations.iter();
    operations.filter(|operation| operation.node.get("x-stytch-rbac").is_some())
}

/// The parameters of an operation, those of its path included.
fn parameters<'a>(document: &'a Document, operation: &'a Place) -> impl Iterator<Item = &'a Node> {
    let path = operation.pointer.rsplit_once('/').map(|(path, _)| path);
    let path = path.and_then(|path| document.root.at(path));
    [path, Some(&operation.node)]
        .into_iter()
        .flatten()
        .filter_map(|owner| owner.get("parameters"))
        .flat_map(Node::items)
        .map(|parameter| document.resolve(parameter))
}

fn is_header(parameter: &Node, header: &str) -> bool {
    let text = |key: &str| parameter.get(key).and_then(Node::text).unwrap_or_default();
    text("in") == "header" && text("name").eq_ignore_ascii_case(header)
}

fn tags(operation: &Place) -> &[Node] {
    operation.node.get("tags").map_or(&[], Node::items)
}
