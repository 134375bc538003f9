//! The commands as people and CI call them: exit codes, output, files.

// clippy.toml allows these in tests, but not in what tests call.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use xtask::check::breaches_of;

const YAML: &str = "openapi/external-connections.yaml";
const JSON: &str = "openapi/generated/external-connections.json";
const VALID: &str = include_str!("cases/valid.yaml");

#[test]
fn spec_writes_the_same_bytes_twice() {
    let repository = Repository::new("spec", &VALID.replace('\n', "\r\n"));
    assert_eq!(repository.run("spec"), (0, format!("{JSON}: written\n")));
    let json = fs::read_to_string(repository.0.join(JSON)).unwrap();
    assert!(json.starts_with("{\n  \"openapi\": \"3.0.3\",\n  \"info\": {"), "{json}");
    assert!(json.ends_with("}\n") && !json.contains('\r'));
    assert_eq!(repository.run("spec"), (0, format!("{JSON}: unchanged\n")));
}

#[test]
fn what_breaks_a_rule_is_shown_with_its_line_and_nothing_is_written() {
    let broken = VALID.replace("description: The state.", "title: The state.");
    let repository = Repository::new("broken", &broken);
    let (code, output) = repository.run("spec");
    let expected = format!("{YAML}:120: #/components/schemas/Connection/properties/status/title: ");
    assert!(code == 1 && output.contains(&expected) && output.contains("\n    fix: "), "{output}");
    assert!(!repository.0.join(JSON).exists());
}

#[test]
fn an_unreadable_input_is_one_line() {
    let repository = Repository::new("unreadable", "openapi: [3.0.3\npaths: {}\n");
    for command in ["spec", "drift no/such.yml"] {
        let (code, output) = repository.run(command);
        assert!(code == 2 && output.lines().count() == 1, "{output}");
        assert!(output.starts_with("error: openapi/external-connections.yaml:2: "), "{output}");
    }
    repository.write(YAML, VALID);
    let (code, output) = repository.run("drift no/such.yml");
    assert!(code == 2 && output.contains("no/such.yml: can't be read"), "{output}");
    repository.write("upstream.yaml", "swagger: '2.0'\n");
    let (code, output) = repository.run("drift upstream.yaml");
    assert!(code == 2 && output.contains("isn't an OpenAPI 3 document"), "{output}");
}

#[test]
fn drift_is_an_exit_code_until_it_is_accepted() {
    let repository = Repository::new("drift", include_str!("cases/drift-ours.yaml"));
    let upstream = include_str!("cases/drift-upstream.yaml");
    repository.write("upstream.yaml", upstream);
    let (drift, accept) = ("drift upstream.yaml", "drift upstream.yaml --accept");
    assert_eq!(repository.run(accept), (0, "openapi/upstream.txt: written\n".to_owned()));
    assert_eq!(repository.run(drift), (0, "no drift\n".to_owned()));

    repository.write("upstream.yaml", &upstream.replace("format: int32", "format: int64"));
    let (code, output) = repository.run(drift);
    let expected = "- update_connection 2XX.size: integer int32, required\n\
                    + update_connection 2XX.size: integer int64, required  <- breaking\n";
    assert!(code == 1 && output.starts_with(expected), "{output}");
    assert_eq!(repository.run(accept).0, 0);
    assert_eq!(repository.run(drift).0, 0);
}

#[test]
fn the_sources_of_this_repository_pass_the_check() {
    let repository = Repository(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let (code, output) = repository.run("check");
    assert_eq!(code, 0, "{output}");
}

#[test]
fn imports_are_compared_by_their_first_name() {
    let breaches = |path, text: &str| breaches_of(path, &format!("//! x\n{text}")).len();
    for text in ["fn f() { crate::call::f() }", "use crate::{\n  wire::{a, b},\n  call::c,\n};"] {
        assert_eq!(breaches("src/http/send.rs", text), 1, "{text}");
        assert_eq!(breaches("src/call/call.rs", text), 0, "{text}");
        assert_eq!(breaches("src/lib.rs", text), 0, "{text}");
    }
    let allowed = ["use crate::wire::call;", "// crate::call", "#[cfg(test)]\nuse crate::call;"];
    for text in allowed {
        assert_eq!(breaches("src/http/send.rs", text), 0, "{text}");
    }
    assert_eq!(breaches("src/manager/mod.rs", ""), 1);
}

/// A folder with a document in it.
struct Repository(PathBuf);

impl Repository {
    fn new(name: &str, document: &str) -> Self {
        let repository = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("xtask-{name}")));
        // From the run before.
        let _ = fs::remove_dir_all(&repository.0);
        for folder in ["openapi/generated", "xtask"] {
            fs::create_dir_all(repository.0.join(folder)).unwrap();
        }
        repository.write(YAML, document);
        repository
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).unwrap();
    }

    /// The exit code, and what the command prints.
    fn run(&self, command: &str) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(command.split(' '))
            .env("CARGO_MANIFEST_DIR", self.0.join("xtask"))
            .current_dir(&self.0)
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
    }
}
