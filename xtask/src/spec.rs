//! `cargo xtask spec`: checks the document that people write, and writes the JSON that the build
//! reads.
//!
//! Of the rules, those about one place are a JSON Schema, `openapi/subset.yaml`.

use std::fmt;

use jsonschema::{ValidationError, ValidatorMap, error::ValidationErrorKind as Kind};
use serde_json::Value;

use crate::{
    document::{Document, at, entries, escape, items, resolve, texts},
    lint, read, write,
};

/// The document that people write.
pub(crate) const YAML: &str = "openapi/external-connections.yaml";
const JSON: &str = "openapi/generated/external-connections.json";
const SUBSET: &str = include_str!("../../openapi/subset.yaml");

/// Runs the command; false if the document breaks a rule.
pub fn run() -> Result<bool, String> {
    let text = read(YAML)?;
    let document = Document::parse(&text).map_err(|error| format!("{YAML}:{error}"))?;
    let value = document.to_value().map_err(|error| format!("{YAML}:{error}"))?;
    let mut findings = Rules::new()?.check(&value);
    findings.sort_by_key(|finding| document.line(&finding.pointer));
    for finding in &findings {
        eprintln!("{YAML}:{}: {finding}", document.line(&finding.pointer));
    }
    if findings.is_empty() {
        write(JSON, &document.to_json()?)?;
    }
    Ok(findings.is_empty())
}

/// A part of the document that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// The reason and the fix.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reason, fix) = self.message.rsplit_once("; ").unwrap_or((&self.message, "correct it"));
        write!(f, "#{}: {reason}\n    fix: {fix}", self.pointer)
    }
}

/// The rules of the document.
#[derive(Debug)]
pub struct Rules {
    subset: Value,
    validators: ValidatorMap,
}

impl Rules {
    /// Reads the JSON Schema.
    pub fn new() -> Result<Self, String> {
        let subset = Document::parse(SUBSET).and_then(|subset| subset.to_value());
        let subset = subset.map_err(|error| format!("openapi/subset.yaml:{error}"))?;
        let validators = jsonschema::options().build_map(&subset);
        let validators = validators.map_err(|error| format!("openapi/subset.yaml: {error}"))?;
        Ok(Self { subset, validators })
    }

    /// The JSON Schema.
    pub const fn subset(&self) -> &Value {
        &self.subset
    }

    /// The schemas that handwritten types replace, which have no rules.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        let schemas = "/properties/components/properties/schemas/properties";
        let names = entries(at(&self.subset, schemas)).map(|(name, _)| name.as_str());
        names.filter(|name| *name != "ErrorBody")
    }

    /// What breaks a rule in a document, each once, ordered by pointer.
    pub fn check(&self, document: &Value) -> Vec<Finding> {
        let mut findings = self.compare("", "", document);
        findings.extend(lint::findings(self, document));
        findings.sort();
        findings.dedup();
        findings
    }

    /// Compares the part at a pointer with a definition of the JSON Schema.
    pub(crate) fn compare(&self, definition: &str, place: &str, part: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        let validator = self.validators.get(&format!("#{definition}"));
        for error in validator.into_iter().flat_map(|validator| validator.iter_errors(part)) {
            let pointer = format!("{place}{}", error.instance_path());
            let key_at = |key: &str| format!("{pointer}/{}", escape(key));
            match error.kind() {
                Kind::AdditionalProperties { unexpected } => {
                    findings.extend(unexpected.iter().map(|key| {
                        let message =
                            format!("`{key}` is not allowed here: {}", self.rejected(key));
                        Finding { pointer: key_at(key), message }
                    }));
                }
                Kind::PropertyNames { error } => {
                    let key = error.instance().as_str().unwrap_or_default();
                    let message = format!("`{key}`: {}", self.reason(definition, error));
                    findings.push(Finding { pointer: key_at(key), message });
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
        match error.kind() {
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let schema = keyword.trim_end_matches("/required");
                let missing = at(&self.subset, &format!("{schema}/properties/{name}"));
                let missing = resolve(&self.subset, missing)["description"].as_str();
                format!("`{name}` is missing: {}", missing.or(why).unwrap_or("it has to be there"))
            }
            _ => why
                .map_or_else(|| format!("{}; correct it", error.masked_with("it")), str::to_owned),
        }
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
