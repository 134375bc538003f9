//! Writes the files that a command generates, or with `--check` compares them.
//!
//! A check writes nothing, compares every file before it fails, and prints the command that
//! fixes it.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use similar::TextDiff;

/// A file that a command generates.
pub(crate) struct Output {
    /// Its path from the root of the repository.
    pub(crate) path: &'static str,
    pub(crate) content: String,
}

/// Writes the files that changed, and returns whether one did. With the same content, a file isn't
/// touched.
pub(crate) fn write(root: &Path, outputs: &[Output]) -> Result<bool, String> {
    let mut changed = false;
    for Output { path, content } in outputs {
        if read(root, path)?.as_ref() == Some(content) {
            eprintln!("{path}: unchanged");
            continue;
        }
        fs::write(root.join(path), content)
            .map_err(|error| format!("{path}: can't be written: {error}"))?;
        eprintln!("{path}: written");
        changed = true;
    }
    Ok(changed)
}

/// Checks whether all files are as the command would write them. If not, shows how they
/// differ and the command that fixes them.
pub(crate) fn check(root: &Path, outputs: &[Output], fix: &str) -> Result<bool, String> {
    let mut stale = Vec::new();
    for Output { path, content } in outputs {
        let found = read(root, path)?;
        // Git may have checked the file out with CRLF.
        let found_lf = found.as_ref().map(|text| text.replace("\r\n", "\n"));
        if found_lf.as_ref() != Some(content) {
            show(&diff(path, &found_lf.unwrap_or_default(), content));
            stale.push(*path);
        }
    }
    for path in &stale {
        eprintln!("{path}: stale");
    }
    if !stale.is_empty() {
        eprintln!("fix: {fix}");
    }
    Ok(stale.is_empty())
}

/// Prints a result. `print!` would panic if the reader has closed the pipe, as in
/// `cargo xtask drift … | head`.
pub(crate) fn show(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn read(root: &Path, path: &str) -> Result<Option<String>, String> {
    match fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{path}: can't be read: {error}")),
    }
}

fn diff(path: &str, found: &str, made: &str) -> String {
    TextDiff::from_lines(found, made)
        .unified_diff()
        .context_radius(3)
        .header(&format!("{path} (found)"), &format!("{path} (expected)"))
        .to_string()
}
