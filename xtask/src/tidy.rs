//! `cargo xtask tidy`: rules about the sources that neither rustc nor clippy checks. Each
//! file opens with `//!`; a file names only files below it; few name the generated code.

use std::path::Path;

use crate::{files, words};

/// The rooms of the crate from top to bottom. A room uses rooms below it, never above: there are
/// no cycles, and a reader can start at the top. List a new room here.
const LAYERS: &[&str] = &[
    "lib",
    "testing",
    "fuzzing",
    "client",
    "member",
    "organization",
    "call",
    "http",
    "sync",
    "error",
    "wire",
];

/// The rooms that may name the generated code. It has no checks of its own, so they are few.
const NAME_GENERATED: [&str; 4] = ["lib", "testing", "http", "wire"];

const FOLDERS: [&str; 6] = ["benches", "build", "examples", "src", "tests", "xtask"];

/// Runs the command; false if a file breaks a rule.
pub(crate) fn run(root: &Path, check_words: bool) -> Result<bool, String> {
    let mut breaches = breaches(root)?;
    if check_words {
        breaches.extend(words::findings(root)?);
    }
    for breach in &breaches {
        eprintln!("{breach}");
    }
    Ok(breaches.is_empty())
}

fn breaches(root: &Path) -> Result<Vec<String>, String> {
    let mut breaches = Vec::new();
    let mut paths = vec![root.join("build.rs")];
    for folder in FOLDERS {
        files::collect(&root.join(folder), &["rs"], &mut paths)?;
    }
    paths.sort();
    for path in paths {
        let text = files::read(&path)?;
        let name = files::name(root, &path);
        breaches.extend(header(&name, &text));
        if let Some(module) = name.strip_prefix("src/") {
            breaches.extend(layering(module, &text));
        }
    }
    Ok(breaches)
}

fn header(name: &str, text: &str) -> Option<String> {
    let opens = text.strip_prefix("//! ");
    let opens = opens.is_some_and(|prose| prose.starts_with(|first: char| !first.is_whitespace()));
    let problem = "doesn't open with `//!`\n    fix: describe what the file does, and what not";
    (!opens).then(|| format!("{name}:1: {problem}"))
}

/// The breaches of one file, named from `src/`.
fn layering(name: &str, text: &str) -> Vec<String> {
    let (module, is_top) = match name.split_once('/') {
        Some((folder, _)) => (folder, false),
        None => (name.trim_end_matches(".rs"), true),
    };
    let position = |wanted: &str| LAYERS.iter().position(|layer| *layer == wanted);
    let Some(layer) = position(module) else {
        let fix = format!("add `{module}` to LAYERS in xtask/src/tidy.rs");
        return vec![format!("src/{name}:1: has no layer\n    fix: {fix}")];
    };
    let mut breaches = Vec::new();
    for (line, used) in used_modules(&code_of(text), is_top) {
        if position(&used).is_some_and(|above| above < layer) {
            let fix = "pass in what it needs, or move what both need below both";
            breaches.push(format!(
                "src/{name}:{line}: uses `{used}`, a layer above it\n    fix: {fix}"
            ));
        }
        if used == "generated" && module != used && !NAME_GENERATED.contains(&module) {
            let names = NAME_GENERATED.join(", ");
            breaches.push(format!(
                "src/{name}:{line}: names `generated`\n    fix: use `crate::types`; only \
                 {names} name it"
            ));
        }
    }
    breaches
}

/// The code without comments and without the unit tests at its foot, which may use
/// any module. Keeps the line numbers.
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
    fn import_from_a_lower_layer_is_found_in_its_line() {
        let text =
            "//! x\nuse crate::{\n    wire::Session,\n    http::{RequestContext, client},\n};\n";
        assert_eq!(layering("member/call.rs", text), Vec::<String>::new());
        let found = layering("error/rbac.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("src/error/rbac.rs:4: uses `http`"), "{found:?}");
        for text in ["fn f() { crate::member::f() }", "crate::{a, member}"] {
            assert_eq!(layering("error/error.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn comments_tests_and_the_own_folder_may_name_anything() {
        for text in ["// crate::client", "\n#[cfg(test)]\nmod tests { use crate::client; }"] {
            assert_eq!(layering("error/error.rs", text), Vec::<String>::new());
        }
        assert!(layering("testing/fake.rs", "use super::member;").is_empty());
    }

    #[test]
    fn a_new_file_needs_a_layer() {
        assert!(layering("manager.rs", "//! x\n")[0].contains("LAYERS"));
    }
}
