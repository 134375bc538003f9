//! The differences that people looked at and accepted, each with a reason.
//!
//! An entry repeats the words of the report, so that it covers what was looked at and
//! nothing that comes later.

use std::{collections::BTreeSet, fs, io, path::Path};

use super::compare::{Differences, Group};
use crate::yaml::Node;

pub(super) const FILE: &str = "openapi/accepted-differences.yaml";

/// A difference that is accepted.
pub(super) struct Accepted {
    pub(super) difference: String,
    pub(super) reason: String,
    /// Where the file says so.
    pub(super) line: usize,
}

/// Differences, by what to do about them.
pub(super) struct Outcome {
    /// Nobody accepted them.
    pub(super) open: Vec<(Group, String)>,
    pub(super) accepted: Vec<(Group, Accepted)>,
    /// Accepted, but no difference any more.
    pub(super) stale: Vec<Accepted>,
}

/// Reads what is accepted of the upstream document with this title.
pub(super) fn read(root: &Path, title: &str) -> Result<Vec<Accepted>, String> {
    match fs::read_to_string(root.join(FILE)) {
        Ok(text) => parse(&text, title).map_err(|error| format!("{FILE}:{error}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("{FILE}: can't be read: {error}")),
    }
}

/// Reads the file's text: a list of entries for each title.
pub(super) fn parse(text: &str, title: &str) -> Result<Vec<Accepted>, String> {
    let file = Node::parse(text)?;
    let entries = file.get(title).map_or(&[][..], Node::items);
    let mut accepted = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        let reason = entry.get("reason").and_then(Node::text).unwrap_or_default();
        if reason.trim().is_empty() {
            return Err(format!("{}: an entry without a `reason`", entry.line));
        }
        let differences = entry.get("differences").map_or(&[][..], Node::items);
        if differences.is_empty() {
            return Err(format!("{}: an entry without `differences`", entry.line));
        }
        for node in differences {
            let line = node.line;
            let difference = node.text().map(str::to_owned);
            let difference =
                difference.ok_or_else(|| format!("{line}: a difference that is no text"))?;
            if !seen.insert(difference.clone()) {
                return Err(format!("{line}: the same difference a second time"));
            }
            let reason = reason.to_owned();
            accepted.push(Accepted { difference, reason, line });
        }
    }
    Ok(accepted)
}

/// Sorts differences by whether they are accepted.
pub(super) fn sort_out(mut differences: Differences, accepted: Vec<Accepted>) -> Outcome {
    let (mut known, mut stale) = (Vec::new(), Vec::new());
    for entry in accepted {
        match differences.remove(&entry.difference) {
            Some(group) => known.push((group, entry)),
            None => stale.push(entry),
        }
    }
    let mut open: Vec<_> =
        differences.into_iter().map(|(difference, group)| (group, difference)).collect();
    open.sort();
    Outcome { open, accepted: known, stale }
}
