//! `cargo xtask spec`: checks the document that people write, and writes the JSON that the build
//! reads.
//!
//! Of the rules, those about one place are a JSON Schema, `openapi/subset.yaml`.

use std::collections::BTreeSet;

use jsonschema::{ValidationError, ValidatorMap, error::ValidationErrorKind as Kind};
use serde_json::Value;

use crate::{
    document::{Document, at, entries, escape, items, resolve, text, texts},
    lint, write,
};

/// The document that people write.
pub(crate) const YAML: &str = "openapi/external-connections.yaml";
const JSON: &str = "openapi/generated/external-connections.json";
const SUBSET: &str = include_str!("../../openapi/subset.yaml");

/// Runs the command; false if the document breaks a rule.
pub fn run() -> Result<bool, String> {
    let document = Document::read(YAML)?;
    let mut findings = Vec::from_iter(Rules::new()?.check(&document.json));
    findings.sort_by_key(|finding| document.line(&finding.pointer));
    for Finding { pointer, message } in &findings {
        let (reason, fix) = message.rsplit_once("; ").unwrap_or((message, "correct it"));
        let line = document.line(pointer);
        eprintln!("{YAML}:{line}: #{pointer}: {reason}\n    fix: {fix}");
    }
    if findings.is_empty() {
        write(JSON, &document.to_text()?)?;
    }
    Ok(findings.is_empty())
}

/// A part of the document that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// The reason and, after the last semicolon, the fix.
    pub message: String,
}

/// The rules of the document.
#[derive(Debug)]
pub struct Rules {
    /// The JSON Schema.
    pub subset: Value,
    validators: ValidatorMap,
}

impl Rules {
    /// Reads the JSON Schema.
    pub fn new() -> Result<Self, String> {
        let subset = Document::parse(SUBSET);
        let subset = subset.map_err(|error| format!("openapi/subset.yaml:{error}"))?.json;
        let validators = jsonschema::options().build_map(&subset);
        let validators = validators.map_err(|error| format!("openapi/subset.yaml: {error}"))?;
        Ok(Self { subset, validators })
    }

    /// The schemas that handwritten types replace, which have no rules.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        let schemas = "/properties/components/properties/schemas/properties";
        let names = entries(at(&self.subset, schemas)).map(|(name, _)| name.as_str());
        names.filter(|name| *name != "ErrorBody")
    }

    /// What breaks a rule in a document.
    pub fn check(&self, document: &Value) -> BTreeSet<Finding> {
        let mut findings = self.compare("", "", document);
        findings.extend(lint::findings(self, document));
        findings.into_iter().collect()
    }

    /// Compares the part at a pointer with a definition of the JSON Schema.
    pub(crate) fn compare(&self, definition: &str, place: &str, part: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        let validator = self.validators.get(&format!("#{definition}"));
        for error in validator.into_iter().flat_map(|validator| validator.iter_errors(part)) {
            let pointer = format!("{place}{}", error.instance_path());
            let reject = |key: &str, why: &str| Finding {
                pointer: format!("{pointer}/{}", escape(key)),
                message: format!("`{key}` is not allowed here: {why}"),
            };
            match error.kind() {
                Kind::AdditionalProperties { unexpected } => {
                    findings.extend(unexpected.iter().map(|key| reject(key, self.rejected(key))));
                }
                Kind::PropertyNames { error } => {
                    findings.push(reject(text(error.instance()), &self.reason(definition, error)));
                }
                _ => {
                    let message = self.reason(definition, &error);
                    findings.push(Finding { pointer, message });
                }
            }
        }
        findings
    }

    /// Why a part does not match a definition, and how to fix it.
    fn reason(&self, definition: &str, error: &ValidationError<'_>) -> String {
        // Relative to the definition, but for what it refers to.
        let path = error.schema_path().as_str();
        let is_relative = !path.starts_with("/$defs/");
        let keyword = &if is_relative { format!("{definition}{path}") } else { path.to_owned() };
        let why = self.description(keyword, matches!(error.kind(), Kind::Type { .. }));
        if let Kind::Required { property } = error.kind() {
            let name = text(property);
            let schema = keyword.trim_end_matches("/required");
            let missing = at(&self.subset, &format!("{schema}/properties/{name}"));
            let missing = resolve(&self.subset, missing)["description"].as_str();
            let why = missing.or(why).unwrap_or("it has to be there; add it");
            return format!("`{name}` is missing: {why}");
        }
        why.map_or_else(|| format!("{}; correct it", error.masked_with("it")), str::to_owned)
    }

    fn rejected(&self, key: &str) -> &str {
        let mut rejected = items(&self.subset["x-rejected"]);
        let rejected = rejected.find(|it| texts(&it["keys"]).any(|name| name == key));
        let why = rejected.and_then(|rejected| rejected["why"].as_str());
        why.unwrap_or("the generator ignores it; remove it, or write it into the `description`")
    }

    /// The `description` beside a keyword of the JSON Schema, or else the nearest one above.
    fn description(&self, keyword: &str, beside_only: bool) -> Option<&str> {
        let schemas = keyword.match_indices('/').map(|(end, _)| &keyword[..end]).rev();
        schemas.take(if beside_only { 1 } else { usize::MAX }).find_map(|schema| {
            let schema = at(&self.subset, schema);
            let mut owners = [schema, resolve(&self.subset, schema)].into_iter();
            owners.find_map(|owner| owner["description"].as_str())
        })
    }
}
