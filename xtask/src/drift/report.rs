//! What a comparison found, for people and for machines.

use std::fmt::Write;

use serde_json::json;

use super::{
    accepted::{FILE, Outcome},
    compare::Group,
};

const GROUPS: [(Group, &str); 3] =
    [(Group::Breaking, "breaking"), (Group::Additive, "additive"), (Group::Cosmetic, "cosmetic")];

/// The report for people.
pub(super) fn text(upstream: &str, title: &str, outcome: &Outcome, list_accepted: bool) -> String {
    let mut sections = vec![format!("upstream: {upstream} ({title})\n")];
    for (group, name) in GROUPS {
        let open = outcome.open.iter().filter(|(other, _)| *other == group);
        sections.push(section(name, open.map(|(_, difference)| difference.clone())));
    }
    let stale = outcome.stale.iter();
    sections.push(section(
        "stale, no difference any more",
        stale.map(|entry| format!("{FILE}:{}: {}", entry.line, entry.difference)),
    ));
    if list_accepted {
        let accepted = outcome.accepted.iter();
        sections.push(section(
            "accepted",
            accepted.map(|(_, entry)| format!("{}\n    {}", entry.difference, entry.reason)),
        ));
    }
    sections.retain(|section| !section.is_empty());
    let mut text = sections.join("\n");
    let (open, stale) = (outcome.open.len(), outcome.stale.len());
    let verdict = match (open, stale) {
        (0, 0) => "no drift".to_owned(),
        (open, 0) => format!("drift: {open}"),
        (open, stale) => format!("drift: {open}, stale: {stale}"),
    };
    let accepted = outcome.accepted.len();
    let _ = writeln!(text, "\n{verdict}; accepted in {FILE}: {accepted}");
    text
}

/// The report for machines.
pub(super) fn json(upstream: &str, title: &str, outcome: &Outcome) -> serde_json::Value {
    let open = outcome.open.iter();
    let accepted = outcome.accepted.iter();
    let stale = outcome.stale.iter();
    json!({
        "upstream": upstream,
        "title": title,
        "drift": !outcome.open.is_empty() || !outcome.stale.is_empty(),
        "differences": open.map(|(group, difference)| json!({
            "group": group,
            "difference": difference,
        })).collect::<Vec<_>>(),
        "stale": stale.map(|entry| json!({
            "difference": entry.difference,
            "line": entry.line,
        })).collect::<Vec<_>>(),
        "accepted": accepted.map(|(group, entry)| json!({
            "group": group,
            "difference": entry.difference,
            "reason": entry.reason,
        })).collect::<Vec<_>>(),
    })
}

fn section(name: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<_> = lines.map(|line| format!("  {line}\n")).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("{name}: {}\n{}", lines.len(), lines.concat())
}
