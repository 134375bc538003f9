//! Finds words that `words.txt` lists: the project uses one word for one thing.

use std::path::Path;

use crate::files;

const LIST: &str = include_str!("words.txt");
/// The list itself has them all.
const EXEMPT: &str = "xtask/src/words.txt";
const EXTENSIONS: [&str; 9] = ["rs", "md", "yaml", "yml", "toml", "html", "txt", "svg", "json"];
const FOLDERS: [&str; 8] =
    [".github", "benches", "build", "docs", "examples", "openapi", "src", "tests"];

/// Every use of a listed word, with its file and line.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>, String> {
    let mut paths = files::directly_in(root, &EXTENSIONS)?;
    for folder in FOLDERS.iter().chain(&["xtask"]) {
        files::collect(&root.join(folder), &EXTENSIONS, &mut paths)?;
    }
    paths.sort();
    let mut findings = Vec::new();
    for path in paths {
        let name = files::name(root, &path);
        if name != EXEMPT {
            let text = files::read(&path)?;
            findings.extend(in_text(&text, LIST).map(|(line, word, instead)| {
                format!("{name}:{line}: `{word}` is not used here\n    fix: {instead}")
            }));
        }
    }
    Ok(findings)
}

/// The words of the list in a text, with their lines and what to write instead.
fn in_text<'a>(text: &'a str, list: &'a str) -> impl Iterator<Item = (usize, &'a str, &'a str)> {
    text.lines().enumerate().flat_map(|(index, line)| {
        let line = line.to_lowercase();
        let found = entries(list).filter(move |(word, _)| contains(&line, &word.to_lowercase()));
        found.map(move |(word, instead)| (index + 1, word, instead))
    })
}

fn entries(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "))
}

/// Whether a line has a word on its own: not as a part of another one.
fn contains(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        is_end(before) && is_end(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_is_found_in_its_line_and_only_on_its_own() {
        let list = "# not = this\nfoo = bar\nfoo-bar = baz\ntwo_words = one";
        let found: Vec<_> =
            in_text("A bar.\n// This Foo is no FOO-BAR.\nfood, buffoo", list).collect();
        assert_eq!(found, [(2, "foo", "bar"), (2, "foo-bar", "baz")]);
        assert_eq!(in_text("mod two_words;", list).count(), 1);
    }

    #[test]
    fn texts_use_no_listed_word() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        assert_eq!(findings(root).unwrap(), Vec::<String>::new());
    }
}
