//! `cargo xtask drift`: does our document still say what Stytch publishes?
//!
//! Only what ours describes is compared; of what it leaves out, a field of a described
//! object is reported and an operation isn't. Descriptions are our own words, so they aren't
//! compared.

mod accepted;
mod compare;
mod operations;
mod report;
mod shape;
mod source;

use std::path::Path;

use clap::ValueEnum;

use crate::{output, spec};

/// How a report is written.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Runs the command; false if the documents differ in what isn't accepted.
pub(crate) fn run(
    root: &Path,
    upstream: &str,
    format: Format,
    list_accepted: bool,
) -> Result<bool, String> {
    let theirs = source::read(upstream)?;
    let ours = spec::read(root)?;
    let title = source::title(&theirs);
    let accepted = accepted::read(root, title)?;
    let differences = compare::compare(&ours, &theirs);
    let outcome = accepted::sort_out(differences, accepted);
    output::show(&match format {
        Format::Text => report::text(upstream, title, &outcome, list_accepted),
        Format::Json => format!("{:#}\n", report::json(upstream, title, &outcome)),
    });
    Ok(outcome.open.is_empty() && outcome.stale.is_empty())
}

#[cfg(test)]
mod tests;
