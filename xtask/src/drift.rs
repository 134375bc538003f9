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
    let ours = parse(&read(spec::YAML)?).map_err(|error| format!("{}:{error}", spec::YAML))?;
    let upstream = &upstream.display().to_string();
    let theirs = parse(&read(upstream)?).map_err(|error| format!("{upstream}:{error}"))?;
    let (ours, theirs) = facts(&ours, &theirs);
    if accept {
        write(UPSTREAM, &format!("{HEADER}{}", lines(&theirs)))?;
        return Ok(true);
    }
    let known = read(UPSTREAM)?.replace("\r\n", "\n");
    let known: String = known.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
    let report = diff(&known, &ours, &theirs);
    // `print!` would panic if the reader has closed the pipe, as in `cargo xtask drift … | head`.
    let _ = io::stdout().write_all(report.as_bytes());
    if report.is_empty() {
        eprintln!("no drift");
    } else {
        eprintln!(
            "{UPSTREAM} differs\nfix: change {}, then cargo xtask drift FILE --accept",
            spec::YAML
        );
    }
    Ok(report.is_empty())
}

/// Reads an OpenAPI document. An error begins with the line.
pub fn parse(text: &str) -> Result<Value, String> {
    // JSON is YAML too, but not to every parser: tabs, surrogate pairs.
    let document = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| format!("{}: {error}", error.line()))?
    } else {
        Document::parse(text)?.to_value()?
    };
    let is_known = document["openapi"].as_str().is_some_and(|version| version.starts_with("3."));
    is_known.then_some(document).ok_or_else(|| "1: isn't an OpenAPI 3 document".to_owned())
}

/// The lines that differ. Breaking are those after which Stytch may reject a request of ours, or we
/// can't read a response.
pub fn diff(known: &str, ours: &Facts, theirs: &Facts) -> String {
    let theirs_text = lines(theirs);
    let diff = TextDiff::from_lines(known, &theirs_text);
    let mut report = String::new();
    for change in diff.iter_all_changes() {
        let line = change.value().trim_end();
        let at = line.split_once(": ").map_or(line, |(at, _)| at);
        let (sign, is_breaking) = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Insert => ('+', is_breaking(at, ours.get(at), theirs.get(at))),
            ChangeTag::Delete => {
                // Of what is changed, the new line is marked; of what is gone, the outermost part.
                let is_there = |at: &str| theirs.contains_key(at);
                let is_outermost = !is_there(at) && owner(at).is_none_or(is_there);
                ('-', is_outermost && is_breaking(at, ours.get(at), None))
            }
        };
        let mark = if is_breaking { "  <- breaking" } else { "" };
        let _ = writeln!(report, "{sign} {line}{mark}");
    }
    report
}

fn is_breaking(at: &str, ours: Option<&String>, theirs: Option<&String>) -> bool {
    let words = |fact: &String| fact.split(", ").map(str::to_owned).collect::<Vec<_>>();
    let is_alternatives = at.ends_with("security") || at.ends_with("servers");
    let (ours, theirs) = match (ours.map(words), theirs.map(words)) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        // Stytch's document has no schemas of errors, and no security.
        (Some(_), None) => return !is_alternatives && !is_error(at),
        (None, theirs) => {
            let is_required = theirs.is_some_and(|words| words.contains(&REQUIRED.to_owned()));
            return is_alternatives || at.ends_with("XX") || is_request(at) && is_required;
        }
    };
    let only_in = |these: &[String], those: &[String], word: &str| {
        these.iter().any(|it| it == word) && !those.iter().any(|it| it == word)
    };
    if is_alternatives {
        return ours.iter().any(|alternative| !theirs.contains(alternative));
    }
    let is_other = kind(&ours) != kind(&theirs) && !(is_error(at) && kind(&theirs) == NO_SCHEMA);
    if !is_request(at) {
        return is_other && ![ANYTHING, NO_SCHEMA].contains(&kind(&ours))
            || only_in(&ours, &theirs, REQUIRED)
            || only_in(&theirs, &ours, NULLABLE);
    }
    let mut limits = theirs.iter().skip(1).filter(|word| word.contains(' '));
    is_other || only_in(&theirs, &ours, REQUIRED) || limits.any(|limit| !ours.contains(limit))
}

/// A string is a string, whatever its format; a number has a width.
fn kind(words: &[String]) -> &str {
    let kind = words.first().map(String::as_str).unwrap_or_default();
    let is_string = kind.starts_with("string ") && !kind.contains(['/', '|']);
    if is_string && !kind.contains(" or ") { "string" } else { kind }
}
