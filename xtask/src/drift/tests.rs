//! Every kind of difference is found, in its group, and nothing else is.

use std::collections::BTreeSet;

use super::{
    accepted::{self, Sorted},
    difference::{Differences, Group},
    documents::compare,
    report, source,
};
use crate::yaml::Node;

const OURS: &str = include_str!("../../tests/fixtures/drift-ours.yaml");
const UPSTREAM: &str = include_str!("../../tests/fixtures/drift-upstream.yaml");
const CASES: &str = include_str!("../../tests/fixtures/drifts.yaml");

const ACCEPTED: &str = "Upstream:\n  - reason: it may\n    differences: ['Connection.status: \
                        integer upstream, string here']\n";

#[test]
fn rewording_is_no_drift() {
    assert_eq!(differences(UPSTREAM), Differences::new());
}

#[test]
fn each_change_is_found_and_nothing_else_is() {
    let mut wrong = Vec::new();
    let cases = Node::parse(CASES).unwrap();
    assert!(!cases.items().is_empty());
    for case in cases.items() {
        let field = |name: &str| case.get(name).and_then(Node::text).unwrap();
        assert!(UPSTREAM.contains(field("text")), "line {}: no such text", case.line);
        let upstream = UPSTREAM.replacen(field("text"), field("by"), 1);
        let found: BTreeSet<_> = differences(&upstream)
            .into_iter()
            .map(|(difference, group)| format!("{group:?}: {difference}"))
            .collect();
        let finds = case.get("finds").unwrap().items().iter();
        let finds: BTreeSet<_> = finds.map(|line| line.text().unwrap().to_owned()).collect();
        if found != finds {
            wrong.push(format!("line {}: {found:#?}", case.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_document_is_read_as_yaml() {
    let json = serde_json::to_string_pretty(&Node::parse(UPSTREAM).unwrap()).unwrap();
    let json = json.replace("  ", "\t");
    assert_eq!(differences(&json), Differences::new());
}

#[test]
fn invalid_document_is_reported_in_one_line() {
    for text in ["", "{", "a: [", "swagger: '2.0'\n", "{\"openapi\": \"2.0\"}", "- openapi"] {
        let message = source::parse(text).unwrap_err();
        assert!(!message.contains('\n'), "{message}");
    }
    assert!(source::read("http://localhost/x.yml").unwrap_err().contains("https"));
    assert!(source::read("no/such.yml").unwrap_err().contains("can't be read"));
}

#[test]
fn an_accepted_difference_is_no_drift() {
    let outcome = outcome("type: integer");
    assert!(outcome.open.is_empty() && outcome.stale.is_empty());
    let text = report::text("file.yml", "Upstream", &outcome, true);
    assert!(text.contains("no drift") && text.contains("it may"), "{text}");
}

#[test]
fn an_entry_covers_only_its_own_difference() {
    let outcome = outcome("type: boolean");
    assert_eq!((outcome.open.len(), outcome.stale.len()), (1, 1));
    assert_eq!(outcome.open[0].0, Group::Breaking);
}

#[test]
fn an_entry_without_a_difference_is_stale() {
    let outcome = outcome("type: string");
    assert_eq!((outcome.open.len(), outcome.stale.len()), (0, 1));
    let text = report::text("file.yml", "Upstream", &outcome, false);
    assert!(text.contains("openapi/accepted-differences.yaml:3: Connection.status"), "{text}");
    let json = report::json("file.yml", "Upstream", &outcome);
    assert_eq!((&json["drift"], &json["stale"][0]["line"]), (&true.into(), &3.into()));
}

#[test]
fn acceptance_counts_for_its_document_and_needs_a_reason() {
    assert!(accepted::parse(ACCEPTED, "Other").unwrap().entries.is_none());
    for broken in [
        ACCEPTED.replace("reason: it may", "x: y"),
        ACCEPTED.replace("it may", "''"),
        ACCEPTED.replace("differences", "difference"),
        ACCEPTED.replace("['", "[1, '"),
        ACCEPTED.replace("here']", "here', 'a', 'a']"),
    ] {
        assert!(accepted::parse(&broken, "Upstream").is_err(), "{broken}");
    }
}

#[test]
fn document_without_a_list_is_reported_as_such() {
    let list = accepted::parse(ACCEPTED, "Other").unwrap();
    let sorted = accepted::partition(differences(&UPSTREAM.replace("int32", "int64")), list);
    let text = report::text("file.yml", "Other", &sorted, false);
    assert!(text.contains("no list for `Other`") && text.contains("for: Upstream"), "{text}");
    assert!(text.contains("\nnot reviewed: 1;"), "{text}");
    assert_eq!(report::json("file.yml", "Other", &sorted)["has_list"], false);
}

fn differences(upstream: &str) -> Differences {
    compare(&Node::parse(OURS).unwrap(), &source::parse(upstream).unwrap())
}

fn outcome(status: &str) -> Sorted {
    let upstream = UPSTREAM.replacen(
        "status:\n          type: string",
        &format!("status:\n          {status}"),
        1,
    );
    let accepted = accepted::parse(ACCEPTED, "Upstream").unwrap();
    accepted::partition(differences(&upstream), accepted)
}
