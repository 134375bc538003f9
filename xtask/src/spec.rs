//! `cargo xtask spec`: the JSON that the build reads, from the YAML that people write.

use std::{fs, path::Path};

use crate::{
    lint::lint,
    output::{self, Output},
    yaml::Node,
};

const YAML: &str = "openapi/external-connections.yaml";
pub(crate) const JSON: &str = "openapi/generated/external-connections.json";

/// Runs the command; false if the document breaks a rule or the JSON is stale.
pub(crate) fn run(root: &Path, check: bool) -> Result<bool, String> {
    let document = read(root)?;
    let outputs = [Output { path: JSON, content: json(&document)? }];
    let findings = lint(document);
    for finding in &findings {
        eprintln!("{YAML}:{finding}");
    }
    let valid = findings.is_empty();
    if check {
        return Ok(output::check(root, &outputs, "cargo xtask spec")? && valid);
    }
    if valid && output::write(root, &outputs)? {
        eprintln!("next: cargo xtask bindings, which shows the change in the generated code");
    }
    Ok(valid)
}

/// Reads the document that people write.
pub(crate) fn read(root: &Path) -> Result<Node, String> {
    let text = fs::read_to_string(root.join(YAML))
        .map_err(|error| format!("{YAML}: can't be read: {error}"))?;
    Node::parse(&text).map_err(|error| format!("{YAML}:{error}"))
}

/// The canonical form: the order of the YAML, two spaces, LF and one newline at the end.
fn json(document: &Node) -> Result<String, String> {
    let mut json = serde_json::to_string_pretty(document)
        .map_err(|error| format!("{YAML}: can't be written as JSON: {error}"))?;
    json.push('\n');
    Ok(json)
}
