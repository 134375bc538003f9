//! What breaks a rule of the document, and what changes in Stytch's, is found: tables of small
//! changes of the documents in `cases/`.

// clippy.toml allows these in tests, but not in what tests call.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::{
    document::Document,
    drift,
    facts::{facts, lines},
    spec::Rules,
};

const VALID: &str = include_str!("cases/valid.yaml");

fn parse(text: &str) -> Value {
    Document::parse(text).unwrap().json
}

#[test]
fn each_case_has_its_findings_and_no_others() {
    let rules = Rules::new().unwrap();
    let mut wrong = Vec::new();
    for case in parse(include_str!("cases/lint.yaml")).as_array().unwrap() {
        let [name, text, by] = ["case", "text", "by"].map(|key| case[key].as_str().unwrap());
        assert!(VALID.contains(text), "{name}: valid.yaml has no such text");
        let findings = rules.check(&parse(&VALID.replacen(text, by, 1)));
        let places: BTreeSet<_> = findings.iter().map(|it| format!("#{}", it.pointer)).collect();
        let has_fix = findings.iter().all(|finding| finding.message.contains("; "));
        if places.into_iter().collect::<Value>() != case["at"] || !has_fix {
            wrong.push(format!("{name}: {findings:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn valid_documents_have_no_findings() {
    let ours = include_str!("../../openapi/external-connections.yaml");
    for document in [VALID, ours] {
        assert_eq!(Rules::new().unwrap().check(&parse(document)), BTreeSet::new());
    }
}

#[test]
fn a_finding_has_the_line_of_its_key() {
    let document = Document::parse("# top\na:\n  b/c:\n    - x\n    - y: 1\n").unwrap();
    let line = |pointer| document.line(pointer);
    assert_eq!([line("/a"), line("/a/b~1c"), line("/a/b~1c/1"), line("/a/z")], [2, 3, 5, 2]);
}

#[test]
fn what_is_no_document_is_reported_with_its_line() {
    for (text, line) in
        [("", "1: "), ("a: [", "2:"), ("a: 1\n---\nb: 2", "1: "), ("\na: !x y", "2: ")]
    {
        let error = Document::parse(text).unwrap_err();
        assert!(error.starts_with(line) && !error.contains('\n'), "{error}");
    }
}

const UPSTREAM: &str = include_str!("cases/drift-upstream.yaml");

/// The drift from drift-upstream.yaml to another document.
fn drift_to(upstream: &str) -> String {
    let ours = parse(include_str!("cases/drift-ours.yaml"));
    let [(_, known), (ours, theirs)] = [UPSTREAM, upstream].map(|text| facts(&ours, &parse(text)));
    assert_eq!(drift::diff(&lines(&ours), &ours, &known), "", "the same in other words");
    drift::diff(&lines(&known), &ours, &theirs)
}

#[test]
fn each_change_is_seen_and_no_other() {
    let mut wrong = Vec::new();
    for case in parse(include_str!("cases/drift.yaml")).as_array().unwrap() {
        let [text, by] = ["text", "by"].map(|key| case[key].as_str().unwrap());
        assert!(UPSTREAM.contains(text), "drift-upstream.yaml lacks {text}");
        let found = drift_to(&UPSTREAM.replacen(text, by, 1));
        if found.lines().collect::<Value>() != case["finds"] {
            wrong.push(format!("{text}\n{by}\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
