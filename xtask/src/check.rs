//! `cargo xtask check`: all checks at once, with one summary.

use std::{fmt::Write as _, path::Path};

use clap::ValueEnum;

use crate::{bindings, instructions, output, spec, tidy, tree};

/// One check, by the command that it belongs to.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Check {
    Spec,
    Bindings,
    Tree,
    Tidy,
    Instructions,
}

/// Runs all checks but those in `skip`; false if one of them fails.
pub(crate) fn run(root: &Path, skip: &[Check]) -> Result<bool, String> {
    let results = Check::value_variants().iter().map(|check| {
        let result = (!skip.contains(check)).then(|| check.run(root));
        (*check, result)
    });
    let results: Vec<_> = results.collect();
    output::show(&summary(&results));
    let broken = results.iter().find_map(|(check, result)| match result {
        Some(Err(error)) => Some(format!("{}: {error}", check.name())),
        _ => None,
    });
    broken.map_or_else(|| Ok(!results.iter().any(|(_, result)| *result == Some(Ok(false)))), Err)
}

impl Check {
    fn run(self, root: &Path) -> Result<bool, String> {
        match self {
            Self::Spec => spec::run(root, true),
            Self::Bindings => bindings::run(root, true),
            Self::Tree => tree::run(root, true),
            Self::Tidy => tidy::run(root, false),
            Self::Instructions => instructions::run(root, true),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Bindings => "bindings",
            Self::Tree => "tree",
            Self::Tidy => "tidy",
            Self::Instructions => "instructions",
        }
    }
}

fn summary(results: &[(Check, Option<Result<bool, String>>)]) -> String {
    let mut summary = String::new();
    for (check, result) in results {
        let verdict = match result {
            None => "skipped",
            Some(Ok(true)) => "ok",
            Some(Ok(false)) => "failed",
            Some(Err(_)) => "error",
        };
        let _ = writeln!(summary, "{:<12} {verdict}", check.name());
    }
    summary
}
