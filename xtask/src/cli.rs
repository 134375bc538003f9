//! The command line of `cargo xtask`.

use std::{env, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};

use crate::drift::Format;

/// The repository's own commands.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "Exit codes: 0 all is well, 1 something is stale or broken, 2 the command \
                  couldn't do its work."
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
    /// Lint openapi/external-connections.yaml and write the JSON that the build reads.
    ///
    /// Nothing is written while the document breaks a rule.
    Spec {
        /// Write nothing; fail if the JSON is stale, and show how.
        #[arg(long)]
        check: bool,
    },
    /// Write the generated code to openapi/bindings.rs, for people who review a change.
    Bindings {
        /// Write nothing; fail if the copy is stale, and show how.
        #[arg(long)]
        check: bool,
    },
    /// Compare our document with one that Stytch publishes.
    ///
    /// Differences are grouped: breaking (a request may be refused, an answer be
    /// unreadable), additive (upstream offers more) and cosmetic. Those listed in
    /// openapi/accepted-differences.yaml don't count; an entry there that is no difference
    /// any more does.
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
    /// Write the crates that a consumer's build compiles to crates.txt.
    Tree {
        /// Write nothing; fail if a crate came or went, and show which.
        #[arg(long)]
        check: bool,
    },
    /// Count the instructions of the parts of an update and write them to
    /// benches/instructions.txt.
    ///
    /// Where valgrind or gungraun-runner is missing, it says how to get it and does nothing.
    Instructions {
        /// Write nothing; fail if a part takes over 3 % more than is written there.
        ///
        /// With another rustc than the one named there, growth is shown and fails nothing.
        #[arg(long)]
        check: bool,
    },
    /// Check that the sources keep the rules of the house: headers, layers.
    Tidy,
}

/// The repository that cargo runs this in. Asked for at run time: clones that share a target
/// folder share this binary too.
fn repository() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR");
    let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(package).join("..")
}

/// Parses the command line; a mistake is one line, help is as long as it needs to be.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let asked_for_help = matches!(
            error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::DisplayVersion
        );
        if asked_for_help {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()) * 2);
        }
        let text = error.to_string();
        let lines = text.lines().map(str::trim);
        let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        eprintln!("{}; see cargo xtask --help", lines.join(" "));
        ExitCode::from(2)
    })
}
