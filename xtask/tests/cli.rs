//! The commands as people and CI call them: exit codes, output, files.

// clippy.toml allows it in tests, but not in what tests call.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const YAML: &str = "openapi/external-connections.yaml";
const JSON: &str = "openapi/generated/external-connections.json";
const BINDINGS: &str = "openapi/generated/bindings.rs";
const VALID: &str = include_str!("fixtures/valid.yaml");

#[test]
fn spec_and_bindings_write_the_same_bytes_twice() {
    let repository = Repository::new("twice", VALID);
    for round in ["written", "unchanged"] {
        for (command, path) in [("spec", JSON), ("bindings", BINDINGS)] {
            let output = repository.run(&[command]);
            assert_eq!(code(&output), 0, "{}", errors(&output));
            let leads_on = command == "spec" && round == "written";
            let next = if leads_on { "next: cargo xtask bindings" } else { "" };
            let printed = errors(&output);
            let (first, rest) = printed.split_once('\n').unwrap();
            assert_eq!(first, format!("{path}: {round}"));
            assert!(rest.starts_with(next) && rest.is_empty() != leads_on, "{rest}");
            assert_eq!(code(&repository.run(&[command, "--check"])), 0);
        }
    }
    let json = repository.read(JSON);
    assert!(json.starts_with("{\n  \"openapi\": \"3.0.3\",\n  \"info\": {"));
    assert!(json.ends_with("}\n") && !json.contains('\r'));
    let bindings = repository.read(BINDINGS);
    assert!(bindings.starts_with("// @generated"));
    assert!(bindings.contains("pub async fn update_connection"));
}

#[test]
fn a_check_shows_what_is_stale_and_writes_nothing() {
    let repository = Repository::new("stale", VALID);
    repository.run(&["spec"]);
    repository.run(&["bindings"]);
    let json = repository.read(JSON).replace("\"title\": \"Connections\"", "\"title\": \"Old\"");
    repository.write(JSON, &json);
    let output = repository.run(&["spec", "--check"]);
    assert_eq!(code(&output), 1);
    let diff = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(diff.contains("-    \"title\": \"Old\""), "{diff}");
    assert!(diff.contains("+    \"title\": \"Connections\""), "{diff}");
    assert!(errors(&output).ends_with("stale\nfix: cargo xtask spec\n"));
    assert_eq!(repository.read(JSON), json);

    repository.write(BINDINGS, "// @generated\n");
    let output = repository.run(&["bindings", "--check"]);
    assert_eq!(code(&output), 1);
    assert!(errors(&output).ends_with("fix: cargo xtask bindings\n"));
    assert_eq!(repository.read(BINDINGS), "// @generated\n");
}

#[test]
fn a_checkout_with_crlf_is_not_stale() {
    let repository = Repository::new("crlf", &VALID.replace('\n', "\r\n"));
    repository.run(&["spec"]);
    let json = repository.read(JSON);
    assert!(!json.contains('\r'));
    repository.write(JSON, &json.replace('\n', "\r\n"));
    assert_eq!(code(&repository.run(&["spec", "--check"])), 0);
}

#[test]
fn a_breach_is_shown_with_its_line_and_nothing_is_written() {
    let breach = VALID.replace("description: The state.", "title: The state.");
    let repository = Repository::new("breach", &breach);
    let output = repository.run(&["spec"]);
    assert_eq!(code(&output), 1);
    let expected = format!("{YAML}:119: #/components/schemas/Connection/properties/status/title: ");
    assert!(errors(&output).starts_with(&expected), "{}", errors(&output));
    assert!(!repository.path.join(JSON).exists());
}

#[test]
fn an_unreadable_input_is_one_line() {
    let repository = Repository::new("broken", "openapi: [3.0.3\npaths: {}\n");
    repository.write(JSON, "{\"openapi\": 3}");
    repository.fails(&["spec"], "external-connections.yaml:2:");
    repository.fails(&["bindings"], "external-connections.json: not an OpenAPI");
    repository.fails(&["drift", "no/such.yml"], "no/such.yml: can't be read");
    repository.fails(&["drift", "http://localhost/x"], "isn't an https URL");
}

#[test]
fn a_missing_file_is_one_line() {
    let repository = Repository::new("missing", VALID);
    fs::remove_file(repository.path.join(YAML)).unwrap();
    repository.fails(&["spec", "--check"], "external-connections.yaml: can't be read");
    repository.fails(&["bindings", "--check"], "external-connections.json: can't be read");
}

#[test]
fn a_wrong_command_line_is_one_line() {
    let repository = Repository::new("usage", VALID);
    repository.fails(&["speck"], "unrecognized subcommand 'speck'");
    repository.fails(&["spec", "--chekc"], "unexpected argument '--chekc'");
    repository.fails(&["drift"], "<UPSTREAM>");
}

#[test]
fn drift_reports_by_its_exit_code() {
    let repository = Repository::new("drift", include_str!("fixtures/drift-ours.yaml"));
    let upstream = include_str!("fixtures/drift-upstream.yaml");
    repository.write("upstream.yaml", upstream);
    let path = repository.path.join("upstream.yaml");
    let drift = |more: &[&str]| {
        let arguments = [&["drift", path.to_str().unwrap()], more].concat();
        let output = repository.run(&arguments);
        let report = String::from_utf8(output.stdout.clone()).unwrap();
        (code(&output), report)
    };
    let (code, report) = drift(&[]);
    assert!(code == 0 && report.contains("no drift"), "{report}");

    repository.write("upstream.yaml", &upstream.replace("format: int32", "format: int64"));
    let (code, report) = drift(&[]);
    let expected = "breaking: 1\n  Connection.size: int64 upstream, int32 here\n";
    assert!(code == 1 && report.contains(expected), "{report}");
    let (code, report) = drift(&["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["differences"][0]["group"]), (1, &"breaking".into()));

    repository.write("upstream.yaml", "openapi: [");
    assert_eq!(drift(&[]).0, 2);
}

#[test]
fn unlisted_crate_is_found() {
    let repository = Repository::new("tree", VALID);
    repository.depends_on_newcomer();
    let output = repository.run(&["tree"]);
    assert_eq!(errors(&output), "xtask/crates.txt: written\n");
    assert_eq!(code(&repository.run(&["tree", "--check"])), 0);

    let list = repository.read("xtask/crates.txt");
    assert!(list.ends_with(".\nnewcomer\n"), "{list}");
    repository.write("xtask/crates.txt", &list.replace("newcomer\n", "dropped\n"));
    let output = repository.run(&["tree", "--check"]);
    assert_eq!(code(&output), 1);
    let diff = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(diff.contains("-dropped\n+newcomer\n"), "{diff}");
    assert!(
        errors(&output).ends_with("fix: cargo xtask tree, and give the reason in the commit\n")
    );
}

#[test]
fn a_tree_that_cargo_rejects_is_one_line() {
    Repository::new("no-tree", VALID).fails(&["tree", "--check"], "does not exist");
}

#[test]
fn no_instructions_without_the_tools_and_no_failure() {
    let repository = Repository::new("no-tools", VALID);
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("--root")
        .arg(&repository.path)
        .args(["instructions", "--check"])
        .env("PATH", &repository.path)
        .output()
        .unwrap();
    assert_eq!(code(&output), 0);
    let printed = errors(&output);
    assert!(
        printed.starts_with("skipped, no instructions were counted: valgrind is not installed\n")
    );
    assert!(printed.contains("fix: install"), "{printed}");
}

#[test]
fn check_runs_all_checks_and_prints_one_summary() {
    let repository = Repository::new("check", VALID);
    repository.depends_on_newcomer();
    repository.write("build.rs", "//! Builds nothing.\n");
    repository.write("src/lib.rs", "//! Nothing.\n");
    repository.write("newcomer/src/lib.rs", "//! Nothing.\n");
    for command in ["spec", "bindings", "tree"] {
        assert_eq!(code(&repository.run(&[command])), 0);
    }
    let check = || {
        let output = repository.run(&["check", "--skip", "instructions"]);
        (code(&output), String::from_utf8(output.stdout).unwrap())
    };
    let valid = "spec         ok\nbindings     ok\ntree         ok\ntidy         ok\n\
                 instructions skipped\n";
    assert_eq!(check(), (0, valid.to_owned()));

    repository.write(BINDINGS, "// @generated\n");
    repository.write("src/lib.rs", "");
    let (code, report) = check();
    let failed = "spec         ok\nbindings     failed\ntree         ok\ntidy         failed\n";
    assert!(code == 1 && report.contains(failed), "{report}");

    fs::remove_file(repository.path.join(YAML)).unwrap();
    let (code, report) = check();
    assert!(code == 2 && report.contains("spec         error\n"), "{report}");
}

#[test]
fn without_arguments_the_help_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).output().unwrap();
    assert_eq!(code(&output), 0);
    assert!(String::from_utf8(output.stdout).unwrap().contains("\n  drift "));
}

#[test]
fn help_names_every_command() {
    let repository = Repository::new("help", VALID);
    let output = repository.run(&["--help"]);
    let help = String::from_utf8(output.stdout.clone()).unwrap();
    for command in ["spec", "bindings", "drift", "tree", "instructions", "tidy", "check"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        assert_eq!(code(&repository.run(&[command, "--help"])), 0);
    }
}

/// A folder with a document in it, and nothing else.
struct Repository {
    path: PathBuf,
}

impl Repository {
    fn new(name: &str, document: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("xtask-{name}"));
        // From the run before.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("openapi")).unwrap();
        let repository = Self { path };
        repository.write(YAML, document);
        repository
    }

    /// Makes it a package of our name that depends on `newcomer`.
    fn depends_on_newcomer(&self) {
        let package = |name| format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
        let dependencies = "[dependencies]\nnewcomer = { path = \"newcomer\" }\n[workspace]\n";
        self.write("Cargo.toml", &(package("stytch-sso-external") + dependencies));
        self.write("src/lib.rs", "");
        self.write("newcomer/Cargo.toml", &package("newcomer"));
        self.write("newcomer/src/lib.rs", "");
        self.write("Cargo.lock", include_str!("fixtures/newcomer.lock"));
        self.write("xtask/crates.txt", "");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("--root")
            .arg(&self.path)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Runs a command that fails, with one line of output that contains `expected`.
    fn fails(&self, arguments: &[&str], expected: &str) {
        let output = self.run(arguments);
        let errors = errors(&output);
        assert_eq!(code(&output), 2, "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: ") && errors.contains(expected), "{errors}");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path.join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
