//! `cargo xtask drift`: compares our document with one that Stytch publishes.
//!
//! Compares what ours describes. Of what it leaves out, a field of a described object is
//! reported, an operation isn't. Descriptions aren't compared.

mod accepted;
mod access;
mod compare;
mod difference;
mod documents;
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
    let differences = documents::compare(&ours, &theirs);
    let sorted = accepted::partition(differences, accepted);
    output::show(&match format {
        Format::Text => report::text(upstream, title, &sorted, list_accepted),
        Format::Json => format!("{:#}\n", report::json(upstream, title, &sorted)),
    });
    Ok(sorted.open.is_empty() && sorted.stale.is_empty())
}

#[cfg(test)]
mod tests;
