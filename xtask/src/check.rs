//! `cargo xtask check`: two rules about the sources that neither rustc nor clippy knows. A file
//! opens with `//!`, and a room of `src/` uses only the rooms that `ROOMS` lists before it.

use std::path::Path;

use crate::{output, read};

/// The folders of `src/`, from the bottom to the top. Each uses only those before it, so that there
/// are no cycles. The files beside them, `lib.rs` and others, stand above all of them.
pub const ROOMS: [&str; 9] =
    ["wire", "error", "sync", "http", "call", "organization", "member", "client", "testing"];

/// The files that people write, also those that are not committed yet.
const SOURCES: &str = "git ls-files --cached --others --exclude-standard *.rs :!openapi";

/// Runs the command; false if a file breaks a rule.
pub fn run() -> Result<bool, String> {
    let files = output(SOURCES)?;
    let mut passes = !files.is_empty();
    // One that was deleted is listed until that is committed.
    for path in files.lines().filter(|path| Path::new(path).exists()) {
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
    let mut report = |line: usize, reason: &str, fix: &str| {
        breaches.push(format!("{path}:{line}: {reason}\n    fix: {fix}"));
    };
    if !text.starts_with("//! ") {
        report(1, "doesn't open with `//!`", "describe what the file does, and what not");
    }
    let floor = |room: &str| ROOMS.iter().position(|known| *known == room);
    let room = path.strip_prefix("src/").and_then(|path| path.split_once('/'));
    let Some((room, _)) = room else { return breaches };
    let Some(own) = floor(room) else {
        report(1, "is in no room", "move it to a folder of ROOMS in xtask/src/check.rs");
        return breaches;
    };
    for (line, used) in used_rooms(text) {
        // What lib.rs exports is made of all rooms, so only the top one may use it.
        if floor(&used).unwrap_or(ROOMS.len() - 1) > own {
            let reason = format!("`{room}` uses `{used}`, which ROOMS doesn't list before it");
            report(line, &reason, "pass in what it needs, or move what both need down");
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
        let line = before.lines().count();
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
