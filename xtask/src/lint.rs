//! The rules of the document that compare two places. Those about one are in `openapi/subset.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    document::{at, content, entries, escape, items, operations, resolve, text, texts},
    spec::{Finding, Rules},
};

const SCHEMAS: &str = "/components/schemas";

/// What breaks a rule.
pub(crate) fn findings(rules: &Rules, document: &Value) -> Vec<Finding> {
    let mut lint = Lint { rules, document, findings: Vec::new() };
    lint.schemas();
    lint.operations();
    lint.components();
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
            let body = &operation["requestBody"];
            bodies.extend(references("", body).into_iter().map(|(_, target)| target));
            requests.extend(reached(document, body));
            responses.extend(reached(document, &operation["responses"]));
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
        for (path, method, operation) in operations(document) {
            let place = format!("/paths/{}/{method}", escape(path));
            for tag in items(&operation["tags"]).filter(|tag| !tags.contains(tag)) {
                let message = format!("the tag {tag} isn't declared; declare it in `tags`");
                self.report(format!("{place}/tags"), message);
            }
            let in_path: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
            let parameters = items(&operation["parameters"]).map(|it| resolve(document, it));
            let described = parameters.filter(|parameter| parameter["in"] == "path");
            let described: BTreeSet<_> = described.map(|it| text(&it["name"])).collect();
            for name in in_path.symmetric_difference(&described) {
                let problem = format!("`{name}` isn't in both the path and the parameters");
                self.report(&place, format!("{problem}; correct its name, or add it"));
            }
            self.success(operation);
        }
    }

    /// Stytch may send an error's body with a status of success.
    fn success(&mut self, operation: &Value) {
        let schema = |response| content(resolve(self.document, response));
        let error =
            resolve(self.document, schema(&self.document["components"]["responses"]["Error"]));
        let reference = schema(&operation["responses"]["2XX"]);
        let success = resolve(self.document, reference);
        let is_checked = success.get("x-reject-error-bodies").is_some();
        let mut required = texts(&success["required"]);
        if success.is_object()
            && !is_checked
            && required.all(|name| error["properties"].get(name).is_some())
        {
            self.report(text(&reference["$ref"]).trim_start_matches('#'), LIKE_AN_ERROR);
        }
    }

    /// What is referred to and isn't there, refers to itself, or is there for nothing.
    fn components(&mut self) {
        let document = self.document;
        for (place, target) in references("", document) {
            let schema = place.splitn(5, '/').take(4).collect::<Vec<_>>().join("/");
            if document.pointer(target).is_none() {
                let message = format!("`{target}` isn't defined; define it, or correct the `$ref`");
                self.report(place, message);
            } else if place.starts_with(SCHEMAS)
                && reached(document, at(document, &place)).contains(schema.as_str())
            {
                self.report(place, RECURSIVE);
            }
        }
        let used = reached(document, &document["paths"]);
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
        let mut seen = BTreeMap::new();
        let mut add = |scope: &str, place: String, name: &str| {
            let identifier = name.replace(['_', '-'], "").to_lowercase();
            let other = seen.insert((scope.to_owned(), identifier), name.to_owned());
            if let Some(other) = other.filter(|_| !name.is_empty()) {
                let problem = format!("`{name}` becomes the same name in Rust as `{other}`");
                self.report(place, format!("{problem}, {MISTAKEN}"));
            }
        };
        for (path, method, operation) in operations(document) {
            let place = format!("/paths/{}/{method}", escape(path));
            add("operations", format!("{place}/operationId"), text(&operation["operationId"]));
            for (index, parameter) in items(&operation["parameters"]).enumerate() {
                let name = text(&resolve(document, parameter)["name"]);
                add(&place, format!("{place}/parameters/{index}"), name);
            }
        }
        for (name, schema) in entries(at(document, SCHEMAS)) {
            let place = format!("{SCHEMAS}/{name}");
            for (name, _) in entries(&schema["properties"]) {
                add(&place, format!("{place}/properties/{}", escape(name)), name);
            }
            add(SCHEMAS, place, name);
        }
    }
}

/// The targets that a part leads to, directly or through others.
fn reached<'a>(document: &'a Value, part: &'a Value) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut found = references("", part);
    while let Some((_, target)) = found.pop() {
        if reached.insert(target) {
            found.extend(references("", at(document, target)));
        }
    }
    reached
}

/// Each `$ref` in a part: the pointer of what contains it, and its target.
fn references<'a>(place: &str, part: &'a Value) -> Vec<(String, &'a str)> {
    let target = part["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    let mut found: Vec<_> = target.map(|target| (place.to_owned(), target)).into_iter().collect();
    for (key, part) in entries(part).filter(|(key, _)| *key != "example") {
        found.extend(references(&format!("{place}/{}", escape(key)), part));
    }
    for (index, part) in items(part).enumerate() {
        found.extend(references(&format!("{place}/{index}"), part));
    }
    found
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
