//! `cargo xtask tidy`: rules about the sources that neither rustc nor clippy checks. Each
//! file opens with `//!`; a file names only files below it; few name the generated code.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The files of the crate from top to bottom. A file uses files below it, never above: so
/// nothing runs in circles, and a reader can start at the top. A new file goes in here.
const LAYERS: &[&str] = &[
    "lib",
    "testing",
    "client",
    "base_url",
    "build_error",
    "member",
    "organization",
    "jwks",
    "jwt",
    "flight",
    "calls",
    "update",
    "retry",
    "wire",
    "answer",
    "sent",
    "said",
    "rbac",
    "session",
    "generated",
    "segment",
    "deadline",
    "error",
    "clock",
];

/// Who may name the generated code: it has no rules of its own, so few files handle it.
const NAME_GENERATED: [&str; 5] = ["lib", "testing", "update", "wire", "rbac"];

const FOLDERS: [&str; 6] = ["benches", "build", "examples", "src", "tests", "xtask"];

/// Runs the command; false if a file breaks a rule.
pub(crate) fn run(root: &Path) -> Result<bool, String> {
    let breaches = breaches(root)?;
    for breach in &breaches {
        eprintln!("{breach}");
    }
    Ok(breaches.is_empty())
}

fn breaches(root: &Path) -> Result<Vec<String>, String> {
    let mut breaches = Vec::new();
    let mut files = vec![root.join("build.rs")];
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("{}: can't be read: {error}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file);
        let name = name.display().to_string().replace('\\', "/");
        breaches.extend(header(&name, &text));
        if let Some(module) = name.strip_prefix("src/") {
            breaches.extend(layering(module, &text));
        }
    }
    Ok(breaches)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    // Not every folder is there yet.
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path =
            entry.map_err(|error| format!("{}: can't be read: {error}", folder.display()))?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn header(name: &str, text: &str) -> Option<String> {
    let opens = text.strip_prefix("//! ");
    let opens = opens.is_some_and(|prose| prose.starts_with(|first: char| !first.is_whitespace()));
    let says = "doesn't open with `//!`\n    mend: say what it does, and what it doesn't";
    (!opens).then(|| format!("{name}:1: {says}"))
}

/// The breaches of one file, named from `src/`.
fn layering(name: &str, text: &str) -> Vec<String> {
    let (module, is_top) = match name.split_once('/') {
        Some((folder, _)) => (folder, false),
        None => (name.trim_end_matches(".rs"), true),
    };
    let position = |wanted: &str| LAYERS.iter().position(|layer| *layer == wanted);
    let Some(layer) = position(module) else {
        let mend = format!("add `{module}` to LAYERS in xtask/src/tidy.rs");
        return vec![format!("src/{name}:1: has no layer\n    mend: {mend}")];
    };
    let mut breaches = Vec::new();
    for (line, used) in used_modules(&code_of(text), is_top) {
        if position(&used).is_some_and(|above| above < layer) {
            let mend = "hand down what it needs, or move what both need below both";
            breaches.push(format!(
                "src/{name}:{line}: uses `{used}`, which stands above it\n    mend: {mend}"
            ));
        }
        if used == "generated" && module != used && !NAME_GENERATED.contains(&module) {
            let names = NAME_GENERATED.join(", ");
            breaches.push(format!(
                "src/{name}:{line}: names `generated`\n    mend: only {names} do; use \
                 `crate::types`, or ask one of them"
            ));
        }
    }
    breaches
}

/// The code without comments and without the unit tests at its foot, which may look
/// wherever they like. Lines stay lines.
fn code_of(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.take_while(|line| line.trim() != "#[cfg(test)]");
    let lines = lines.map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of the crate that the code names, with the line of each.
fn used_modules(code: &str, is_top: bool) -> Vec<(usize, String)> {
    // In a file of a folder, `super` is the folder.
    let roots: &[&str] = if is_top { &["crate::", "super::"] } else { &["crate::"] };
    let mut used = Vec::new();
    for root in roots {
        for (start, _) in code.match_indices(root) {
            let inner = start + root.len();
            let rest = code.get(inner..).unwrap_or_default();
            let names = match rest.strip_prefix('{') {
                Some(group) => group_names(group, inner + 1),
                None => vec![(inner, word(rest))],
            };
            used.extend(names.into_iter().map(|(offset, name)| {
                let before = code.get(..offset).unwrap_or_default();
                (before.matches('\n').count() + 1, name.to_owned())
            }));
        }
    }
    used
}

/// The first names of a `use` group: `{a::b, c::{d, e}}` has `a` and `c`.
fn group_names(group: &str, offset: usize) -> Vec<(usize, &str)> {
    let (mut depth, mut names, mut expects_name) = (0_usize, Vec::new(), true);
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_name = true,
            _ if expects_name && !character.is_whitespace() => {
                names.push((offset + index, word(group.get(index..).unwrap_or_default())));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> &str {
    let end = text.find(|next: char| !next.is_alphanumeric() && next != '_');
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{breaches, header, layering};

    #[test]
    fn the_sources_keep_the_rules() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        assert_eq!(breaches(root).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        for text in ["", "use std::fs;\n//! late\n", "//!\n", "// one slash short\n"] {
            assert!(header("src/member.rs", text).is_some(), "{text}");
        }
        assert!(header("src/member.rs", "//! One update as the member.\n").is_none());
    }

    #[test]
    fn a_use_from_below_is_found_in_its_line() {
        let text = "//! x\nuse crate::{\n    clock::Clock,\n    wire::{Caller, client},\n};\n";
        assert_eq!(layering("member.rs", text), Vec::<String>::new());
        let found = layering("rbac.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("src/rbac.rs:4: uses `wire`"), "{found:?}");
        for text in ["fn f() { crate::member::f() }", "use super::member;", "crate::{a, member}"] {
            assert_eq!(layering("error.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn comments_tests_and_the_own_folder_may_name_anything() {
        for text in ["// crate::client", "\n#[cfg(test)]\nmod tests { use crate::client; }"] {
            assert_eq!(layering("error.rs", text), Vec::<String>::new());
        }
        assert!(layering("testing/stand_in.rs", "use super::member;").is_empty());
    }

    #[test]
    fn few_files_name_the_generated_code() {
        let text = "use crate::generated::types;";
        for allowed in ["lib.rs", "wire.rs", "rbac.rs", "update.rs", "testing/mod.rs"] {
            assert_eq!(layering(allowed, text), Vec::<String>::new());
        }
        for other in ["client.rs", "member.rs", "organization.rs", "jwks.rs", "session.rs"] {
            assert_eq!(layering(other, text).len(), 1, "{other}");
        }
    }

    #[test]
    fn a_new_file_needs_a_layer() {
        assert!(layering("manager.rs", "//! x\n")[0].contains("LAYERS"));
    }
}
