//! Schemas in one normal form: references followed, `allOf` merged, and the nulls of OpenAPI
//! 3.0 and 3.1 alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::yaml::{Node, Value};

/// What a schema allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// The component that it refers to.
    pub(super) name: Option<String>,
    /// The type; empty for any type.
    pub(super) kind: String,
    pub(super) format: Option<String>,
    pub(super) nullable: bool,
    pub(super) deprecated: bool,
    pub(super) values: Option<BTreeSet<String>>,
    pub(super) properties: Vec<(String, Node)>,
    pub(super) required: BTreeSet<String>,
    pub(super) items: Option<Node>,
    /// Constraints beyond the type, by keyword.
    pub(super) limits: BTreeMap<&'static str, String>,
    /// What `x-stytch-upstream` lists.
    pub(super) upstream: Vec<String>,
}

/// How deep references may nest before the schema counts as recursive.
const DEPTH: usize = 32;

impl Shape {
    pub(super) fn of(document: &Node, schema: &Node) -> Self {
        Self::within(document, schema, DEPTH)
    }

    /// The type as the report shows it, with that of its items.
    pub(super) fn describe(&self, document: &Node) -> String {
        let name = self.name.as_deref().filter(|_| self.kind == "object");
        match (&self.items, &self.format, name) {
            (Some(items), ..) => {
                let items = Self::of(document, items);
                let simple = Self { items: None, ..items };
                format!("array of {}", simple.describe(document))
            }
            (_, Some(format), _) => format!("{} ({format})", self.kind),
            (.., Some(name)) => name.to_owned(),
            _ if self.kind.is_empty() => "anything".to_owned(),
            _ => self.kind.clone(),
        }
    }

    fn within(document: &Node, schema: &Node, depth: usize) -> Self {
        let Some(depth) = depth.checked_sub(1) else {
            return Self::of_kind("a recursive schema");
        };
        if let Some(target) = schema.get("$ref").and_then(Node::text) {
            let Some(found) = document.at(target) else {
                return Self::of_kind(&format!("undefined {target}"));
            };
            let name = target.rsplit('/').next().map(str::to_owned);
            let shape = Self::within(document, found, depth);
            // In 3.1 a description may stand beside a reference, and `deprecated` too.
            let deprecated = shape.deprecated || flag(schema, "deprecated");
            return Self { name, deprecated, ..shape };
        }
        let mut shape = Self::own(schema);
        for part in schema.get("allOf").map_or(&[][..], Node::items) {
            shape.merge(Self::within(document, part, depth));
        }
        for keyword in ["anyOf", "oneOf"] {
            let choices = schema.get(keyword).map_or(&[][..], Node::items);
            shape.choose(choices, |choice| Self::within(document, choice, depth));
        }
        shape
    }

    /// What the schema contains itself.
    fn own(schema: &Node) -> Self {
        let (kinds, null) = kinds(schema);
        let text = |key: &str| schema.get(key).and_then(Node::text).map(str::to_owned);
        let properties = schema.get("properties").map_or(&[][..], Node::entries);
        let names = |key: &str| {
            let names = schema.get(key).map_or(&[][..], Node::items).iter();
            names.filter_map(Node::text).map(str::to_owned)
        };
        Self {
            name: None,
            kind: kinds.join(" or "),
            format: text("format"),
            nullable: null || flag(schema, "nullable"),
            deprecated: flag(schema, "deprecated"),
            values: values(schema),
            properties: properties.to_vec(),
            required: names("required").collect(),
            items: schema.get("items").cloned(),
            limits: limits(schema),
            upstream: names("x-stytch-upstream").collect(),
        }
    }

    fn of_kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// Adds the constraints of another part of an `allOf`.
    fn merge(&mut self, part: Self) {
        let has_own = !self.kind.is_empty() || !self.properties.is_empty();
        if self.kind.is_empty() {
            self.kind = part.kind;
        }
        // With more than one named part, it's none of them.
        self.name = part.name.filter(|_| self.name.is_none() && !has_own);
        self.upstream.extend(part.upstream);
        self.format = self.format.take().or(part.format);
        self.nullable |= part.nullable;
        self.deprecated |= part.deprecated;
        self.values = self.values.take().or(part.values);
        self.properties.extend(part.properties);
        self.limits.extend(part.limits);
        self.required.extend(part.required);
        self.items = self.items.take().or(part.items);
    }

    /// One choice beside null is that choice; several stay a type of their own.
    fn choose(&mut self, choices: &[Node], shape: impl Fn(&Node) -> Self) {
        let is_null = |choice: &Shape| choice.kind.is_empty() && choice.nullable;
        let (nulls, mut others): (Vec<_>, Vec<_>) = choices.iter().map(shape).partition(is_null);
        self.nullable |= !nulls.is_empty();
        if others.len() > 1 {
            "one of several".clone_into(&mut self.kind);
        } else if let Some(only) = others.pop() {
            self.merge(only);
        }
    }
}

/// The types that a schema names, and whether null is among them.
fn kinds(schema: &Node) -> (Vec<String>, bool) {
    let mut kinds = match schema.get("type").map(|kind| &kind.value) {
        Some(Value::Text(kind)) => vec![kind.clone()],
        Some(Value::List(kinds)) => {
            kinds.iter().filter_map(Node::text).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let all = kinds.len();
    kinds.retain(|kind| kind != "null");
    let null = kinds.len() < all;
    if kinds.is_empty() && schema.get("properties").is_some() {
        kinds.push("object".to_owned());
    } else if kinds.is_empty() && schema.get("items").is_some() {
        kinds.push("array".to_owned());
    }
    kinds.sort();
    (kinds, null)
}

fn values(schema: &Node) -> Option<BTreeSet<String>> {
    let values = match (schema.get("enum"), schema.get("const")) {
        (Some(values), _) => values.items(),
        (None, Some(value)) => std::slice::from_ref(value),
        (None, None) => return None,
    };
    let texts = values.iter().map(|value| match &value.value {
        Value::Text(text) => text.clone(),
        _ => serde_json::to_string(value).unwrap_or_default(),
    });
    Some(texts.collect())
}

/// The keywords that make a value of the right type invalid.
const LIMITS: [&str; 14] = [
    "maxLength",
    "minLength",
    "pattern",
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "multipleOf",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "additionalProperties",
];

fn limits(schema: &Node) -> BTreeMap<&'static str, String> {
    let mut limits = BTreeMap::new();
    for key in LIMITS {
        let Some(node) = schema.get(key) else { continue };
        let is_limit = match &node.value {
            // Only `additionalProperties` limits by being false.
            Value::Bool(value) => *value != (key == "additionalProperties"),
            Value::Map(_) => false,
            Value::Number(number) => {
                !key.starts_with("min") || key == "minimum" || number.as_u64() != Some(0)
            }
            _ => true,
        };
        if is_limit {
            let text = node.text().map(str::to_owned);
            let text = text.or_else(|| serde_json::to_string(node).ok());
            limits.insert(key, text.unwrap_or_default());
        }
    }
    limits
}

fn flag(schema: &Node, key: &str) -> bool {
    schema.get(key).is_some_and(Node::is_true)
}
