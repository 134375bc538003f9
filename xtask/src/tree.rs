//! `cargo xtask tree`: the crates that a consumer's build compiles, as a list to review.
//!
//! A crate that comes in unnoticed costs every consumer build time and trust. So the list is
//! checked in without versions, which `Cargo.lock` has, and its length has a bound.

use std::{collections::BTreeSet, env, path::Path, process::Command};

use crate::output::{self, Output};

const CRATES: &str = "xtask/crates.txt";
/// With this crate and the consumer's own package, `cargo tree` lists 130.
const AT_MOST: usize = 128;
const PACKAGE: &str = "stytch-sso-external";

/// Runs the command; false if the list is stale or too long.
pub(crate) fn run(root: &Path, check: bool) -> Result<bool, String> {
    let tree = tree(root)?;
    let crates = crates(&tree);
    let outputs = [Output { path: CRATES, content: content(&crates) }];
    let fresh = if check {
        output::check(root, &outputs, "cargo xtask tree, and give the reason in the commit")?
    } else {
        output::write(root, &outputs)?;
        true
    };
    Ok(fresh & is_short(&crates))
}

/// What cargo builds for a consumer: with the default features, on the system that CI has.
fn tree(root: &Path) -> Result<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--package", PACKAGE, "--edges", "normal,build"])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}"])
        .args(["--target", "x86_64-unknown-linux-gnu", "--locked"])
        // Named, else cargo takes one of a folder above where this one has none.
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .output()
        .map_err(|error| format!("can't run cargo: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo tree: {}", errors.lines().next().unwrap_or("failed")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Name and version of each crate but this one. Two versions of a crate are two crates.
fn crates(tree: &str) -> BTreeSet<(&str, &str)> {
    let mut crates = BTreeSet::new();
    for line in tree.lines() {
        let mut words = line.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next())
            && name != PACKAGE
        {
            crates.insert((name, version));
        }
    }
    crates
}

fn is_short(crates: &BTreeSet<(&str, &str)>) -> bool {
    let is_short = crates.len() <= AT_MOST;
    if !is_short {
        eprintln!("{CRATES}: {} crates, which is more than {AT_MOST}", crates.len());
        eprintln!(
            "fix: do without one, or raise AT_MOST in xtask/src/tree.rs and give the reason in the commit"
        );
    }
    is_short
}

fn content(crates: &BTreeSet<(&str, &str)>) -> String {
    let names: Vec<_> = crates.iter().map(|(name, _)| *name).collect();
    format!(
        "# The {} crates that a consumer's build compiles beside this one, by default.\n\
         # Written by `cargo xtask tree` and checked in CI: a commit that adds one gives the reason.\n{}\n",
        names.len(),
        names.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "\
        stytch-sso-external v0.1.0 (/src)\n\
        serde v1.0.1\n\
        syn v2.0.1\n\
        serde_derive v1.0.1 (proc-macro)\n\
        syn v3.0.0\n\
        serde v1.0.1\n";

    #[test]
    fn crates_count_once_and_their_versions_each() {
        let content = content(&crates(TREE));
        assert!(content.starts_with("# The 4 crates"), "{content}");
        assert!(content.ends_with(".\nserde\nserde_derive\nsyn\nsyn\n"), "{content}");
    }

    #[test]
    fn list_has_a_bound() {
        let versions: Vec<_> = (0..=AT_MOST).map(|n| n.to_string()).collect();
        let mut crates: BTreeSet<_> = versions.iter().map(|version| ("syn", &**version)).collect();
        assert!(!is_short(&crates));
        crates.pop_last();
        assert!(is_short(&crates));
    }
}
