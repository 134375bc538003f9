//! `cargo xtask check`: two rules about the sources that neither rustc nor clippy knows. A file
//! opens with `//!`, and a room of `src/` uses only the rooms that `ROOMS` lists before it.

use std::{path::Path, process::Command};

use crate::read;

/// The folders of `src/`, from the bottom to the top. Each uses only those before it, so that there
/// are no cycles. `lib.rs` and `fuzzing.rs` stand above all of them.
pub const ROOMS: [&str; 9] =
    ["wire", "error", "sync", "http", "call", "organization", "member", "client", "testing"];

/// Runs the command; false if a file breaks a rule.
pub fn run() -> Result<bool, String> {
    // The files that people write, also those that are not committed yet.
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs", ":!openapi"])
        .output()
        .map_err(|error| format!("can't run git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let files = String::from_utf8_lossy(&output.stdout);
    // One that was deleted is listed until that is committed.
    let files = files.lines().filter(|path| Path::new(path).exists());
    let mut passes = true;
    for path in files {
        for breach in breaches_of(path, &read(path)?) {
            eprintln!("{breach}");
            passes = false;
        }
    }
    Ok(passes)
}

/// What breaks a rule in a file, each with its line.
pub fn breaches_of(path: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let is_prose = |header: &str| header.starts_with(|first: char| !first.is_whitespace());
    if !text.strip_prefix("//! ").is_some_and(is_prose) {
        breaches.push(format!(
            "{path}:1: doesn't open with `//!`\n    fix: describe what the file does, and what not"
        ));
    }
    let Some(name) = path.strip_prefix("src/").filter(|name| !ABOVE.contains(name)) else {
        return breaches;
    };
    let room = name.split('/').next().unwrap_or_default();
    let Some(floor) = ROOMS.iter().position(|known| *known == room) else {
        breaches.push(format!(
            "{path}:1: is in no room\n    fix: move it to a folder of ROOMS in xtask/src/check.rs"
        ));
        return breaches;
    };
    // What lib.rs exports is made of all rooms, so only the top one may use it.
    let is_top = floor + 1 == ROOMS.len();
    for (line, used) in used_rooms(text) {
        let used_floor = ROOMS.iter().position(|known| *known == used);
        if used_floor.map_or(!is_top, |used| used > floor) {
            breaches.push(format!(
                "{path}:{line}: `{room}` uses `{used}`, which ROOMS in xtask/src/check.rs doesn't \
                 list before it\n    fix: pass in what it needs, or move what both need down"
            ));
        }
    }
    breaches
}

/// The first names after `crate::`, with the lines of it. Comments don't count, and neither do the
/// unit tests at the foot of a file.
fn used_rooms(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    let code: Vec<_> = lines.map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut used = Vec::new();
    for (start, found) in code.match_indices("crate::") {
        let (before, rest) = code.split_at(start + found.len());
        let line = before.matches('\n').count() + 1;
        used.extend(first_names(rest).into_iter().map(|name| (line, name)));
    }
    used
}

/// Of `a::b` the name `a`, of `{a::b, c::{d, e}}` the names `a` and `c`.
fn first_names(path: &str) -> Vec<String> {
    let is_name = |next: char| next.is_alphanumeric() || next == '_';
    let (mut depth, mut paths) = (0, String::new());
    for next in path.chars() {
        match next {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth < 2 => paths.push(next),
            _ => {}
        }
        if depth == 0 && !is_name(next) {
            break;
        }
    }
    let names = paths.split(',').filter_map(|path| path.trim().split(|next| !is_name(next)).next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

const ABOVE: [&str; 2] = ["lib.rs", "fuzzing.rs"];
