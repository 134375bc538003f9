//! Measures the build of a consumer of this crate, compared with the `stytch` crate:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml --bin consumer [-- ROUNDS]
//! ```
//!
//! Builds two empty programs, each with one dependency and default features, alternately, from
//! scratch, in the debug profile, with the versions of this package's `Cargo.lock`. Downloads are
//! not measured.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{self, Command},
    time::Instant,
};

use nix::sys::resource::UsageWho;
use stytch_sso_external_bench::{Result, median, process::cpu};

fn main() -> Result<()> {
    let rounds = env::args().nth(1).map_or(Ok(3), |rounds| rounds.parse::<usize>())?;
    let folder = env::temp_dir().join(format!("stytch-bench-build-{}", process::id()));
    let this_crate = format!("--path={PACKAGE}/../..");
    let consumers = [("stytch", "stytch@11.1"), ("stytch-sso-external", this_crate.as_str())];
    for (dependency, source) in consumers {
        create(&folder.join(dependency), source)?;
    }
    let mut figures = consumers.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        for ((dependency, _), (wall, cpu)) in consumers.iter().zip(&mut figures) {
            let took = build(&folder.join(dependency))?;
            wall.push(took[0]);
            cpu.push(took[1]);
        }
    }
    println!("| consumer of | crates | wall | to `stytch` | CPU | to `stytch` |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let figures = figures.map(|(wall, cpu)| (median(&wall), median(&cpu)));
    for ((dependency, _), (wall, cpu)) in consumers.iter().zip(figures) {
        println!(
            "| `{dependency}` | {} | {wall:.1} s | {:.2} | {cpu:.1} s | {:.2} |",
            crates(&folder.join(dependency))?,
            wall / figures[0].0,
            cpu / figures[0].1,
        );
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// Creates an empty program that depends on one crate.
fn create(folder: &Path, source: &str) -> Result<()> {
    let path = folder.display().to_string();
    cargo(Path::new("."), &["new", "--vcs", "none", "--name", "consumer", &path])?;
    fs::copy(Path::new(PACKAGE).join("Cargo.lock"), folder.join("Cargo.lock"))?;
    cargo(folder, &["add", source])?;
    cargo(folder, &["fetch"])?;
    Ok(())
}

/// Counts the crates that a program compiles, including itself; each version counts once.
fn crates(folder: &Path) -> Result<usize> {
    let tree = ["tree", "-e", "normal,build", "--prefix", "none", "--no-dedupe", "-f", "{p}"];
    Ok(cargo(folder, &tree)?.lines().collect::<BTreeSet<_>>().len())
}

/// Builds a program from scratch. Returns the seconds and CPU seconds.
fn build(folder: &Path) -> Result<[f64; 2]> {
    cargo(folder, &["clean"])?;
    let (before, began) = (cpu(UsageWho::RUSAGE_CHILDREN)?, Instant::now());
    cargo(folder, &["build", "--offline"])?;
    let cpu = cpu(UsageWho::RUSAGE_CHILDREN)? - before;
    Ok([began.elapsed().as_secs_f64(), cpu as f64 / 1e6])
}

/// Runs cargo without the environment of this process's own build.
fn cargo(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("cargo");
    for variable in ["CARGO_TARGET_DIR", "CARGO_INCREMENTAL", "RUSTFLAGS", "RUSTC_WRAPPER"] {
        command.env_remove(variable);
    }
    let output = command.arg("--quiet").args(arguments).current_dir(folder).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");
