//! Lists and reads the files of the repository, without those that builds write.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Adds the files in a folder and those below it that have one of the extensions.
pub(crate) fn collect(
    folder: &Path,
    extensions: &[&str],
    files: &mut Vec<PathBuf>,
) -> Result<(), String> {
    // Not every folder exists in every checkout.
    if !folder.is_dir() || folder.file_name().is_some_and(|name| name == "target") {
        return Ok(());
    }
    for path in entries(folder)? {
        if path.is_dir() {
            collect(&path, extensions, files)?;
        } else if has_extension(&path, extensions) {
            files.push(path);
        }
    }
    Ok(())
}

/// The files of a folder itself that have one of the extensions.
pub(crate) fn directly_in(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, String> {
    let mut files = entries(folder)?;
    files.retain(|path| path.is_file() && has_extension(path, extensions));
    Ok(files)
}

pub(crate) fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: can't be read: {error}", file.display()))
}

/// The path from the root of the repository, with slashes.
pub(crate) fn name(root: &Path, file: &Path) -> String {
    let name = file.strip_prefix(root).unwrap_or(file);
    name.display().to_string().replace('\\', "/")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let error = |error| format!("{}: can't be read: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(error)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(error)).collect()
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.contains(&extension))
}
