//! The command line of `cargo xtask`.

use std::{env, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};

use crate::{check::Check, drift::Format, output};

/// Commands for maintaining this repository.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "Exit codes: 0 success, 1 a check failed, 2 the command itself failed."
)]
pub(crate) struct Arguments {
    /// The repository to work on, if not this one.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value_os_t = repository(),
        hide_default_value = true
    )]
    pub(crate) root: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check openapi/external-connections.yaml and write the JSON that the build reads.
    ///
    /// Writes nothing if the document breaks a rule. xtask/src/lint/allowed.rs lists what it may
    /// contain.
    Spec {
        /// Write nothing; fail if the JSON is stale, and show a diff.
        #[arg(long)]
        check: bool,
    },
    /// Write the generated code to openapi/generated/bindings.rs, which reviewers read.
    Bindings {
        /// Write nothing; fail if the copy is stale, and show a diff.
        #[arg(long)]
        check: bool,
    },
    /// Compare our document with one that Stytch publishes.
    ///
    /// Groups the differences: breaking (Stytch may reject a request, or a response may be
    /// unreadable), additive (upstream has more) and cosmetic. Differences listed in
    /// openapi/accepted-differences.yaml don't count; an entry there that matches no
    /// difference does.
    ///
    /// Exit codes: 0 no drift, 1 drift, 2 a document can't be read.
    #[command(verbatim_doc_comment)]
    Drift {
        /// A file or an https URL; OpenAPI 3.0 or 3.1, YAML or JSON.
        upstream: String,
        /// How to write the report.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// List the accepted differences too, with their reasons.
        #[arg(long)]
        accepted: bool,
    },
    /// Write the crates that a consumer's build compiles to xtask/crates.txt.
    Tree {
        /// Write nothing; fail if a crate was added or removed, and show which.
        #[arg(long)]
        check: bool,
    },
    /// Count the instructions of the parts of an update and write them to
    /// benches/instructions.txt.
    ///
    /// If valgrind or gungraun-runner is missing, prints how to install it and succeeds.
    Instructions {
        /// Write nothing; fail if a part takes over 3 % more than the file has.
        ///
        /// With a rustc other than the one named there, shows growth but doesn't fail.
        #[arg(long)]
        check: bool,
    },
    /// Check the sources: each file has a header, and uses only files below it.
    Tidy {
        /// Report the words of xtask/src/words.txt too.
        #[arg(long)]
        words: bool,
    },
    /// Run all checks and print one summary: spec, bindings, tree, tidy, instructions.
    Check {
        /// A check to leave out; may be given several times.
        #[arg(long, value_enum, value_name = "CHECK")]
        skip: Vec<Check>,
    },
}

/// The repository that cargo runs this in. Resolved at run time, because clones that share a
/// target folder share this binary too.
fn repository() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR");
    let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(package).join("..")
}

/// Parses the command line. Prints an error as one line; without arguments, prints the help.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let is_help = matches!(
            error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::DisplayVersion
        );
        if is_help {
            output::show(&error.to_string());
            return ExitCode::SUCCESS;
        }
        let text = error.to_string();
        let lines = text.lines().map(str::trim);
        let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        eprintln!("{}; see cargo xtask --help", lines.join(" "));
        ExitCode::from(2)
    })
}
