//! The house rules of the OpenAPI document: each finding names the line, the JSON pointer
//! and the mend.
//!
//! Only what an author can get wrong without noticing is a rule. Matters of taste aren't.

mod components;
mod generate;
mod operations;
mod schemas;

use std::fmt;

use crate::{
    document::{Document, Place},
    yaml::Node,
};

/// The rules, by the names that findings carry.
const LINTS: [(&str, Lint); 15] = [
    ("openapi-version", operations::openapi_version),
    ("unknown-key", generate::unknown_key),
    ("operation-incomplete", operations::incomplete),
    ("operation-id-twice", operations::id_twice),
    ("session-headers", operations::session_headers),
    ("unknown-permission", operations::unknown_permission),
    ("upstream-names", components::upstream_names),
    ("no-description", schemas::no_description),
    ("optional-array", schemas::optional_array),
    ("closed-enum", schemas::closed_enum),
    ("required-unknown", schemas::required_unknown),
    ("undefined-component", components::undefined),
    ("undefined-tag", operations::undefined_tag),
    ("unused-component", components::unused),
    ("not-generated", generate::not_generated),
];

type Lint = fn(&Document) -> Vec<Finding>;

/// One breach of a rule.
pub(crate) struct Finding {
    pub(crate) lint: &'static str,
    pub(crate) line: usize,
    pub(crate) pointer: String,
    says: String,
    mend: String,
}

/// Looks for breaches of all rules, in the order of the file.
pub(crate) fn lint(root: Node) -> Vec<Finding> {
    let document = Document::new(root);
    let mut findings: Vec<Finding> = Vec::new();
    for (name, lint) in LINTS {
        findings
            .extend(lint(&document).into_iter().map(|finding| Finding { lint: name, ..finding }));
    }
    findings.sort_by(|a, b| (a.line, &a.pointer).cmp(&(b.line, &b.pointer)));
    findings
}

impl Finding {
    fn new(place: &Place, says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            lint: "",
            line: place.node.line,
            pointer: place.pointer.clone(),
            says: says.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Finding {
    /// Begins with the line number, so that the name of the file can stand before it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lint, line, pointer, says, mend } = self;
        write!(formatter, "{line}: {pointer}: {says} [{lint}]\n    mend: {mend}")
    }
}

#[cfg(test)]
mod tests;
