//! Each rule fires on its breach, and not on what looks like one.

use std::collections::BTreeSet;

use super::{Finding, LINTS, lint};
use crate::yaml::Node;

const SOUND: &str = include_str!("../../tests/fixtures/sound.yaml");
const CASES: &str = include_str!("../../tests/fixtures/lints.yaml");

#[test]
fn a_sound_document_has_no_findings() {
    assert_eq!(shown(&findings(SOUND)), "");
}

#[test]
fn what_looks_like_a_breach_has_no_findings() {
    for case in Node::parse(CASES).unwrap().items() {
        let findings = findings(&changed(case, "sound"));
        assert_eq!(shown(&findings), "", "line {} of the cases", case.line);
    }
}

#[test]
fn a_breach_is_found_in_its_place_and_nothing_else_is() {
    for case in Node::parse(CASES).unwrap().items() {
        let text = changed(case, "breach");
        let findings = findings(&text);
        let is_expected = |finding: &&Finding| {
            finding.lint == field(case, "lint") && finding.pointer == field(case, "pointer")
        };
        let found = findings.iter().find(is_expected);
        let found = found.unwrap_or_else(|| panic!("line {}: {}", case.line, shown(&findings)));
        let line = text.lines().nth(found.line - 1).unwrap().trim();
        assert!(line.starts_with(field(case, "line")), "{found}\n{line}");

        let also = case.get("also").map_or(&[][..], Node::items);
        let also = also.iter().map(|name| name.text().unwrap());
        let expected: BTreeSet<_> = also.chain([field(case, "lint")]).collect();
        let names: BTreeSet<_> = findings.iter().map(|finding| finding.lint).collect();
        assert_eq!(names, expected, "line {}: {}", case.line, shown(&findings));
    }
}

#[test]
fn each_rule_has_a_case() {
    let cases = Node::parse(CASES).unwrap();
    let tried: BTreeSet<_> = cases.items().iter().map(|case| field(case, "lint")).collect();
    assert_eq!(tried, LINTS.iter().map(|(name, _)| *name).collect());
}

#[test]
fn a_finding_names_line_pointer_and_mend() {
    let text = SOUND.replace("description: Its state.", "title: Its state.");
    let shown = shown(&findings(&text));
    let expected = "100: #/components/schemas/Connection/properties/status: a property has no \
                    description [no-description]\n    mend: add a `description`";
    assert!(shown.starts_with(expected), "{shown}");
}

fn findings(text: &str) -> Vec<Finding> {
    lint(Node::parse(text).unwrap())
}

fn shown(findings: &[Finding]) -> String {
    let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
    lines.join("\n")
}

fn changed(case: &Node, by: &str) -> String {
    let text = field(case, "text");
    assert!(SOUND.contains(text), "line {}: no such text", case.line);
    SOUND.replacen(text, field(case, by), 1)
}

fn field<'a>(case: &'a Node, name: &str) -> &'a str {
    let field = case.get(name).and_then(Node::text);
    field.unwrap_or_else(|| panic!("line {}: no {name}", case.line))
}
