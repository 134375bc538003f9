//! `cargo xtask`: parses the command line and runs a command in the root of the repository.

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use xtask::{bindings, check, drift, spec};

/// Commands for maintaining this repository.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    after_help = "Exit codes: 0 success, 1 a check failed, 2 the command itself failed."
)]
enum Command {
    /// Check openapi/external-connections.yaml and write the JSON that the build reads.
    ///
    /// Writes nothing if the document breaks a rule. openapi/subset.yaml lists what it may contain.
    Spec,
    /// Write openapi/generated/bindings.rs, the generated code for reviewers.
    Bindings,
    /// Compare a document that Stytch publishes with openapi/upstream.txt.
    ///
    /// Shows which facts about the parts that we describe have changed, and marks as breaking those
    /// that may have Stytch reject a request, or leave a response unreadable.
    Drift {
        /// A YAML file with OpenAPI 3.0 or 3.1.
        upstream: PathBuf,
        /// Write openapi/upstream.txt instead.
        #[arg(long)]
        accept: bool,
    },
    /// Check the sources: a file opens with `//!`, and a room of src/ uses only rooms below it.
    Check,
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<bool, String> {
    // A file of the command line is meant from where the command was started.
    let started = env::current_dir().map_err(|error| error.to_string())?;
    // At run time, because clones that share a target folder share this binary too.
    let package = env::var("CARGO_MANIFEST_DIR").map_err(|_| "run it by `cargo xtask`")?;
    env::set_current_dir(Path::new(&package).join("..")).map_err(|error| error.to_string())?;
    match command {
        Command::Spec => spec::run(),
        Command::Bindings => bindings::run(),
        Command::Drift { upstream, accept } => drift::run(&started.join(upstream), accept),
        Command::Check => check::run(),
    }
}
