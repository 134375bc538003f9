//! Compares schemas with the allow-list.

use super::{
    Finding,
    allowed::{ANY_JSON, At, FORMS, Form, UNTYPED},
    rejected,
    schemas::checked,
};
use crate::{
    document::{Document, Place, Role, Schema, is_within},
    yaml::Value,
};

/// Schemas that have none of the allowed forms.
pub(super) fn form(document: &Document) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    // Outer schemas first: of what is inside a rejected one, nothing is reported.
    let schemas: Vec<_> = checked(document).collect();
    for schema in schemas.into_iter().rev() {
        let is_inside = |finding: &Finding| is_within(&schema.place.pointer, &finding.pointer);
        if !findings.iter().any(is_inside) {
            findings.extend(check_form(document, schema));
        }
    }
    findings
}

fn check_form(document: &Document, schema: &Schema) -> Option<Finding> {
    let place = &schema.place;
    let at = at(schema.role);
    if !matches!(place.node.value, Value::Map(_)) {
        return Some(Finding::new(place, "expected a schema", "write an object"));
    }
    if place.pointer == UNTYPED && place.node.get("type").is_none() {
        return check_keys(document, place, &ANY_JSON)
            .or_else(|| describe_missing(place, ANY_JSON.must));
    }
    let kind = place.node.get("type");
    let forms: Vec<_> = FORMS.iter().filter(|form| form.at == at).collect();
    let form = forms.iter().find(|form| match (form.kind, kind) {
        (Some(expected), Some(kind)) => kind.text() == Some(expected),
        // A reference, with a description or without.
        (None, None) => form.must.last().is_some_and(|key| place.node.get(key).is_some()),
        _ => false,
    });
    let Some(form) = form else {
        return Some(no_form(document, place, &forms));
    };
    check_keys(document, place, form)
        .or_else(|| describe_missing(place, form.must))
        .or_else(|| check_format(document, place, form))
        .or_else(|| check_closed(document, place, form))
        .or_else(|| check_values(place))
}

/// The first key that the form lacks.
fn check_keys(document: &Document, place: &Place, form: &Form) -> Option<Finding> {
    let is_known = |key: &str| {
        matches!(key, "type" | "format") || form.must.contains(&key) || form.may.contains(&key)
    };
    let unknown = place.children().into_iter().find(|child| !is_known(child.key()))?;
    Some(reject(document, &unknown, form))
}

fn describe_missing(place: &Place, keys: &[&str]) -> Option<Finding> {
    let is_blank = |key: &&&str| match place.node.get(key).map(|node| &node.value) {
        None => true,
        Some(Value::Text(text)) => text.trim().is_empty(),
        Some(Value::Map(entries)) => *key == &"properties" && entries.is_empty(),
        Some(_) => false,
    };
    let key = keys.iter().find(is_blank)?;
    let (problem, fix) = match *key {
        "description" => (
            "`description` is missing: it becomes rustdoc, and the build denies missing docs",
            "add a `description`, for the reader of the Rust API",
        ),
        "properties" => (
            "an object without properties: the generator makes a map of any JSON",
            "add `properties`",
        ),
        "items" => (
            "an array without items: the generator writes `Vec<serde_json::Value>`",
            "\
                    add `items`",
        ),
        _ => ("is incomplete", "see FORMS in xtask/src/lint/allowed.rs"),
    };
    Some(Finding::new(place, problem, fix))
}

fn check_format(document: &Document, place: &Place, form: &Form) -> Option<Finding> {
    let format = place.node.get("format")?;
    if format.text().is_some_and(|format| form.formats.contains(&format)) {
        return None;
    }
    let reason = rejected::format(document.is_in_responses(&place.pointer));
    let instead = match form.formats {
        [] => reason.instead.to_owned(),
        formats => format!("write one of {}, or remove it", formats.join(", ")),
    };
    let name = format.text().unwrap_or_default();
    let problem = format!("the format `{name}` is not allowed here: {}", reason.why);
    Some(Finding::new(&place.child("format"), problem, instead))
}

/// A request may reject unknown fields when it is deserialized, a response never.
fn check_closed(document: &Document, place: &Place, form: &Form) -> Option<Finding> {
    let closed = place.node.get("additionalProperties")?;
    let is_false = matches!(closed.value, Value::Bool(false));
    let is_allowed = is_false && !document.is_in_responses(&place.pointer);
    (!is_allowed).then(|| reject(document, &place.child("additionalProperties"), form))
}

/// Keys of an allowed name with a value of the wrong type.
fn check_values(place: &Place) -> Option<Finding> {
    place.children().into_iter().find_map(|child| {
        let value = &child.node.value;
        let expected = match child.key() {
            "type" | "format" | "description" | "$ref" | "x-required-because"
                if !matches!(value, Value::Text(_)) =>
            {
                "a string"
            }
            "nullable" if !matches!(value, Value::Bool(_)) => "true or false",
            "required" | "allOf" if !matches!(value, Value::List(_)) => "a list",
            "properties" | "items" if !matches!(value, Value::Map(_)) => "an object",
            _ => return None,
        };
        let problem = format!("`{}` isn't {expected}", child.key());
        Some(Finding::new(&child, problem, format!("write {expected}")))
    })
}

/// A keyword that the form lacks.
fn reject(document: &Document, keyword: &Place, form: &Form) -> Finding {
    let key = keyword.key();
    if form.must.contains(&"$ref") {
        let problem = format!("`{key}` stands beside a `$ref`, where nothing reads it");
        return Finding::new(keyword, problem, "remove it, or write it at the target");
    }
    let in_response = document.is_in_responses(&keyword.pointer);
    if let Some(reason) = rejected::in_schema(key, in_response) {
        let problem = format!("`{key}` is not allowed here: {}", reason.why);
        return Finding::new(keyword, problem, reason.instead);
    }
    let keys: Vec<_> = form.must.iter().chain(form.may).copied().collect();
    let problem = format!("`{key}` is not allowed here: the generator ignores it");
    let fix = match keys.as_slice() {
        [] => "remove it".to_owned(),
        keys => format!("remove it, or write one of {}", keys.join(", ")),
    };
    Finding::new(keyword, problem, fix)
}

/// A schema of a type that the allow-list lacks here.
fn no_form(document: &Document, place: &Place, forms: &[&Form]) -> Finding {
    let in_response = document.is_in_responses(&place.pointer);
    let kind = place.text("type");
    let kinds: Vec<_> = forms.iter().filter_map(|form| form.kind).collect();
    let rejected = place.children().into_iter().find(|child| {
        let is_known = |key: &str| forms.iter().any(|form| form.must.contains(&key));
        kind.is_none()
            && !is_known(child.key())
            && !matches!(child.key(), "nullable" | "default" | "properties" | "items" | "required")
            && rejected::in_schema(child.key(), in_response).is_some()
    });
    if let Some(keyword) = rejected
        && let Some(reason) = rejected::in_schema(keyword.key(), in_response)
    {
        let problem = format!("`{}` is not allowed here: {}", keyword.key(), reason.why);
        return Finding::new(&keyword, problem, reason.instead);
    }
    let expected = match kinds.as_slice() {
        [] => "write a `$ref` to a schema in `components/schemas`".to_owned(),
        kinds => format!("write one of the types {}", kinds.join(", ")),
    };
    let is_component = forms.iter().any(|form| form.at == At::Component);
    let (problem, fix) = match kind {
        Some(kind) => unexpected_type(kind, is_component, expected),
        None => without_type(place, expected),
    };
    Finding::new(place, problem, fix)
}

fn unexpected_type(kind: &str, is_component: bool, expected: String) -> (String, String) {
    if kind == "object" {
        return (
            "an object without a name of its own: the generator invents one".to_owned(),
            "move it to `components/schemas`, and refer to it".to_owned(),
        );
    }
    if is_component {
        return (
            format!("a named {kind}: the generator writes a newtype"),
            "write the type where it is used, or list the schema in REPLACED in build/codegen.rs"
                .to_owned(),
        );
    }
    (format!("the type {kind} is not allowed here"), expected)
}

fn without_type(place: &Place, expected: String) -> (String, String) {
    if place.node.get("type").is_some() {
        return ("`type` isn't a string, as OpenAPI 3.0 requires".to_owned(), expected);
    }
    if place.node.get("$ref").is_some() {
        return (
            "a reference without a description: OpenAPI 3.0 ignores one beside a `$ref`".to_owned(),
            "write `description`, and `allOf` with the `$ref`".to_owned(),
        );
    }
    ("without `type`, the generator writes `serde_json::Value`".to_owned(), expected)
}

fn at(role: Role) -> At {
    match role {
        Role::Named => At::Component,
        Role::Property { .. } => At::Property,
        Role::Items => At::Items,
        Role::Part => At::Part,
        Role::Parameter => At::Parameter,
        Role::Body => At::Body,
    }
}
