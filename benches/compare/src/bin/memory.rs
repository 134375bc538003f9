//! Measures the memory of 10,000 concurrent updates, and of full caches:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml --bin memory
//! ```
//!
//! Each case runs in a separate process. Concurrent updates run against a slow server, so that all
//! are in flight or queued at once. "Resident" is the growth of the resident set, to its peak or to
//! the end; the allocator counts allocations.

use std::{alloc::System, array, env, fs, time::Duration};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use stytch_sso_external_bench::{
    Result,
    client::{DEFAULT_IN_FLIGHT, Load},
    median, process,
    project::{Project, TOKEN},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<()> {
    if env::args().nth(1).is_some() {
        return process::run(memory);
    }
    let project = Project::new()?;
    concurrent_updates(&project)?;
    full_caches(&project)
}

/// The resident set and its peak, the bytes on the heap, and the allocations and their bytes so far.
fn memory() -> Result<[i64; 5]> {
    let stats = ALLOCATOR.stats();
    let [allocations, allocated, freed] =
        [stats.allocations, stats.bytes_allocated, stats.bytes_deallocated].map(|n| n as i64);
    Ok([status("VmRSS")?, status("VmHWM")?, allocated - freed, allocations, allocated])
}

/// Returns an entry of `/proc/self/status`, in bytes.
fn status(name: &str) -> Result<i64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such entry")?;
    Ok(line.split_whitespace().nth(1).ok_or("an empty entry")?.parse::<i64>()? * 1024)
}

fn concurrent_updates(project: &Project) -> Result<()> {
    println!("{COUNT} concurrent updates\n");
    println!(
        "| client | in flight | resident, peak | ratio | allocations per update | ratio | allocated per update |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let jwt = project.jwts(1, true)?;
    let cases = [
        ("bare reqwest", "bare", COUNT),
        ("this crate", "headers", COUNT),
        ("bare reqwest with a semaphore", "bare-bounded", DEFAULT_IN_FLIGHT),
        ("this crate, default settings", "headers", DEFAULT_IN_FLIGHT),
    ];
    let mut baseline = [f64::NAN; 5];
    for (title, client, in_flight) in cases {
        // A shorter delay with fewer in flight, so that the case doesn't take minutes.
        let delay = Duration::from_millis(if in_flight == COUNT { 3000 } else { 5 });
        let base_url = project.serve(delay)?;
        let load = Load { callers: COUNT, in_flight, warm_ups: 1, updates: COUNT };
        let run = |_| process::start(client, &base_url, load, &jwt);
        let runs = (0..3).map(run).collect::<Result<Vec<_>>>()?;
        let of = |n: usize| median(&runs.iter().map(|run| run[n]).collect::<Vec<_>>());
        let figures = array::from_fn(of);
        if client.starts_with("bare") {
            baseline = figures;
        }
        println!(
            "| {title} | {in_flight} | {:.1} MB | {:.2} | {:.1} | {:.2} | {:.0} B |",
            figures[1] / 1e6,
            figures[1] / baseline[1],
            figures[3] / COUNT as f64,
            figures[3] / baseline[3],
            figures[4] / COUNT as f64,
        );
    }
    Ok(())
}

fn full_caches(project: &Project) -> Result<()> {
    println!("\nA full cache of {COUNT} entries\n");
    println!("| content | live heap | per entry | resident |");
    println!("| --- | ---: | ---: | ---: |");
    let base_url = project.serve(Duration::ZERO)?;
    let load = Load { callers: 1, in_flight: DEFAULT_IN_FLIGHT, warm_ups: 1, updates: COUNT };
    let tokens: Vec<_> = (0..=COUNT).map(|n| format!("{TOKEN}{n:012}")).collect();
    let cases = [
        ("tokens", "new-token", tokens.join("\n")),
        ("JWTs", "new", project.jwts(1 + COUNT, true)?),
        ("renewed JWTs", "new", project.jwts(1 + COUNT, false)?),
    ];
    for (content, client, credentials) in cases {
        let figures = process::start(client, &base_url, load, &credentials)?;
        println!(
            "| {content} | {:.2} MB | {:.0} B | {:.2} MB |",
            figures[2] / 1e6,
            figures[2] / COUNT as f64,
            figures[0] / 1e6,
        );
    }
    Ok(())
}

/// The updates, and the default `session_cache_capacity`.
const COUNT: usize = 10_000;
