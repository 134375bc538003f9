//! `cargo xtask spec`: the JSON that the build reads, from the YAML that people write.

use std::{fs, path::Path};

use openapiv3::OpenAPI;

use crate::{
    output::{self, Output},
    yaml::Node,
};

const YAML: &str = "openapi/external-connections.yaml";
const JSON: &str = "openapi/external-connections.json";

/// Runs the command; false if something is stale.
pub(crate) fn run(root: &Path, check: bool) -> Result<bool, String> {
    let json = json(&read(root)?)?;
    let outputs = [Output {
        path: JSON,
        content: json,
    }];
    if check {
        return output::check(root, &outputs, "cargo xtask spec");
    }
    output::write(root, &outputs)?;
    Ok(true)
}

fn read(root: &Path) -> Result<Node, String> {
    let text = fs::read_to_string(root.join(YAML))
        .map_err(|error| format!("{YAML}: can't be read: {error}"))?;
    Node::parse(&text).map_err(|error| format!("{YAML}:{error}"))
}

/// The canonical form: the order of the YAML, two spaces, LF and one newline at the end.
fn json(document: &Node) -> Result<String, String> {
    let mut json = serde_json::to_string_pretty(document)
        .map_err(|error| format!("{YAML}: can't be written as JSON: {error}"))?;
    let _: OpenAPI = serde_json::from_str(&json)
        .map_err(|error| format!("{YAML}: isn't an OpenAPI 3.0 document: {error}"))?;
    json.push('\n');
    Ok(json)
}
