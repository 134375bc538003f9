//! `cargo xtask instructions`: what the parts of an update cost, in instructions, which repeat
//! where times don't.
//!
//! The counts depend on the compiler. With another one than that of the baseline, growth is
//! shown and fails nothing, so that a newer compiler never stops a contributor.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Deserializer, Value};

use crate::output::{self, Output};

const BASELINE: &str = "benches/instructions.txt";
/// By how much a part may grow, in percent.
const GROWTH: u64 = 3;
/// A program of its own, of the version of the library that the benchmarks are built with.
const RUNNER: &str = "gungraun-runner";

type Counts = BTreeMap<String, u64>;

/// Runs the command; false if a part has grown.
pub(crate) fn run(root: &Path, check: bool) -> Result<bool, String> {
    if let Some(missing) = missing(root)? {
        eprintln!("skipped, no instructions were counted: {missing}");
        return Ok(true);
    }
    let compiler = version_of(&env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()));
    let compiler = compiler.ok_or("can't run rustc")?;
    let counts = counts(&bench(root)?)?;
    if !check {
        let content = content(&compiler, &counts);
        output::write(root, &[Output { path: BASELINE, content }])?;
        return Ok(true);
    }
    let baseline = fs::read_to_string(root.join(BASELINE))
        .map_err(|error| format!("{BASELINE}: can't be read: {error}"))?;
    let is_same_compiler = baseline.lines().any(|line| line.trim_end() == header(&compiler));
    let compared = compare(&read(&baseline), &counts);
    output::show(&compared.table);
    if !compared.has_grown && compared.has_same_parts {
        return Ok(true);
    }
    if compared.has_same_parts && !is_same_compiler {
        eprintln!(
            "{BASELINE} was counted with another compiler than {compiler}: growth is reported and doesn't fail"
        );
        return Ok(true);
    }
    eprintln!(
        "fix: reduce the work, or run cargo xtask instructions and give the reason in the commit"
    );
    Ok(false)
}

/// What there isn't of what counting needs, and how to get it.
fn missing(root: &Path) -> Result<Option<String>, String> {
    if version_of("valgrind").is_none() {
        return Ok(Some(
            "valgrind is not installed\n    fix: install the system's package `valgrind`"
                .to_owned(),
        ));
    }
    let lock = fs::read_to_string(root.join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock: can't be read: {error}"))?;
    let wanted = locked(&lock, RUNNER).ok_or_else(|| format!("Cargo.lock: has no {RUNNER}"))?;
    let found = version_of(RUNNER);
    if found.as_ref().is_some_and(|found| found.ends_with(&format!(" {wanted}"))) {
        return Ok(None);
    }
    let found = found.map_or_else(
        || format!("{RUNNER} is not installed"),
        |found| format!("{found} is another version"),
    );
    Ok(Some(format!("{found}\n    fix: cargo install {RUNNER} --version {wanted} --locked")))
}

/// The version of a package that the lock file has.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Runs the benchmarks, which print one JSON document for each.
fn bench(root: &Path) -> Result<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["bench", "--quiet", "--locked", "--package", "benches"])
        .args(["--bench", "instructions", "--", "--output-format=json"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("can't run cargo: {error}"))?;
    if !output.status.success() {
        return Err("cargo bench failed".to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn counts(json: &str) -> Result<Counts, String> {
    let mut counts = Counts::new();
    for summary in Deserializer::from_str(json).into_iter::<Value>() {
        let summary = summary.map_err(|error| format!("{RUNNER}: {error}"))?;
        let name = summary.get("function_name").and_then(Value::as_str);
        let name = name.ok_or_else(|| format!("{RUNNER}: a benchmark has no name"))?;
        let count = summary.pointer(COUNT).and_then(Value::as_u64);
        let count = count.ok_or_else(|| format!("{RUNNER}: {name} wasn't counted"))?;
        counts.insert(name.to_owned(), count);
    }
    if counts.is_empty() {
        return Err(format!("{RUNNER} counted nothing"));
    }
    Ok(counts)
}

struct Compared {
    /// Each part's count beside what it was.
    table: String,
    /// Whether one has grown too much, which another compiler may be the reason for.
    has_grown: bool,
    /// Whether none has come or gone.
    has_same_parts: bool,
}

fn compare(before: &Counts, now: &Counts) -> Compared {
    let mut compared = Compared { table: String::new(), has_grown: false, has_same_parts: true };
    let names: BTreeMap<_, _> = before.iter().chain(now).collect();
    for name in names.into_keys() {
        let (line, verdict) = match (before.get(name), now.get(name)) {
            (Some(before), Some(now)) => {
                let has_grown = now * 100 > before * (100 + GROWTH);
                (format!("{before:>8} -> {now:>8}"), if has_grown { "grown" } else { "" })
            }
            (None, Some(now)) => (format!("{:>8} -> {now:>8}", ""), "new"),
            (Some(before), None) => (format!("{before:>8} -> {:>8}", ""), "gone"),
            (None, None) => continue,
        };
        compared.has_grown |= verdict == "grown";
        compared.has_same_parts &= verdict != "new" && verdict != "gone";
        let line = format!("{name:<18} {line}  {verdict}");
        let _ = writeln!(compared.table, "{}", line.trim_end());
    }
    compared
}

fn content(compiler: &str, counts: &Counts) -> String {
    let mut text = format!(
        "{}\n# Written by `cargo xtask instructions`; `--check` fails if one grows by over {GROWTH} %.\n",
        header(compiler)
    );
    for (name, count) in counts {
        let _ = writeln!(text, "{name} {count}");
    }
    text
}

fn header(compiler: &str) -> String {
    format!("# The instructions of the parts of an update, with {compiler}.")
}

fn read(baseline: &str) -> Counts {
    let lines = baseline.lines().filter(|line| !line.starts_with('#'));
    let counts = lines.filter_map(|line| {
        let (name, count) = line.split_once(' ')?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    });
    counts.collect()
}

/// Where the count stands in the JSON of a benchmark.
const COUNT: &str = "/profiles/0/data/total/metrics/Ir/values/new";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsing(count: u64) -> Counts {
        Counts::from([("parsing".to_owned(), count)])
    }

    #[test]
    fn growth_counts_beyond_its_bound() {
        assert!(!compare(&parsing(1_000), &parsing(1_030)).has_grown);
        assert!(!compare(&parsing(1_000), &parsing(500)).has_grown);
        let compared = compare(&parsing(1_000), &parsing(1_031));
        assert_eq!(compared.table, "parsing                1000 ->     1031  grown\n");
        assert!(compared.has_grown && compared.has_same_parts);
    }

    #[test]
    fn added_and_removed_parts_are_found() {
        assert!(!compare(&Counts::new(), &parsing(1)).has_same_parts);
        assert!(!compare(&parsing(1), &Counts::new()).has_same_parts);
        assert!(compare(&parsing(1), &parsing(1)).has_same_parts);
    }

    #[test]
    fn baseline_is_read_with_any_line_ending() {
        let content = content("rustc 1.88.0", &parsing(14_000));
        assert_eq!(read(&content), parsing(14_000));
        assert_eq!(read(&content.replace('\n', "\r\n")), parsing(14_000));
        assert!(content.starts_with(&header("rustc 1.88.0")));
    }

    #[test]
    fn counts_are_found_in_what_the_runner_prints() {
        let summary = |name: &str, ir: u64| {
            let metrics = json!({"Ir": {"values": {"new": ir}}});
            let profile = json!({"data": {"total": {"metrics": metrics}}});
            json!({"function_name": name, "profiles": [profile]}).to_string()
        };
        let printed = [summary("parsing", 7), summary("mapping", 8)].join("\n");
        let expected = [("parsing".to_owned(), 7), ("mapping".to_owned(), 8)];
        assert_eq!(counts(&printed), Ok(expected.into()));
        for wrong in ["", "{}", "{\"function_name\": \"parsing\"}", "Error"] {
            assert!(counts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn version_comes_from_the_lock_file() {
        let lock = "[[package]]\nname = \"gungraun-runner\"\nversion = \"0.20.0\"\nsource = \"\"\n";
        assert_eq!(locked(lock, RUNNER), Some("0.20.0"));
        assert_eq!(locked(lock, "gungraun"), None);
    }
}
