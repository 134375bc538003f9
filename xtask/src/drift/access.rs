//! Compares where requests go, and which credentials they carry.

use std::collections::BTreeSet;

use super::{compare::Comparison, difference::Group};
use crate::yaml::Node;

/// Compares the servers of the documents.
pub(super) fn servers(comparison: &mut Comparison<'_>) {
    let (ours, theirs) = (urls(comparison.ours), urls(comparison.theirs));
    match (ours.is_empty(), theirs.is_empty()) {
        (true, _) => {}
        (false, true) => comparison.note(Group::Cosmetic, "servers", "no servers upstream"),
        (false, false) => compare_servers(comparison, "servers", &ours, &theirs),
    }
}

/// Compares the servers of one operation, if upstream lists its own for it or its path.
pub(super) fn own_servers(comparison: &mut Comparison<'_>, id: &str, owners: &[Node]) {
    let own = owners.iter().rev().map(urls).find(|urls| !urls.is_empty());
    let ours = urls(comparison.ours);
    if let Some(theirs) = own.filter(|_| !ours.is_empty()) {
        compare_servers(comparison, &format!("{id} servers"), &ours, &theirs);
    }
}

fn compare_servers(
    comparison: &mut Comparison<'_>,
    at: &str,
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
) {
    for url in ours.difference(theirs) {
        comparison.note(Group::Breaking, at, format!("{url} isn't there upstream"));
    }
    for url in theirs.difference(ours) {
        comparison.note(Group::Additive, at, format!("only upstream: {url}"));
    }
}

/// Compares the credentials of one operation: alternatives, each a set of schemes.
pub(super) fn security(comparison: &mut Comparison<'_>, id: &str, ours: &Node, theirs: &Node) {
    let at = format!("{id} security");
    let ours = alternatives(comparison.ours, ours);
    let theirs = alternatives(comparison.theirs, theirs);
    let (Some(ours), Some(theirs)) = (&ours, &theirs) else {
        if ours.is_some() {
            comparison.note(Group::Cosmetic, &at, "no security upstream");
        }
        return;
    };
    for set in ours.difference(theirs) {
        comparison.note(Group::Breaking, &at, format!("{set} isn't there upstream"));
    }
    for set in theirs.difference(ours) {
        comparison.note(Group::Additive, &at, format!("only upstream: {set}"));
    }
}

/// The requirements of an operation, else those of its document; none if neither has any.
fn alternatives(document: &Node, operation: &Node) -> Option<BTreeSet<String>> {
    let security = operation.get("security").or_else(|| document.get("security"))?;
    let sets = security.items().iter().map(|requirement| {
        let schemes = requirement.entries().iter().map(|(name, _)| scheme(document, name));
        let schemes: BTreeSet<_> = schemes.collect();
        if schemes.is_empty() {
            "no credentials".to_owned()
        } else {
            schemes.into_iter().collect::<Vec<_>>().join(" and ")
        }
    });
    let sets: BTreeSet<_> = sets.collect();
    // An empty list removes the document's requirements.
    Some(if sets.is_empty() { ["no credentials".to_owned()].into() } else { sets })
}

/// A scheme by what a request carries, since each document has its own names.
fn scheme(document: &Node, name: &str) -> String {
    let Some(scheme) = document.at(&format!("#/components/securitySchemes/{name}")) else {
        return format!("undefined scheme {name}");
    };
    let keys = ["type", "scheme", "in", "name"].iter();
    let words = keys.filter_map(|key| scheme.get(key)?.text());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn urls(owner: &Node) -> BTreeSet<String> {
    let servers = owner.get("servers").map_or(&[][..], Node::items).iter();
    let urls = servers.filter_map(|server| server.get("url").and_then(Node::text));
    urls.map(|url| url.trim_end_matches('/').to_owned()).collect()
}
