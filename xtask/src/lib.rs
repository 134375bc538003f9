//! The commands of `cargo xtask`, a file for each, and how they read and write files.
//!
//! They run in the root of the repository, and return false for a failed check and an error for a
//! command that failed itself.

#![allow(clippy::missing_errors_doc, clippy::must_use_candidate)]
#![allow(clippy::indexing_slicing, reason = "what a JSON value lacks is null")]

use std::{
    fs,
    process::{Command, Stdio},
};

pub mod bindings;
pub mod check;
pub mod document;
pub mod drift;
pub mod facts;
mod lint;
pub mod spec;

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: can't be read: {error}"))
}

/// Writes a generated file. With the same content it isn't touched, so that nothing is built anew.
fn write(path: &str, content: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|found| found == content) {
        eprintln!("{path}: unchanged");
        return Ok(());
    }
    fs::write(path, content).map_err(|error| format!("{path}: can't be written: {error}"))?;
    eprintln!("{path}: written");
    Ok(())
}

/// Runs a command, also one that fails, and returns what it prints to stdout.
fn output(command: &str) -> Result<String, String> {
    let mut words = command.split(' ');
    let program = words.next().unwrap_or_default();
    let output = Command::new(program).args(words).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("can't run {program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
