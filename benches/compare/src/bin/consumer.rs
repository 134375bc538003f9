//! Measures the build of a consumer of this crate, compared with the `stytch` crate:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml --bin consumer [-- rounds]
//! ```
//!
//! Builds two empty programs, each with one dependency and default features, alternately, from
//! scratch, in the debug profile, with the versions of this package's `Cargo.lock`. Downloads are
//! not measured.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    time::Instant,
};

use stytch_sso_external_bench::{Result, process::usage_of_children, report::median};

fn main() -> Result<()> {
    let rounds = env::args().nth(1).map_or(Ok(3), |rounds| rounds.parse::<usize>())?;
    let folder = env::temp_dir().join(format!("stytch-bench-build-{}", process::id()));
    let mut consumers = [
        Consumer::new(&folder, "stytch", "\"11.1\"")?,
        Consumer::new(
            &folder,
            "stytch-sso-external",
            &format!("{{ path = {:?} }}", Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")),
        )?,
    ];
    for round in 0..rounds {
        if round > 0 {
            consumers.reverse();
        }
        for consumer in &mut consumers {
            consumer.build()?;
        }
    }
    consumers.sort_by_key(|consumer| consumer.dependency != "stytch");
    let [theirs, ours] = &consumers;
    println!("| consumer of | crates | wall | to `stytch` | CPU | to `stytch` |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for consumer in [theirs, ours] {
        println!(
            "| `{}` | {} | {:.1} s | {:.2} | {:.1} s | {:.2} |",
            consumer.dependency,
            consumer.crates,
            median(&consumer.wall),
            median(&consumer.wall) / median(&theirs.wall),
            median(&consumer.cpu),
            median(&consumer.cpu) / median(&theirs.cpu),
        );
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// An empty program that depends on one crate.
struct Consumer {
    dependency: &'static str,
    folder: PathBuf,
    /// The number of crates that it compiles, including itself; each version counts once.
    crates: usize,
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Consumer {
    fn new(parent: &Path, dependency: &'static str, version: &str) -> Result<Self> {
        let folder = parent.join(format!("consumer-of-{dependency}"));
        fs::create_dir_all(folder.join("src"))?;
        fs::write(
            folder.join("Cargo.toml"),
            format!(
                "[package]\nname = \"consumer\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                 [workspace]\n\n[dependencies]\n{dependency} = {version}\n"
            ),
        )?;
        fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        fs::copy(lock, folder.join("Cargo.lock"))?;
        cargo(&folder, &["fetch"])?;
        let tree =
            cargo(&folder, &["tree", "-e", "normal,build", "--prefix", "none", "--no-dedupe"])?;
        let named = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let crates = tree.lines().map(named).collect::<BTreeSet<_>>().len();
        Ok(Self { dependency, folder, crates, wall: Vec::new(), cpu: Vec::new() })
    }

    /// Builds it from scratch.
    fn build(&mut self) -> Result<()> {
        let target = self.folder.join("target");
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        let (before, began) = (usage_of_children()?, Instant::now());
        cargo(&self.folder, &["build", "--offline"])?;
        self.wall.push(began.elapsed().as_secs_f64());
        self.cpu.push(usage_of_children()?.saturating_sub(before).as_secs_f64());
        Ok(())
    }
}

/// Runs cargo without the environment of this process's own build.
fn cargo(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for variable in ["CARGO_TARGET_DIR", "CARGO_INCREMENTAL", "RUSTFLAGS", "RUSTC_WRAPPER"] {
        command.env_remove(variable);
    }
    let output = command.arg("--quiet").args(arguments).current_dir(folder).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
