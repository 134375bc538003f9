//! `cargo xtask`: the repository's own commands. This file parses the command line and
//! dispatches; each command has a file of its own.
//!
//! Exit codes: 0 when all is well, 1 when a check found something, 2 when a command can't
//! do its work.

// What the commands find is their output.
#![allow(clippy::print_stdout)]

mod bindings;
#[path = "../../build/codegen.rs"]
mod codegen;
mod document;
mod lint;
mod output;
mod permissions;
mod spec;
mod yaml;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// The repository's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// The repository to work on.
    #[arg(long, global = true, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks openapi/external-connections.yaml and writes the JSON that the build reads.
    Spec {
        /// Write nothing; fail if the JSON is stale, and show how.
        #[arg(long)]
        check: bool,
    },
    /// Writes the generated code to openapi/bindings.rs, for people who review a change.
    Bindings {
        /// Write nothing; fail if the copy is stale, and show how.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let Arguments { root, command } = Arguments::parse();
    let outcome = match command {
        Command::Spec { check } => spec::run(&root, check),
        Command::Bindings { check } => bindings::run(&root, check),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
