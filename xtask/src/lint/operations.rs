//! Rules about operations: docs, paths, session headers and permissions.

use super::Finding;
use crate::{
    codegen::REPLACED,
    document::{Document, Place, unescape},
    yaml::Node,
};

const REFERENCE: &str = "https://stytch.com/docs/";
const SESSION_HEADERS: [&str; 2] = ["X-Stytch-Member-Session", "X-Stytch-Member-SessionJWT"];

pub(super) fn openapi_version(document: &Document) -> Vec<Finding> {
    let place = Place::root(document.root.clone()).child("openapi");
    let version = place.node.text().unwrap_or_default();
    if version.starts_with("3.0.") {
        return Vec::new();
    }
    vec![Finding::new(&place, "the generator reads OpenAPI 3.0 only", "write `openapi: 3.0.3`")]
}

/// The docs of each method and type lead to Stytch's.
pub(super) fn no_reference(document: &Document) -> Vec<Finding> {
    let is_replaced = |place: &Place| REPLACED.iter().any(|(name, _)| *name == place.key());
    let schemas = document.components().map(|schema| &schema.place);
    let schemas = schemas.filter(|place| !is_replaced(place));
    let owners = document.operations.iter().chain(schemas);
    let lacking = owners.filter(|owner| {
        let description = owner.text("description");
        description.is_some_and(|text| !text.contains(REFERENCE))
    });
    lacking
        .map(|owner| {
            let place = owner.child("description");
            let problem = "the docs lack a link to Stytch's reference";
            Finding::new(&place, problem, format!("add a link that begins with `{REFERENCE}`"))
        })
        .collect()
}

/// The parameters of a path: the mock helpers insert them into a regular expression.
pub(super) fn path(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for operation in &document.operations {
        let path = operation.pointer.split('/').nth(2).map(unescape).unwrap_or_default();
        let segments = path.strip_prefix('/').map(|path| path.split('/').collect::<Vec<_>>());
        let segments = segments.unwrap_or_default();
        let is_valid = !segments.is_empty()
            && segments.iter().all(|segment| template(segment).is_some() || is_literal(segment));
        if !is_valid {
            let problem = "each path segment must be a literal or one `{parameter}`: the mock \
                           helpers use it as a regular expression";
            findings.push(Finding::new(operation, problem, "write `/segment/{parameter}`"));
        }
        let named: Vec<_> = segments.iter().filter_map(|segment| template(segment)).collect();
        findings.extend(path_parameters(document, operation, &named));
    }
    findings
}

fn path_parameters(document: &Document, operation: &Place, named: &[&str]) -> Vec<Finding> {
    let list = operation.child("parameters");
    let places = if list.pointer == operation.pointer { Vec::new() } else { list.children() };
    let mut findings = Vec::new();
    let mut described = Vec::new();
    for place in &places {
        let parameter = document.resolve(&place.node);
        let name = parameter.get("name").and_then(Node::text).unwrap_or_default();
        if let Some((problem, fix)) = check_parameter(parameter, named.contains(&name)) {
            findings.push(Finding::new(place, format!("`{name}` {problem}"), fix));
        }
        if parameter.get("in").and_then(Node::text) == Some("path") {
            described.push(name);
        }
    }
    for name in named.iter().filter(|name| !described.contains(*name)) {
        let problem = format!("the path has `{{{name}}}`, which no parameter describes");
        let fix = format!("add the parameter `{name}`, `in: path`");
        findings.push(Finding::new(operation, problem, fix));
    }
    findings
}

/// What is wrong with a parameter, and the fix.
fn check_parameter(parameter: &Node, is_named: bool) -> Option<(&'static str, &'static str)> {
    let text = |pointer: &str| parameter.at(pointer).and_then(Node::text);
    let is_string = text("#/schema/type") == Some("string");
    match text("#/in") {
        Some("path") if !is_named => {
            Some(("isn't in the path", "correct the name, or add it to the path"))
        }
        Some("path") if !parameter.get("required").is_some_and(Node::is_true) => {
            Some(("is in the path, but not required: the generator panics", "add `required: true`"))
        }
        Some("path") if !is_string => Some((
            "is in the path, but not a string: the mock helpers encode strings only",
            "write `schema: {type: string}`",
        )),
        Some("header") if !is_string => {
            Some(("is a header, but not a string", "write `schema: {type: string}`"))
        }
        Some("path" | "query" | "header") => None,
        _ => Some((
            "is not in the path, the query or a header: the generator fails",
            "write `in: path`, `in: query` or `in: header`",
        )),
    }
}

/// The name of the parameter that a segment of a path stands for.
fn template(segment: &str) -> Option<&str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    (!name.contains(['{', '}'])).then_some(name)
}

fn is_literal(segment: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !segment.is_empty() && segment.chars().all(is_plain)
}

/// Both headers, each optional: the client sends exactly one.
pub(super) fn session_headers(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for operation in with_permission(document) {
        for header in SESSION_HEADERS {
            let parameter =
                parameters(document, operation).find(|parameter| is_header(parameter, header));
            let (problem, fix) = match parameter.map(|parameter| parameter.get("required")) {
                None => (
                    format!(
                        "requires a permission, but lacks the header {header}: without it, the \
                             request runs with the project's full power"
                    ),
                    format!("add the parameter `{header}`, `in: header`"),
                ),
                Some(Some(required)) if required.is_true() => (
                    format!("requires {header}, but exactly one of the two headers is sent"),
                    format!("remove `required` from {header}"),
                ),
                Some(_) => continue,
            };
            let place = operation.child("parameters");
            findings.push(Finding::new(&place, problem, fix));
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
        if resource.is_empty() || action.is_empty() {
            continue;
        }
        let known = crate::permissions::KNOWN.iter().find(|(name, _)| *name == resource);
        let Some((_, actions)) = known else {
            let names = crate::permissions::KNOWN.map(|(name, _)| name).join(", ");
            let problem = format!("the resource `{resource}` isn't one of Stytch's");
            let fix = format!("write one of {names}");
            findings.push(Finding::new(&rbac.child("resource"), problem, fix));
            continue;
        };
        if !actions.contains(&action) {
            let problem = format!("`{resource}` has no action `{action}`");
            let fix = format!("write one of {}", actions.join(", "));
            findings.push(Finding::new(&rbac.child("action"), problem, fix));
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
