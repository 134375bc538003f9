//! Writes the report of a comparison, as text or JSON.

use std::fmt::Write;

use serde_json::json;

use super::{
    accepted::{FILE, Sorted},
    difference::Group,
};

const GROUPS: [(Group, &str); 3] =
    [(Group::Breaking, "breaking"), (Group::Additive, "additive"), (Group::Cosmetic, "cosmetic")];

/// The report as text.
pub(super) fn text(upstream: &str, title: &str, sorted: &Sorted, list_accepted: bool) -> String {
    let mut sections = vec![format!("upstream: {upstream} ({title})\n")];
    if let Some(titles) = &sorted.other_lists {
        let titles = if titles.is_empty() { "no document".to_owned() } else { titles.join(", ") };
        sections.push(format!(
            "{FILE} has no list for `{title}`, so no difference is reviewed. It has lists for: \
             {titles}.\nIf the document was renamed, rename its list; if it is new, review the \
             differences and add one.\n",
        ));
    }
    for (group, name) in GROUPS {
        let open = sorted.open.iter().filter(|(other, _)| *other == group);
        sections.push(section(name, open.map(|(_, difference)| difference.clone())));
    }
    let stale = sorted.stale.iter();
    sections.push(section(
        "stale entries, no longer a difference",
        stale.map(|entry| format!("{FILE}:{}: {}", entry.line, entry.difference)),
    ));
    if list_accepted {
        let accepted = sorted.accepted.iter();
        sections.push(section(
            "accepted",
            accepted.map(|(_, entry)| format!("{}\n    {}", entry.difference, entry.reason)),
        ));
    }
    sections.retain(|section| !section.is_empty());
    let mut text = sections.join("\n");
    let (open, stale) = (sorted.open.len(), sorted.stale.len());
    let verdict = match (open, stale) {
        (open, _) if open > 0 && sorted.other_lists.is_some() => {
            format!("not reviewed: {open}")
        }
        (0, 0) => "no drift".to_owned(),
        (open, 0) => format!("drift: {open}"),
        (open, stale) => format!("drift: {open}, stale: {stale}"),
    };
    let accepted = sorted.accepted.len();
    let _ = writeln!(text, "\n{verdict}; accepted in {FILE}: {accepted}");
    text
}

/// The report as JSON.
pub(super) fn json(upstream: &str, title: &str, sorted: &Sorted) -> serde_json::Value {
    let open = sorted.open.iter();
    let accepted = sorted.accepted.iter();
    let stale = sorted.stale.iter();
    json!({
        "upstream": upstream,
        "title": title,
        "has_list": sorted.other_lists.is_none(),
        "drift": !sorted.open.is_empty() || !sorted.stale.is_empty(),
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
