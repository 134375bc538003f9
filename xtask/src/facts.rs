//! The facts of an OpenAPI document by place: methods, paths, parameters, bodies, responses,
//! security and servers. Descriptions and examples are not among them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::{content, entries, items, operations, resolve, text, texts};

/// Facts by place: `get_jwks 2XX.keys[].kid` is `string, required`.
pub type Facts = BTreeMap<String, String>;

/// The facts of ours, and of theirs those about the parts that ours describes.
pub fn facts(ours: &Value, theirs: &Value) -> (Facts, Facts) {
    // An operation without a name in Stytch's documents has nothing to compare with.
    let named = operations(ours).filter(|(.., it)| it.get("x-stytch-upstream").is_some());
    let ids: BTreeMap<_, _> = named
        .flat_map(|(.., operation)| {
            let id = text(&operation["operationId"]);
            texts(&operation["x-stytch-upstream"]).chain([id]).map(move |name| (name, id))
        })
        .collect();
    let [ours, mut theirs] = [ours, theirs].map(|document| {
        let mut reader = Reader { document, facts: Facts::new() };
        reader.document(&ids);
        reader.facts
    });
    let is_ours = |place: &str| ours.contains_key(place);
    theirs.retain(|place, _| is_ours(place) || owner(place).is_some_and(is_ours));
    (ours, theirs)
}

/// The facts as text.
pub fn lines(facts: &Facts) -> String {
    facts.iter().flat_map(|(at, fact)| [at, ": ", fact, "\n"]).collect()
}

struct Reader<'a> {
    document: &'a Value,
    facts: Facts,
}

impl<'a> Reader<'a> {
    fn document(&mut self, ids: &BTreeMap<&str, &str>) {
        self.alternatives("servers", servers(self.document));
        for (path, method, operation) in operations(self.document) {
            let Some(id) = ids.get(text(&operation["operationId"])) else { continue };
            let deprecated = if operation["deprecated"] == true { ", deprecated" } else { "" };
            let fact = format!("{} {path}{deprecated}", method.to_uppercase());
            self.facts.insert((*id).to_owned(), fact);
            self.alternatives(&format!("{id} security"), self.security(operation));
            self.alternatives(&format!("{id} servers"), servers(operation));
            self.parameters(id, &self.document["paths"][path]["parameters"]);
            self.parameters(id, &operation["parameters"]);
            self.bodies(id, operation);
        }
    }

    fn parameters(&mut self, id: &str, parameters: &'a Value) {
        for parameter in items(parameters) {
            let parameter = resolve(self.document, parameter);
            let [name, kind] = ["name", "in"].map(|key| text(&parameter[key]));
            // Upper and lower case are the same in a header.
            let name = if kind == "header" { &name.to_lowercase() } else { name };
            let is_required = parameter["required"] == true;
            self.schema(&format!("{id} {kind} {name}"), &parameter["schema"], is_required, DEPTH);
        }
    }

    fn bodies(&mut self, id: &str, operation: &'a Value) {
        if let Some(body) = operation.get("requestBody").map(|body| resolve(self.document, body)) {
            self.schema(&format!("{id} request"), content(body), body["required"] == true, DEPTH);
        }
        for (status, response) in entries(&operation["responses"]) {
            let class = status.get(..1).filter(|first| first.parse::<u8>().is_ok());
            let status = class.map_or_else(|| status.clone(), |class| format!("{class}XX"));
            let schema = content(resolve(self.document, response));
            self.schema(&format!("{id} {status}"), schema, false, DEPTH);
        }
    }

    fn alternatives(&mut self, place: &str, mut alternatives: Vec<String>) {
        alternatives.sort();
        if !alternatives.is_empty() {
            self.facts.insert(place.to_owned(), alternatives.join(", "));
        }
    }

    /// Adds the fact of a schema, and those of its items and properties.
    fn schema(&mut self, place: &str, schema: &'a Value, is_required: bool, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let parts = self.parts(schema, DEPTH);
        let any = |holds: fn(&Value) -> bool| parts.iter().any(|part| holds(part));
        let is_nullable = any(|it| it["nullable"] == true || kinds(it).contains(&"null"));
        let mut words = vec![kind(schema, &parts)];
        words.extend(is_required.then(|| REQUIRED.to_owned()));
        words.extend(is_nullable.then(|| NULLABLE.to_owned()));
        words.extend(any(|it| it["deprecated"] == true).then(|| "deprecated".to_owned()));
        words.extend(values(&parts));
        if is_request(place) {
            words.extend(parts.iter().flat_map(|part| limits(part)));
        }
        self.insert(place, words.join(", "));
        if let Some(items) = parts.iter().find_map(|part| part.get("items")) {
            self.schema(&format!("{place}[]"), items, false, depth);
        }
        let required: Vec<_> = parts.iter().flat_map(|part| texts(&part["required"])).collect();
        for (name, property) in parts.iter().flat_map(|part| entries(&part["properties"])) {
            let is_required = required.contains(&name.as_str());
            self.schema(&format!("{place}.{name}"), property, is_required, depth);
        }
    }

    /// The responses of one class of statuses may have several bodies. Of errors, some have none.
    fn insert(&mut self, place: &str, fact: String) {
        let known = self.facts.entry(place.to_owned()).or_insert_with(|| fact.clone());
        if is_error(place) && known == NO_SCHEMA {
            *known = fact;
        } else if *known != fact && !(is_error(place) && fact == NO_SCHEMA) {
            *known = format!("{known} / {fact}");
        }
    }

    /// A schema and what it consists of: the target of a `$ref`, the parts of `allOf` and others.
    fn parts(&self, schema: &'a Value, depth: usize) -> Vec<&'a Value> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let target = schema.get("$ref").map(|_| resolve(self.document, schema));
        let inner = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|key| items(&schema[key]));
        let inner = inner.chain(target).flat_map(|part| self.parts(part, depth));
        [schema].into_iter().chain(inner).collect()
    }

    /// The alternatives, each by what a request carries.
    fn security(&self, operation: &Value) -> Vec<String> {
        let security = operation.get("security").unwrap_or(&self.document["security"]);
        let none = Value::Null;
        let is_off = *security == Value::Array(Vec::new());
        let sets = items(security).chain(is_off.then_some(&none)).map(|set| {
            let schemes = entries(set).map(|(name, _)| {
                let scheme = &self.document["components"]["securitySchemes"][name];
                let words = ["type", "scheme", "in", "name"].map(|key| scheme[key].as_str());
                words.into_iter().flatten().collect::<Vec<_>>().join(" ").to_lowercase()
            });
            schemes.collect::<Vec<_>>().join(" and ")
        });
        sets.map(|set| if set.is_empty() { "none".to_owned() } else { set }).collect()
    }
}

fn servers(owner: &Value) -> Vec<String> {
    let urls = items(&owner["servers"]).map(|server| text(&server["url"]));
    urls.map(|url| url.trim_end_matches('/').to_owned()).collect()
}

fn kind(schema: &Value, parts: &[&Value]) -> String {
    let kinds: BTreeSet<_> = parts.iter().flat_map(|part| kinds(part)).collect();
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| *kind != "null").collect();
    let has = |key| parts.iter().any(|part| part.get(key).is_some());
    let kind = match kinds.as_slice() {
        [] if has("properties") => "object",
        [] if has("items") => "array",
        [] if schema.is_null() => NO_SCHEMA,
        [] => ANYTHING,
        kinds => &kinds.join(" or "),
    };
    let format = parts.iter().find_map(|part| part["format"].as_str());
    [kind].into_iter().chain(format).collect::<Vec<_>>().join(" ")
}

fn kinds(part: &Value) -> Vec<&str> {
    part["type"].as_str().into_iter().chain(texts(&part["type"])).collect()
}

/// The values that `enum` or `const` allows.
fn values(parts: &[&Value]) -> Option<String> {
    let values = parts.iter().flat_map(|it| items(&it["enum"]).chain(it.get("const")));
    let values = Vec::from_iter(values.map(Value::to_string).collect::<BTreeSet<_>>());
    (!values.is_empty()).then(|| format!("one of {}", values.join("|")))
}

/// What a request is rejected for.
fn limits(part: &Value) -> impl Iterator<Item = String> {
    let limits = entries(part).filter(|(key, limit)| match key.as_str() {
        "additionalProperties" => **limit == false,
        "minLength" | "minItems" | "minProperties" => **limit != 0,
        "multipleOf" | "pattern" | "uniqueItems" => true,
        key => key.starts_with("max") || key == "minimum",
    });
    limits.map(|(key, limit)| format!("{key} {limit}"))
}

pub(crate) fn is_error(place: &str) -> bool {
    [" 4XX", " 5XX"].iter().any(|status| place.contains(status))
}

pub(crate) fn is_request(place: &str) -> bool {
    [" request", " path ", " query ", " header "].iter().any(|part| place.contains(part))
}

/// The place that has this one as a part: `get_jwks 2XX.keys[]` of `get_jwks 2XX.keys[].kid`.
pub(crate) fn owner(place: &str) -> Option<&str> {
    let (owner, _) = place.rsplit_once(['.', ' ', '['])?;
    Some(owner.trim_end_matches(" path").trim_end_matches(" query").trim_end_matches(" header"))
}

pub(crate) const REQUIRED: &str = "required";
pub(crate) const NULLABLE: &str = "nullable";
pub(crate) const ANYTHING: &str = "anything";
pub(crate) const NO_SCHEMA: &str = "no schema";
/// No schema of ours nests deeper.
const DEPTH: usize = 12;
