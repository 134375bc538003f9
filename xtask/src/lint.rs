//! The rules of the OpenAPI document. Each finding has the line, the JSON pointer, the reason
//! and the fix.
//!
//! `allowed.rs` lists what the document may contain. The generator runs only on a document
//! that keeps all rules; if it fails even so, `blame.rs` finds the part that causes it.

mod allowed;
mod blame;
mod components;
mod duplicates;
mod forms;
mod names;
mod operations;
mod panics;
mod rejected;
mod responses;
mod schemas;
mod structure;

use std::fmt;

use crate::{
    document::{Document, Place},
    yaml::Node,
};

/// The rules, by the names that findings carry.
const LINTS: [(&str, Lint); 22] = [
    ("openapi-version", operations::openapi_version),
    ("not-allowed", structure::not_allowed),
    ("incomplete", structure::incomplete),
    ("schema", forms::form),
    ("optional-array", schemas::optional_array),
    ("null-sent", schemas::null_sent),
    ("default", schemas::default_value),
    ("all-of", schemas::all_of),
    ("required-unknown", schemas::required_unknown),
    ("required-because", schemas::required_because),
    ("recursive", schemas::recursive),
    ("error-response", responses::error_response),
    ("ambiguous-success", responses::ambiguous_success),
    ("no-reference", operations::no_reference),
    ("path", operations::path),
    ("session-headers", operations::session_headers),
    ("unknown-permission", operations::unknown_permission),
    ("name", names::name),
    ("name-twice", names::name_twice),
    ("undefined", components::undefined),
    ("unused", components::unused),
    ("upstream-names", components::upstream_names),
];

type Lint = fn(&Document) -> Vec<Finding>;

/// One breach of a rule.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) lint: &'static str,
    pub(crate) line: usize,
    pub(crate) pointer: String,
    problem: String,
    fix: String,
}

/// Finds breaches of all rules, in the order of the file.
pub(crate) fn lint(root: Node) -> Vec<Finding> {
    let document = Document::new(root);
    let mut findings = rules(&document);
    // For what the rules don't know: each of the two works on a document that passed before.
    if findings.is_empty() {
        add(&mut findings, "unreadable", blame::unreadable(&document));
    }
    if findings.is_empty() {
        add(&mut findings, "not-generated", blame::not_generated(&document));
    }
    findings.sort_by(|a, b| (a.line, &a.pointer).cmp(&(b.line, &b.pointer)));
    findings
}

fn rules(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, lint) in LINTS {
        add(&mut findings, name, lint(document));
    }
    findings
}

fn add(findings: &mut Vec<Finding>, lint: &'static str, new: Vec<Finding>) {
    findings.extend(new.into_iter().map(|finding| Finding { lint, ..finding }));
}

impl Finding {
    fn new(place: &Place, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            lint: "",
            line: place.node.line,
            pointer: place.pointer.clone(),
            problem: problem.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Finding {
    /// Begins with the line number, so that the name of the file can precede it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lint, line, pointer, problem, fix } = self;
        write!(formatter, "{line}: {pointer}: {problem} [{lint}]\n    fix: {fix}")
    }
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
