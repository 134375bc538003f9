//! `cargo xtask package`: the list of the files that the published crate holds.
//!
//! A wrong pattern in `include`, or a file left lying about, publishes too much or too little
//! and shows nowhere. This list shows it in a pull request.

use std::{env, path::Path, process::Command};

use crate::output::{self, Output};

const LIST: &str = "xtask/package.txt";

/// Runs the command; false if the list is stale.
pub(crate) fn run(root: &Path, check: bool) -> Result<bool, String> {
    let outputs = [Output { path: LIST, content: list(root)? }];
    if check {
        return output::check(root, &outputs, "cargo xtask package");
    }
    output::write(root, &outputs)?;
    Ok(true)
}

fn list(root: &Path) -> Result<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        // With what isn't committed yet, as it would be published once it is.
        .args(["package", "--list", "--allow-dirty", "--offline", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .output()
        .map_err(|error| format!("cargo can't be run: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let reason = errors.lines().find(|line| line.starts_with("error"));
        return Err(format!("cargo package --list: {}", reason.unwrap_or("it failed")));
    }
    let listed = String::from_utf8_lossy(&output.stdout).replace('\\', "/");
    let mut files: Vec<_> = listed.lines().filter(|file| *file != VCS_INFO).collect();
    files.sort_unstable();
    Ok(files.join("\n") + "\n")
}

/// Only there where the sources are in git.
const VCS_INFO: &str = ".cargo_vcs_info.json";
