//! Compares everything but schemas with the allow-list.

use super::{
    Finding,
    allowed::{Content, DOCUMENT, Key, Keys},
    rejected,
};
use crate::{
    document::{Document, Place, unescape},
    yaml::Value,
};

/// Keys and values that the allow-list doesn't have.
pub(super) fn not_allowed(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(&Place::root(document.root.clone()), DOCUMENT, &mut |step| match step {
        Step::Unknown(place, keys) => findings.push(unknown(&place, keys)),
        Step::Wrong(place, expected) => {
            let problem = format!("expected {expected}, got {}", describe(&place.node.value));
            findings.push(Finding::new(&place, problem, format!("write {expected}")));
        }
        Step::Missing(..) => {}
    });
    findings
}

/// Keys that must be there, and aren't.
pub(super) fn incomplete(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(&Place::root(document.root.clone()), DOCUMENT, &mut |step| {
        if let Step::Missing(place, key) = step {
            let fix = match fix_for_missing(key) {
                "" => format!("add `{key}`"),
                what_for => format!("add `{key}`: {what_for}"),
            };
            findings.push(Finding::new(&place, format!("`{key}` is missing"), fix));
        }
    });
    findings
}

enum Step {
    Unknown(Place, Keys),
    Wrong(Place, &'static str),
    Missing(Place, &'static str),
}

fn walk(place: &Place, keys: Keys, report: &mut dyn FnMut(Step)) {
    if !matches!(place.node.value, Value::Map(_)) {
        return report(Step::Wrong(place.clone(), "an object"));
    }
    for child in place.children() {
        let name = unescape(child.key());
        match keys.iter().find(|key| key.name == name) {
            Some(Key { content, .. }) => walk_content(&child, *content, report),
            None => report(Step::Unknown(child, keys)),
        }
    }
    for key in keys.iter().filter(|key| key.required) {
        let text = place.text(key.name);
        let is_blank = text.is_some_and(|text| text.trim().is_empty());
        if place.node.get(key.name).is_none() || is_blank {
            report(Step::Missing(place.clone(), key.name));
        }
    }
}

fn walk_content(place: &Place, content: Content, report: &mut dyn FnMut(Step)) {
    let value = &place.node.value;
    let expected = match (content, value) {
        (Content::Text, Value::Text(_))
        | (Content::Flag | Content::True, Value::Bool(true))
        | (Content::Flag, Value::Bool(false))
        | (Content::Any | Content::Schema, _) => return,
        (Content::ObjectOrRef(_), Value::Map(_)) if place.node.get("$ref").is_some() => {
            return walk(place, REFERENCE, report);
        }
        (Content::Object(keys) | Content::ObjectOrRef(keys), _) => {
            return walk(place, keys, report);
        }
        (Content::List(content), Value::List(_)) | (Content::Map(content), Value::Map(_)) => {
            return place.children().iter().for_each(|item| walk_content(item, *content, report));
        }
        (Content::Text, _) => "a string",
        (Content::Flag, _) => "true or false",
        (Content::True, _) => "true",
        (Content::List(_), _) => "a list",
        (Content::Map(_), _) => "an object",
    };
    report(Step::Wrong(place.clone(), expected));
}

const REFERENCE: Keys = &[Key { name: "$ref", content: Content::Text, required: true }];

fn unknown(place: &Place, keys: Keys) -> Finding {
    let name = unescape(place.key());
    let is_beside_ref = keys.iter().any(|key| key.name == "$ref");
    if is_beside_ref {
        let problem = format!("`{name}` stands beside a `$ref`, where nothing reads it");
        return Finding::new(place, problem, "remove it, or write it at the target of the `$ref`");
    }
    if let Some(reason) = rejected::in_document(&name) {
        let problem = format!("`{name}` is not allowed here: {}", reason.why);
        return Finding::new(place, problem, reason.instead);
    }
    let names: Vec<_> = keys.iter().map(|key| key.name).collect();
    let problem = format!("`{name}` is not allowed here: the generator ignores it");
    Finding::new(place, problem, format!("remove it, or write one of {}", names.join(", ")))
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::Text(_) => "a string",
        Value::List(_) => "a list",
        Value::Map(_) => "an object",
    }
}

fn fix_for_missing(key: &str) -> &'static str {
    match key {
        "operationId" => "the name of the method",
        "summary" => "the first line of the method's docs",
        "description" => "it becomes rustdoc, or explains the API to its reader",
        "tags" => "one of the document's tags",
        "4XX" | "5XX" => "`$ref: '#/components/responses/Error'`",
        "2XX" => "the response to a request that Stytch applied",
        "required" => "`true`, since the generated method always sends a body",
        _ => "",
    }
}
