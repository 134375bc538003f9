//! Upstream documents: a file or an https URL, YAML or JSON, OpenAPI 3.0 or 3.1.

use std::{fs, process::Command};

use crate::yaml::Node;

/// Stytch's documents are half a megabyte.
const MAX_BYTES: &str = "20000000";

/// Reads a document. An error is one line.
pub(super) fn read(upstream: &str) -> Result<Node, String> {
    let text = if upstream.contains("://") {
        fetch(upstream)?
    } else {
        fs::read_to_string(upstream)
            .map_err(|error| format!("{upstream}: can't be read: {error}"))?
    };
    parse(&text).map_err(|error| format!("{upstream}:{error}"))
}

/// The title of the document.
pub(super) fn title(document: &Node) -> &str {
    let title = document.at("#/info/title").and_then(Node::text);
    title.unwrap_or("a document without a title")
}

/// Reads a document from its text.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    // JSON is YAML too, but not to every parser: tabs, surrogate pairs.
    let document = if text.trim_start().starts_with('{') {
        serde_json::from_str(text)
            .map(Node::from_json)
            .map_err(|error| format!(" isn't JSON: {error}"))?
    } else {
        Node::parse(text)?
    };
    let version = document.get("openapi").and_then(Node::text);
    if !version.is_some_and(|version| version.starts_with("3.")) {
        return Err(" isn't an OpenAPI 3 document".to_owned());
    }
    Ok(document)
}

/// Fetches by curl, which every system has that this runs on: a TLS stack in xtask would
/// cost each contributor's first build more than the rest of xtask.
fn fetch(url: &str) -> Result<String, String> {
    if !url.starts_with("https://") {
        return Err(format!("{url}: isn't an https URL"));
    }
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--location"])
        .args(["--proto", "=https", "--max-time", "60"])
        .args(["--max-filesize", MAX_BYTES, "--", url])
        .output()
        .map_err(|error| format!("{url}: can't run curl: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let error = errors.lines().next().unwrap_or("curl failed");
        return Err(format!("{url}: can't be fetched: {error}"));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{url}: isn't UTF-8"))
}
