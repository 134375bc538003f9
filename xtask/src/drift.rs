//! `cargo xtask drift`: compares the facts of a document that Stytch publishes, about the parts
//! that ours describes, with those that were reviewed.
//!
//! `openapi/upstream.txt` has these, one a line. A line that came, went or changed is drift.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::Path,
};

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::{
    document::Document,
    facts::{
        ANYTHING, Facts, NO_SCHEMA, NULLABLE, REQUIRED, facts, is_error, is_request, lines, owner,
    },
    read, spec, write,
};

const UPSTREAM: &str = "openapi/upstream.txt";
const HEADER: &str = "\
# Facts of Stytch's document of the backend, about the parts that ours describes. Written by
# `cargo xtask drift FILE --accept`, which compares without `--accept`.
";

/// Runs the command; false if there is drift.
pub fn run(upstream: &Path, accept: bool) -> Result<bool, String> {
    let (ours, theirs) = facts(&open(spec::YAML)?, &open(&upstream.display().to_string())?);
    if accept {
        write(UPSTREAM, &format!("{HEADER}{}", lines(&theirs)))?;
        return Ok(true);
    }
    let known = read(UPSTREAM)?;
    let known = known.lines().filter(|line| !line.starts_with('#'));
    let known: String = known.flat_map(|line| [line, "\n"]).collect();
    let report = diff(&known, &ours, &theirs);
    // `print!` would panic if the reader has closed the pipe, as in `cargo xtask drift … | head`.
    let _ = io::stdout().write_all(report.as_bytes());
    if report.is_empty() {
        eprintln!("no drift");
    } else {
        let yaml = spec::YAML;
        eprintln!("{UPSTREAM} differs\nfix: change {yaml}, then cargo xtask drift FILE --accept");
    }
    Ok(report.is_empty())
}

fn open(path: &str) -> Result<Value, String> {
    let document = Document::read(path)?.json;
    let is_known = document["openapi"].as_str().is_some_and(|version| version.starts_with("3."));
    is_known.then_some(document).ok_or_else(|| format!("{path}: isn't an OpenAPI 3 document"))
}

/// The lines that differ. Breaking are those after which Stytch may reject a request of ours, or we
/// can't read a response.
pub fn diff(known: &str, ours: &Facts, theirs: &Facts) -> String {
    let new = lines(theirs);
    let mut report = String::new();
    for change in TextDiff::from_lines(known, &new).iter_all_changes() {
        let line = change.value().trim_end();
        let at = line.split_once(": ").map_or(line, |(at, _)| at);
        let is_breaking = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Insert => is_breaking(at, ours.get(at), theirs.get(at)),
            ChangeTag::Delete => {
                // Of what is changed, the new line is marked; of what is gone, the outermost part.
                let is_there = |at: &str| theirs.contains_key(at);
                let is_outermost = !is_there(at) && owner(at).is_none_or(is_there);
                is_outermost && is_breaking(at, ours.get(at), None)
            }
        };
        let mark = if is_breaking { "  <- breaking" } else { "" };
        let _ = writeln!(report, "{} {line}{mark}", change.tag());
    }
    report
}

fn is_breaking(at: &str, ours: Option<&String>, theirs: Option<&String>) -> bool {
    let is_alternatives = at.ends_with("security") || at.ends_with("servers");
    let words = [ours, theirs].map(|fact| fact.map(|fact| fact.split(", ").collect::<Vec<_>>()));
    let (ours, theirs) = match words.into() {
        (Some(ours), Some(theirs)) => (ours, theirs),
        // Stytch's document has no schemas of errors, and no security.
        (Some(_), None) => return !is_alternatives && !is_error(at),
        (None, theirs) => {
            let is_required = theirs.is_some_and(|words| words.contains(&REQUIRED));
            return is_alternatives || at.ends_with("XX") || is_request(at) && is_required;
        }
    };
    if is_alternatives {
        return ours.iter().any(|alternative| !theirs.contains(alternative));
    }
    let [kind, known] = [&theirs, &ours].map(|words| kind(words));
    let is_other = kind != known && !(is_error(at) && kind == NO_SCHEMA);
    if is_request(at) {
        let mut limits =
            theirs.iter().skip(1).filter(|word| word.contains(' ') || **word == REQUIRED);
        is_other || limits.any(|limit| !ours.contains(limit))
    } else {
        is_other && ![ANYTHING, NO_SCHEMA].contains(&known)
            || ours.contains(&REQUIRED) && !theirs.contains(&REQUIRED)
            || theirs.contains(&NULLABLE) && !ours.contains(&NULLABLE)
    }
}

/// A string is a string, whatever its format; a number has a width.
fn kind<'a>(words: &[&'a str]) -> &'a str {
    let kind = words.first().copied().unwrap_or_default();
    let is_string = kind.starts_with("string ") && !kind.contains(['/', '|']);
    if is_string && !kind.contains(" or ") { "string" } else { kind }
}
