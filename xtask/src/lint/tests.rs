//! Each rule reports its breach, at its place, and nothing that only looks like one.

use std::{env, fmt::Write as _, fs, path::Path};

use super::{Finding, LINTS, blame, lint};
use crate::{
    document::{Document, unescape},
    yaml::Node,
};

const VALID: &str = include_str!("../../tests/fixtures/valid.yaml");
const UNBROKEN: &str = include_str!("../../tests/fixtures/unbroken.yaml");
const BROKEN: &str = include_str!("../../tests/fixtures/broken.yaml");
/// The findings of `BROKEN`. `UPDATE_SNAPSHOTS=1` rewrites them.
const FINDINGS: &str = "tests/fixtures/broken.txt";

#[test]
fn valid_document_has_no_findings() {
    assert_eq!(shown(&findings(VALID)), "");
}

#[test]
fn similar_valid_documents_have_no_findings() {
    let cases = Node::parse(UNBROKEN).unwrap();
    assert!(!cases.items().is_empty());
    for case in cases.items() {
        assert_eq!(shown(&findings(&changed(case))), "", "line {} of the cases", case.line);
    }
}

#[test]
fn each_fault_is_reported_at_its_place() {
    let mut wrong = Vec::new();
    for case in Node::parse(BROKEN).unwrap().items() {
        let text = changed(case);
        let findings = findings(&text);
        let at = field(case, "at");
        if !findings.iter().any(|finding| finding.pointer == at) {
            wrong.push(format!("line {}: {at} not in\n{}", case.line, shown(&findings)));
        }
        let off = findings.iter().filter(|finding| !has_right_line(&text, finding));
        wrong.extend(off.map(|finding| format!("line {}: wrong line of {finding}", case.line)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn findings_read_as_reviewed() {
    let mut written = String::new();
    for case in Node::parse(BROKEN).unwrap().items() {
        let findings = shown(&findings(&changed(case)));
        let _ = writeln!(written, "== {}\n{findings}", field(case, "case"));
    }
    assert_snapshot(FINDINGS, &written);
}

#[test]
fn each_rule_has_a_fault() {
    let snapshot = fs::read_to_string(path(FINDINGS)).unwrap();
    for (rule, _) in LINTS {
        assert!(snapshot.contains(&format!(" [{rule}]\n")), "{rule}");
    }
}

const SCHEMAS: &str = "#/components/schemas";
const GET: &str = "#/paths/~1connections~1{connection_id}/get";
const STATUS: &str = "type: string\n          example: active";

/// Faults that the allow-list would report, and what the generator reports of them, in order:
/// text, replacement, the end of the pointer, and a part of the problem.
const GENERATOR_FAULTS: [(&str, &str, [&str; 2], &str); 8] = [
    (STATUS, "type: string\n          default: 5", [SCHEMAS, "/Connection/properties/status"], ""),
    (
        STATUS,
        "type: string\n          pattern: '('",
        [SCHEMAS, "/Connection/properties/status"],
        "invalid pattern",
    ),
    ("        size:\n", "        Name:\n", [SCHEMAS, "/Connection/properties/name"], "twice"),
    (
        "2XX: {$ref: '#/components/responses/Connection'}",
        "'200': {$ref: '#/components/responses/Connection'}\n        \
         '201': {$ref: '#/components/responses/Error'}",
        // Neither of them alone has the form that the build rewrites.
        [GET, ""],
        "response_types.len() <= 1",
    ),
    ("in: path\n      required: true", "in: path", [GET, ""], "parameter_data.required"),
    ("in: query", "in: cookie", [GET, "/parameters/1"], "cookie parameters"),
    ("operationId: get_connection", "x-id: get_connection", [GET, ""], "missing operation ID"),
    ("    Credential:\n", "    Credentials:\n", ["#", ""], "REPLACED"),
];

#[test]
fn a_failure_of_the_generator_is_blamed_on_its_part() {
    for (text, by, at, problem) in GENERATOR_FAULTS {
        assert!(VALID.contains(text), "{text}");
        let document = Document::new(Node::parse(&VALID.replace(text, by)).unwrap());
        let findings = blame::not_generated(&document);
        let found = findings.iter().any(|finding| {
            finding.pointer == at.concat()
                && finding.problem.contains(problem)
                && !finding.fix.is_empty()
        });
        assert!(found, "{by}\n{findings:#?}");
    }
}

#[test]
fn a_part_that_is_not_openapi_is_the_innermost_one() {
    let text = VALID.replace("nullable: true # may be missing", "nullable: always");
    let findings = blame::unreadable(&Document::new(Node::parse(&text).unwrap()));
    let pointers: Vec<_> = findings.iter().map(|finding| &*finding.pointer).collect();
    assert_eq!(pointers, ["#/components/schemas/Error/properties/error_type"]);
}

fn findings(text: &str) -> Vec<Finding> {
    lint(Node::parse(text).unwrap())
}

fn shown(findings: &[Finding]) -> String {
    let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
    lines.join("\n")
}

/// The line of a finding has the last key of its pointer, or is an item of a list.
fn has_right_line(text: &str, finding: &Finding) -> bool {
    let line = text.lines().nth(finding.line - 1).unwrap();
    let key = unescape(finding.pointer.rsplit('/').next().unwrap());
    match key.parse::<usize>() {
        Ok(status) if status >= 100 => line.contains(&key),
        Ok(_) => line.contains(['-', '[']),
        Err(_) if key == "#" => line.starts_with("openapi"),
        Err(_) => line.contains(&key),
    }
}

fn changed(case: &Node) -> String {
    let text = field(case, "text");
    assert!(VALID.contains(text), "line {}: no such text", case.line);
    VALID.replace(text, field(case, "by"))
}

fn field<'a>(case: &'a Node, name: &str) -> &'a str {
    let field = case.get(name).and_then(Node::text);
    field.unwrap_or_else(|| panic!("line {}: no {name}", case.line))
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn assert_snapshot(name: &str, written: &str) {
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(path(name), written).unwrap();
    }
    let reviewed = fs::read_to_string(path(name)).unwrap().replace("\r\n", "\n");
    let diff = similar::TextDiff::from_lines(&*reviewed, written).unified_diff().to_string();
    assert!(diff.is_empty(), "{diff}\nif the change is meant: UPDATE_SNAPSHOTS=1 cargo test");
}
