//! Measures the CPU and time of an update, compared with bare reqwest and the `stytch` crate:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml [-- ROUNDS UPDATES CALLERS ...]
//! ```
//!
//! The server is pinned to one core; each measurement starts a client in a child, pinned to another
//! core, and reads the CPU time of that process. The order of the clients alternates.
//!
//! With `RUNNER='valgrind --tool=callgrind'`, callgrind counts the instructions of each client
//! without the kernel's, independent of the load of the machine, and keeps the profiles. The
//! difference of two runs with 1,000 and 3,000 updates excludes start and warm-up.

use std::{
    env,
    time::{Duration, UNIX_EPOCH},
};

use nix::sys::resource::UsageWho;
use stytch_sso_external_bench::{
    Result,
    client::{CLIENTS, DEFAULT_IN_FLIGHT, Load},
    median, process,
    project::Project,
    quantile,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => compare(9, 20_000, &[1, 64, 1000]),
        [command, ..] if command == "client" => process::run(cpu_and_wall),
        [rounds, updates, callers @ ..] => {
            let callers = callers.iter().map(|callers| callers.parse::<usize>());
            let callers = callers.collect::<std::result::Result<Vec<_>, _>>()?;
            compare(rounds.parse()?, updates.parse()?, &callers)
        }
        _ => Err("expected ROUNDS UPDATES CALLERS ...".into()),
    }
}

/// The CPU time of this process and the time, in microseconds.
fn cpu_and_wall() -> Result<[i64; 2]> {
    Ok([process::cpu(UsageWho::RUSAGE_SELF)?, UNIX_EPOCH.elapsed()?.as_micros().try_into()?])
}

/// The figures of a client, in microseconds per update, for each round.
struct Row {
    name: &'static str,
    title: &'static str,
    cpu: Vec<f64>,
    wall: Vec<f64>,
}

fn compare(rounds: usize, updates: usize, callers: &[usize]) -> Result<()> {
    let project = Project::new()?;
    let (jwts, base_url) = (project.jwts(1 + FRESH, true)?, project.serve(Duration::ZERO)?);
    for &callers in callers {
        let row = |(name, title)| Row { name, title, cpu: Vec::new(), wall: Vec::new() };
        let mut rows = CLIENTS.map(row);
        for round in 0..rounds {
            let mut order: Vec<_> = rows.iter_mut().collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for row in order {
                let updates = match row.name {
                    "new" | "stytch-both" => updates.min(FRESH),
                    _ => updates,
                };
                let in_flight = if row.name == "unbounded" { callers } else { DEFAULT_IN_FLIGHT };
                let load = Load { callers, in_flight, warm_ups: 1000 + 2 * callers, updates };
                let figures = process::start(row.name, &base_url, load, &jwts)?;
                row.cpu.push(figures[0] / updates as f64);
                row.wall.push(figures[1] / updates as f64);
            }
        }
        print(callers, &rows);
    }
    Ok(())
}

/// Prints medians. The ratios are medians of the rounds' ratios, which a machine that slows down
/// between rounds doesn't shift.
fn print(callers: usize, rows: &[Row]) {
    let row = |name| rows.iter().find(|row| row.name == name).expect("a row for each client");
    let (bare, official, both) = (row("bare"), row("stytch"), row("stytch-both"));
    println!(
        "{callers} callers\n\n| client | CPU per update | to baseline | quartiles | to `stytch` update | to authenticate and update | wall per update | to baseline |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for row in rows {
        let ratios = ratios(&row.cpu, &bare.cpu);
        println!(
            "| {} | {:.2} µs | {:.2} | {:.2} to {:.2} | {:.2} | {:.2} | {:.2} µs | {:.2} |",
            row.title,
            median(&row.cpu),
            median(&ratios),
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
            median(&self::ratios(&row.cpu, &official.cpu)),
            median(&self::ratios(&row.cpu, &both.cpu)),
            median(&row.wall),
            median(&self::ratios(&row.wall, &bare.wall)),
        );
    }
    println!();
}

fn ratios(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

/// The number of JWTs that are used once.
const FRESH: usize = 5_000;
