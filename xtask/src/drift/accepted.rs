//! Differences that were reviewed and accepted, each with a reason.
//!
//! An entry repeats the line of the report, so that it covers the reviewed difference and no
//! later one.

use std::{collections::BTreeSet, fs, io, path::Path};

use super::difference::{Differences, Group};
use crate::yaml::Node;

pub(super) const FILE: &str = "openapi/accepted-differences.yaml";

/// A difference that is accepted.
pub(super) struct Accepted {
    pub(super) difference: String,
    pub(super) reason: String,
    /// Its line in the file.
    pub(super) line: usize,
}

/// The differences that the file lists for one document.
pub(super) struct List {
    /// None if the file has no list for the document.
    pub(super) entries: Option<Vec<Accepted>>,
    /// The documents that have a list.
    pub(super) titles: Vec<String>,
}

/// Differences, sorted by whether they are accepted.
pub(super) struct Sorted {
    /// The documents with a list, if the one that was compared has none.
    pub(super) other_lists: Option<Vec<String>>,
    /// Not accepted.
    pub(super) open: Vec<(Group, String)>,
    pub(super) accepted: Vec<(Group, Accepted)>,
    /// Accepted, but no longer a difference.
    pub(super) stale: Vec<Accepted>,
}

/// Reads the list for the upstream document with this title.
pub(super) fn read(root: &Path, title: &str) -> Result<List, String> {
    match fs::read_to_string(root.join(FILE)) {
        Ok(text) => parse(&text, title).map_err(|error| format!("{FILE}:{error}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(List { entries: None, titles: Vec::new() })
        }
        Err(error) => Err(format!("{FILE}: can't be read: {error}")),
    }
}

/// Reads the file's text: a list of entries for each title.
pub(super) fn parse(text: &str, title: &str) -> Result<List, String> {
    let file = Node::parse(text)?;
    let titles = file.entries().iter().map(|(title, _)| title.clone()).collect();
    let entries = file.get(title).map(|list| parse_list(list.items())).transpose()?;
    Ok(List { entries, titles })
}

fn parse_list(entries: &[Node]) -> Result<Vec<Accepted>, String> {
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
                difference.ok_or_else(|| format!("{line}: a difference that isn't a string"))?;
            if !seen.insert(difference.clone()) {
                return Err(format!("{line}: a duplicate difference"));
            }
            let reason = reason.to_owned();
            accepted.push(Accepted { difference, reason, line });
        }
    }
    Ok(accepted)
}

/// Sorts differences by whether they are accepted.
pub(super) fn partition(mut differences: Differences, list: List) -> Sorted {
    let (mut known, mut stale) = (Vec::new(), Vec::new());
    let other_lists = list.entries.is_none().then_some(list.titles);
    for entry in list.entries.unwrap_or_default() {
        match differences.remove(&entry.difference) {
            Some(group) => known.push((group, entry)),
            None => stale.push(entry),
        }
    }
    let mut open: Vec<_> =
        differences.into_iter().map(|(difference, group)| (group, difference)).collect();
    open.sort();
    Sorted { other_lists, open, accepted: known, stale }
}
