//! Runs the generator, and finds the part of the document that it fails on.
//!
//! The generator reports no places, and panics where it asserts. So the parts are added one by
//! one to a trivial document: the first with which it fails has the fault.

use openapiv3::{OpenAPI, Operation, ReferenceOr};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::{Finding, duplicates, panics};
use crate::{
    codegen::{self, REPLACED},
    document::{Document, Place, Role, is_within, unescape},
    yaml::Node,
};

/// Parts that aren't OpenAPI 3.0.
pub(super) fn unreadable(document: &Document) -> Vec<Finding> {
    let Some(Err(error)) = json(&document.root).map(serde_json::from_value::<OpenAPI>) else {
        return Vec::new();
    };
    let (place, error) = innermost(document)
        .unwrap_or_else(|| (Place::root(document.root.clone()), error.to_string()));
    vec![Finding::new(&place, format!("isn't OpenAPI 3.0: {error}"), "write it as OpenAPI 3.0")]
}

/// Parts of which the generator makes no Rust.
pub(super) fn not_generated(document: &Document) -> Vec<Finding> {
    let Some(json) = json(&document.root) else {
        return Vec::new();
    };
    if let Err(message) = generate(&json) {
        let mut findings = Search::new(document, &json).run();
        if findings.is_empty() {
            findings.push(report(&Place::root(document.root.clone()), &message));
        }
        return findings;
    }
    Vec::new()
}

/// Generates all code from a document and looks for names that are defined twice.
pub(super) fn generate(document: &Json) -> Result<(), String> {
    let json = document.to_string();
    let generated = panics::catch(|| codegen::generate(&json))
        .unwrap_or_else(|panic| Err(format!("the generator panics: {panic}")))?;
    for code in [&generated.bindings, &generated.operations, &generated.mocks] {
        if let Some(name) = duplicates::find(code)? {
            return Err(format!("the generated code defines `{name}` twice"));
        }
    }
    Ok(())
}

/// A document that grows part by part.
struct Search<'a> {
    document: &'a Document,
    whole: &'a Json,
    /// Without the parts that the generator fails on.
    valid: Json,
    findings: Vec<Finding>,
}

impl<'a> Search<'a> {
    fn new(document: &'a Document, whole: &'a Json) -> Self {
        let mut valid = whole.clone();
        for schema in document.components() {
            put(&mut valid, &schema.place.pointer, trivial_component(&schema.place));
        }
        put(&mut valid, "#/paths", json!({}));
        Self { document, whole, valid, findings: Vec::new() }
    }

    fn run(mut self) -> Vec<Finding> {
        // What fails without any part is no part's fault.
        if generate(&self.valid).is_err() {
            return Vec::new();
        }
        for schema in self.document.components() {
            let inner = self.document.schemas.iter().filter(|inner| {
                inner.role != Role::Named && is_within(&inner.place.pointer, &schema.place.pointer)
            });
            let simpler = inner.clone().map(|inner| (&inner.place, trivial(&inner.place)));
            // A simpler property may still have the name of another one.
            let properties = inner.filter(|inner| matches!(inner.role, Role::Property { .. }));
            let without = properties.map(|property| (&property.place, Json::Null));
            let inner: Vec<_> = simpler.chain(without).collect();
            self.add(&schema.place, &inner);
        }
        for operation in &self.document.operations {
            let parts = parts_of(operation);
            let parts: Vec<_> = parts.iter().map(|part| (part, Json::Null)).collect();
            self.add(operation, &parts);
        }
        self.findings
    }

    /// Adds a part; if the generator fails, reports the first of the inner parts without which
    /// it doesn't.
    fn add(&mut self, place: &Place, inner: &[(&Place, Json)]) {
        let mut grown = self.valid.clone();
        let Some(part) = at(self.whole, &place.pointer) else { return };
        put(&mut grown, &place.pointer, part.clone());
        let Err(message) = generate(&grown) else {
            self.valid = grown;
            return;
        };
        let cause = inner.iter().find(|(inner, trivial)| {
            let mut without = grown.clone();
            put(&mut without, &inner.pointer, trivial.clone());
            generate(&without).is_ok()
        });
        let cause = cause.map_or(place, |(inner, _)| inner);
        self.findings.push(report(cause, &message));
    }
}

fn report(place: &Place, message: &str) -> Finding {
    let hint = HINTS.iter().find(|(text, _)| message.contains(text));
    let fix = hint.map_or(
        "write it in another form; xtask/src/lint/allowed.rs lists those that are known to work",
        |(_, fix)| fix,
    );
    Finding::new(place, message.replace('\n', " "), fix)
}

/// Texts of the generator's errors and panics, and what to write instead.
const HINTS: [(&str, &str); 5] = [
    ("response_types.len() <= 1", "give the operation one type of success and one of error"),
    ("missing from path", "give each parameter in the path its `{name}` there, and no other"),
    ("parameter_data.required", "a parameter in the path needs `required: true`"),
    ("twice", "choose another name for one of the two"),
    ("REPLACED", "describe the schema, or remove it from REPLACED in build/codegen.rs"),
];

/// The parts of an operation that it can do without.
fn parts_of(operation: &Place) -> Vec<Place> {
    let lists = ["parameters", "responses"].map(|key| operation.child(key));
    let lists = lists.iter().filter(|list| list.pointer != operation.pointer);
    let mut parts: Vec<_> = lists.flat_map(Place::children).collect();
    parts.extend(
        ["requestBody", "x-stytch-rbac"]
            .map(|key| operation.child(key))
            .into_iter()
            .filter(|part| part.pointer != operation.pointer),
    );
    parts
}

fn trivial_component(place: &Place) -> Json {
    let is_replaced = REPLACED.iter().any(|(name, _)| *name == place.key());
    let property = json!({"description": "A property.", "type": "string"});
    if is_replaced { property } else { json!({"type": "object", "properties": {"x": property}}) }
}

fn trivial(place: &Place) -> Json {
    json!({"description": place.text("description").unwrap_or_default(), "type": "string"})
}

/// The value at a pointer; a method's place is the operation.
fn at<'a>(document: &'a Json, pointer: &str) -> Option<&'a Json> {
    document.pointer(pointer.strip_prefix('#')?)
}

/// Puts a value at a pointer, creating what is missing above; null removes.
fn put(document: &mut Json, pointer: &str, value: Json) {
    let steps: Vec<_> = pointer.split('/').skip(1).map(unescape).collect();
    let Some((last, above)) = steps.split_last() else { return };
    let mut target = document;
    for step in above {
        target = match target {
            Json::Array(items) => {
                let item = step.parse().ok().and_then(|index: usize| items.get_mut(index));
                let Some(item) = item else { return };
                item
            }
            Json::Object(entries) => entries.entry(step.clone()).or_insert_with(|| json!({})),
            _ => return,
        };
    }
    match target {
        Json::Array(items) => {
            let Some(index) = last.parse().ok().filter(|index: &usize| *index < items.len()) else {
                return;
            };
            if value.is_null() {
                items.remove(index);
            } else if let Some(item) = items.get_mut(index) {
                *item = value;
            }
        }
        Json::Object(entries) if value.is_null() => {
            entries.remove(last);
        }
        Json::Object(entries) => {
            entries.insert(last.clone(), value);
        }
        _ => {}
    }
}

/// The innermost part that isn't OpenAPI 3.0: the error for the whole document has no place.
fn innermost(document: &Document) -> Option<(Place, String)> {
    let schemas = document.schemas.iter().filter_map(|schema| {
        let error = error_of::<ReferenceOr<openapiv3::Schema>>(&schema.place.node)?;
        Some((schema.place.clone(), error))
    });
    let parameters = document.parameters.iter().filter_map(|place| {
        let error = error_of::<openapiv3::Parameter>(&place.node)?;
        Some((place.clone(), error))
    });
    let operations = document.operations.iter().filter_map(|place| {
        let error = error_of::<Operation>(&place.node)?;
        Some((place.clone(), error))
    });
    let unreadable: Vec<_> = schemas.chain(parameters).chain(operations).collect();
    let is_innermost = |place: &Place| {
        let mut others = unreadable.iter().map(|(other, _)| &other.pointer);
        !others.any(|other| *other != place.pointer && is_within(other, &place.pointer))
    };
    let mut innermost = unreadable.iter().filter(|(place, _)| is_innermost(place));
    innermost.next().cloned()
}

fn error_of<T: DeserializeOwned>(node: &Node) -> Option<String> {
    let result = serde_json::from_value::<T>(json(node)?);
    result.err().map(|error| error.to_string())
}

fn json(node: &Node) -> Option<Json> {
    serde_json::to_value(node).ok()
}
