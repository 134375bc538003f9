//! `cargo xtask`: the repository's own commands. This file parses the command line and
//! dispatches; each command has a file of its own.

mod bindings;
mod check;
mod cli;
#[path = "../../build/codegen.rs"]
mod codegen;
mod document;
mod drift;
mod files;
mod instructions;
mod lint;
mod output;
mod permissions;
mod spec;
mod tidy;
mod tree;
mod words;
mod yaml;

use std::process::ExitCode;

use cli::{Arguments, Command};

fn main() -> ExitCode {
    let Arguments { root, command } = match cli::parse() {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    let outcome = match command {
        Command::Spec { check } => spec::run(&root, check),
        Command::Bindings { check } => bindings::run(&root, check),
        Command::Drift { upstream, format, accepted } => {
            drift::run(&root, &upstream, format, accepted)
        }
        Command::Tree { check } => tree::run(&root, check),
        Command::Instructions { check } => instructions::run(&root, check),
        Command::Tidy { words } => tidy::run(&root, words),
        Command::Check { skip } => check::run(&root, &skip),
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
