//! Measures the CPU of an update, compared with bare reqwest and the `stytch` crate:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml [-- ROUNDS UPDATES CALLERS ...]
//! ```
//!
//! The server is pinned to one core; each measurement starts a client in a child, pinned to another
//! core, and reads the CPU time of that process. The order of the clients alternates.

use std::{env, time::Duration};

use nix::sys::resource::UsageWho;
use stytch_sso_external_bench::{
    Result,
    client::{CLIENTS, DEFAULT_IN_FLIGHT, Load},
    median, process,
    project::Project,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => compare(9, 20_000, &[1, 64, 1000]),
        [command, ..] if command == "client" => process::run(cpu),
        [rounds, updates, callers @ ..] => {
            let callers = callers.iter().map(|callers| callers.parse::<usize>());
            let callers = callers.collect::<std::result::Result<Vec<_>, _>>()?;
            compare(rounds.parse()?, updates.parse()?, &callers)
        }
        _ => Err("expected ROUNDS UPDATES CALLERS ...".into()),
    }
}

/// The CPU time of this process, in microseconds.
fn cpu() -> Result<[i64; 1]> {
    Ok([process::cpu(UsageWho::RUSAGE_SELF)?])
}

fn compare(rounds: usize, updates: usize, callers: &[usize]) -> Result<()> {
    let project = Project::new()?;
    let (jwts, base_url) = (project.jwts(1 + FRESH, true)?, project.serve(Duration::ZERO)?);
    for &callers in callers {
        let mut cpu = CLIENTS.map(|_| Vec::new());
        for round in 0..rounds {
            let mut order: Vec<_> = CLIENTS.iter().zip(&mut cpu).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for ((client, _), cpu) in order {
                let updates = match *client {
                    "new" | "stytch-both" => updates.min(FRESH),
                    _ => updates,
                };
                let in_flight = if *client == "unbounded" { callers } else { DEFAULT_IN_FLIGHT };
                let load = Load { callers, in_flight, warm_ups: 1000 + 2 * callers, updates };
                cpu.push(process::start(client, &base_url, load, &jwts)?[0] / updates as f64);
            }
        }
        print(callers, &cpu);
    }
    Ok(())
}

/// Prints medians. The ratios are medians of the rounds' ratios, which a machine that slows down
/// between rounds doesn't shift.
fn print(callers: usize, cpu: &[Vec<f64>; CLIENTS.len()]) {
    let of = |name| CLIENTS.iter().zip(cpu).find(|((client, _), _)| *client == name).expect(name).1;
    println!("{callers} callers\n");
    println!("| client | CPU per update | to bare | to `stytch` | to authenticate and update |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for ((_, title), cpu) in CLIENTS.iter().zip(cpu) {
        let [bare, update, both] = ["bare", "stytch", "stytch-both"].map(|other| {
            let ratios: Vec<_> =
                cpu.iter().zip(of(other)).map(|(cpu, other)| cpu / other).collect();
            median(&ratios)
        });
        println!("| {title} | {:.2} µs | {bare:.2} | {update:.2} | {both:.2} |", median(cpu));
    }
    println!();
}

/// The number of JWTs that are used once.
const FRESH: usize = 5_000;
