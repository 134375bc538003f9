//! The rules of the document that compare two places. Those about one are in `openapi/subset.yaml`.
//!
//! Of a message, what follows the last semicolon is the fix.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    document::{at, entries, escape, items, resolve, texts},
    spec::{Finding, Rules},
};

const SCHEMAS: &str = "/components/schemas";

/// What breaks a rule.
pub(crate) fn findings(rules: &Rules, document: &Value) -> Vec<Finding> {
    let mut lint = Lint { rules, document, findings: Vec::new() };
    lint.schemas();
    lint.operations();
    lint.references();
    lint.names();
    lint.findings
}

struct Lint<'a> {
    rules: &'a Rules,
    document: &'a Value,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn report(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { pointer: pointer.into(), message: message.into() });
    }

    fn schemas(&mut self) {
        let document = self.document;
        let [mut bodies, mut requests, mut responses] = [const { BTreeSet::new() }; 3];
        for (_, _, operation) in operations(document) {
            references("", &operation["requestBody"], &mut |_, target| {
                bodies.insert(target);
            });
            reach(document, &operation["requestBody"], &mut requests);
            reach(document, &operation["responses"], &mut responses);
        }
        let replaced: Vec<_> = self.rules.replaced().collect();
        let schemas = entries(at(document, SCHEMAS));
        for (name, schema) in schemas.filter(|(name, _)| !replaced.contains(&name.as_str())) {
            let place = format!("{SCHEMAS}/{name}");
            let [is_body, in_request, in_response] =
                [&bodies, &requests, &responses].map(|targets| targets.contains(place.as_str()));
            if in_request {
                self.findings.extend(self.rules.compare("/$defs/request", &place, schema));
            }
            if in_response || !is_body {
                self.findings.extend(self.rules.compare("/$defs/response", &place, schema));
            }
            self.properties(&place, schema, in_request, in_response);
        }
    }

    /// What the form of a property and the list of the required ones make together.
    fn properties(&mut self, place: &str, schema: &Value, in_request: bool, in_response: bool) {
        let required: Vec<_> = texts(&schema["required"]).collect();
        for name in required.iter().filter(|name| schema["properties"].get(**name).is_none()) {
            let problem = format!("requires `{name}`, which isn't among the properties");
            let message = format!("{problem}; correct the name, or describe the property");
            self.report(format!("{place}/required"), message);
        }
        for (name, property) in entries(&schema["properties"]) {
            let pointer = format!("{place}/properties/{}", escape(name));
            let is_required = required.contains(&name.as_str());
            let is_nullable = property["nullable"] == true;
            let has_default = property.get("default").is_some();
            let because = "x-required-because";
            let has_reason = property.get(because).or_else(|| schema.get(because)).is_some();
            if property["type"] == "array" && !is_required && !is_nullable {
                self.report(&pointer, NEVER_EMPTY);
            }
            if in_request && is_required && is_nullable {
                self.report(&pointer, NULL_SENT);
            }
            if !in_request && has_default && (is_required || is_nullable) {
                self.report(format!("{pointer}/default"), NO_DEFAULT);
            }
            if in_response && is_required && !has_reason {
                self.report(&pointer, NO_REASON);
            }
        }
    }

    fn operations(&mut self) {
        let document = self.document;
        let tags: Vec<_> = items(&document["tags"]).map(|tag| &tag["name"]).collect();
        for (place, path, operation) in operations(document) {
            for tag in items(&operation["tags"]).filter(|tag| !tags.contains(tag)) {
                let message = format!("the tag {tag} isn't declared; declare it in `tags`");
                self.report(format!("{place}/tags"), message);
            }
            let in_path: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
            let parameters = items(&operation["parameters"]).map(|it| resolve(document, it));
            let described = parameters.filter(|parameter| parameter["in"] == "path");
            let described: BTreeSet<_> = described.filter_map(|it| it["name"].as_str()).collect();
            for name in in_path.symmetric_difference(&described) {
                let problem = format!("`{name}` isn't in both the path and the parameters");
                self.report(&place, format!("{problem}; correct its name, or add it"));
            }
            self.success(operation);
        }
    }

    /// Stytch may send an error's body with a status of success.
    fn success(&mut self, operation: &Value) {
        let schema = |response| {
            let response = resolve(self.document, response);
            &response["content"]["application/json"]["schema"]
        };
        let errors =
            resolve(self.document, schema(&self.document["components"]["responses"]["Error"]));
        let success = schema(&operation["responses"]["2XX"]);
        let target = success["$ref"].as_str().unwrap_or_default().trim_start_matches('#');
        let success = resolve(self.document, success);
        let is_checked = success.get("x-reject-error-bodies").is_some();
        let mut required = texts(&success["required"]);
        let is_in_errors = |name| !errors["properties"][name].is_null();
        if success.is_object() && !is_checked && required.all(is_in_errors) {
            self.report(target, LIKE_AN_ERROR);
        }
    }

    fn references(&mut self) {
        let document = self.document;
        references("", document, &mut |place, target| {
            if document.pointer(target).is_none() {
                let message = format!("`{target}` isn't defined; define it, or correct the `$ref`");
                return self.report(place, message);
            }
            let mut reached = BTreeSet::from([target]);
            reach(document, at(document, target), &mut reached);
            let owner = place.splitn(5, '/').take(4).collect::<Vec<_>>().join("/");
            if place.starts_with(SCHEMAS) && reached.contains(owner.as_str()) {
                self.report(place, RECURSIVE);
            }
        });
        let mut used = BTreeSet::new();
        reach(document, &document["paths"], &mut used);
        for kind in ["parameters", "responses", "schemas"] {
            for (name, _) in entries(&document["components"][kind]) {
                let pointer = format!("/components/{kind}/{}", escape(name));
                if !used.contains(pointer.as_str()) {
                    self.report(pointer, "no operation uses this component; use it, or remove it");
                }
            }
        }
    }

    /// Names that become the same identifier, or one that is easily mistaken for another.
    fn names(&mut self) {
        let document = self.document;
        let mut names = Vec::new();
        for (place, _, operation) in operations(document) {
            for (index, parameter) in items(&operation["parameters"]).enumerate() {
                let name = resolve(document, parameter)["name"].as_str();
                names.push((format!("{place}/parameters/{index}"), place.clone(), name));
            }
            let id = operation["operationId"].as_str();
            names.push((format!("{place}/operationId"), "operations".to_owned(), id));
        }
        for (name, schema) in entries(at(document, SCHEMAS)) {
            let place = format!("{SCHEMAS}/{name}");
            for (property, _) in entries(&schema["properties"]) {
                let pointer = format!("{place}/properties/{}", escape(property));
                names.push((pointer, place.clone(), Some(property)));
            }
            names.push((place, SCHEMAS.to_owned(), Some(name)));
        }
        let mut seen = BTreeMap::new();
        for (pointer, scope, name) in names {
            let Some(name) = name else { continue };
            let identifier = name.replace(['_', '-'], "").to_lowercase();
            if let Some(other) = seen.insert((scope, identifier), name) {
                let problem = format!("`{name}` becomes the same name in Rust as `{other}`");
                self.report(pointer, format!("{problem}, {MISTAKEN}"));
            }
        }
    }
}

/// The operations of a document: pointer, path and operation.
fn operations(document: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    entries(&document["paths"]).flat_map(|(path, item)| {
        entries(item).map(move |(method, operation)| {
            (format!("/paths/{}/{method}", escape(path)), path.as_str(), operation)
        })
    })
}

/// Adds the targets that a part leads to, directly or through others.
fn reach<'a>(document: &'a Value, part: &'a Value, found: &mut BTreeSet<&'a str>) {
    references("", part, &mut |_, target| {
        if found.insert(target) {
            reach(document, at(document, target), found);
        }
    });
}

/// Visits each `$ref` in a part: the pointer of what contains it, and its target.
fn references<'a>(place: &str, part: &'a Value, visit: &mut dyn FnMut(&str, &'a str)) {
    if let Some(target) = part["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        visit(place, target);
    }
    for (key, part) in entries(part).filter(|(key, _)| *key != "example") {
        references(&format!("{place}/{}", escape(key)), part, visit);
    }
    for (index, part) in items(part).enumerate() {
        references(&format!("{place}/{index}"), part, visit);
    }
}

const NEVER_EMPTY: &str = "an array that is neither required nor nullable: the generator makes a \
    Vec that is skipped when empty, so an empty list is never sent; add `nullable: true`";
const NULL_SENT: &str = "both required and nullable: the client sends `None` as a null; remove \
    `nullable`, or remove it from `required`";
const NO_DEFAULT: &str = "a default of a property that is required or nullable has no effect; \
    remove `default`, `nullable` or the name in `required`";
const NO_REASON: &str = "required in a response without a reason: a response that lacks it is \
    unreadable, although Stytch may have applied the request; remove it from `required`, or add \
    `x-required-because` to it or to its schema";
const LIKE_AN_ERROR: &str = "requires no property that the error lacks: an error body with a status \
    of success would be decoded as a success; require a property that every success has, or add \
    `x-reject-error-bodies` with the reason why there is none";
const RECURSIVE: &str =
    "the schema contains itself: the generator emits no `Box`; describe it without recursion";
const MISTAKEN: &str = "or one that is easily mistaken for it; rename one of the two";
