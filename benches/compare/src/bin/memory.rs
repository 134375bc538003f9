//! Measures the memory of 10,000 concurrent updates, and of full caches:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml --bin memory
//! ```
//!
//! Each case runs in a separate process against a slow server, so that all updates are in
//! flight or queued at once. "Resident" is the growth of the resident set from before the first
//! connection to its peak; the allocator counts allocations.

use std::{alloc::System, env, fs, sync::Arc, time::Duration};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use stytch_sso_external::Session;
use stytch_sso_external_bench::{
    Result,
    client::{Bare, ours, update, with_timeout},
    fixtures::{CONNECTION, Folder, TOKEN},
    process::{self, End, Server},
    report::median,
    server,
};
use tokio::{sync::Semaphore, task::JoinSet};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let _ = rlimit::increase_nofile_limit(65_536);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server", folder, delay] => {
            process::pin(End::Server)?;
            let delay = Duration::from_millis(delay.parse()?);
            runtime()?.block_on(server::serve(&Folder::of_parent(folder), delay))
        }
        ["client", case, port, folder] => {
            process::pin(End::Client)?;
            let base = format!("http://127.0.0.1:{port}");
            let folder = Folder::of_parent(folder);
            let numbers = runtime()?.block_on(async {
                match case {
                    "bare" => bare(&base, &folder, UPDATES).await,
                    "bare-bounded" => bare(&base, &folder, BOUND).await,
                    "ours" => updates(&base, &folder, BOUND).await,
                    "ours-unbounded" => updates(&base, &folder, UPDATES).await,
                    "tokens" | "jwts" | "renewed" => cache(&base, &folder, case).await,
                    _ => Err("unknown case".into()),
                }
            })?;
            println!("{} {} {}", numbers[0], numbers[1], numbers[2]);
            Ok(())
        }
        _ => compare(),
    }
}

fn compare() -> Result<()> {
    println!("Signing {} JWTs.\n", 2 * SESSIONS);
    let folder = Folder::make(SESSIONS, SESSIONS)?;
    let path = folder.path().display().to_string();
    concurrent(&path)?;
    caches(&path)?;
    folder.remove()
}

fn concurrent(path: &str) -> Result<()> {
    println!("{UPDATES} concurrent updates; ratios to bare reqwest with the same limit.\n");
    println!(
        "| client | in flight | resident, peak | ratio | allocations per update | ratio | allocated per update |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let cases = [
        ("bare reqwest", "bare", UPDATES),
        ("this crate", "ours-unbounded", UPDATES),
        ("bare reqwest with a semaphore", "bare-bounded", BOUND),
        ("this crate, default settings", "ours", BOUND),
    ];
    let mut baseline = [f64::NAN; 3];
    for (title, case, in_flight) in cases {
        // A shorter delay with fewer in flight, so that the case doesn't take minutes.
        let delay = if in_flight == UPDATES { "3000" } else { "5" };
        let server = Server::start(&["server", path, delay])?;
        let mut runs = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..3 {
            let numbers = process::client(&["client", case, &server.port, path])?;
            for (run, number) in runs.iter_mut().zip(numbers) {
                run.push(number as f64);
            }
        }
        let numbers = runs.map(|run| median(&run));
        if case.starts_with("bare") {
            baseline = numbers;
        }
        println!(
            "| {title} | {in_flight} | {:.1} MB | {:.2} | {:.1} | {:.2} | {:.0} B |",
            numbers[0] / 1e6,
            numbers[0] / baseline[0],
            numbers[1] / UPDATES as f64,
            numbers[1] / baseline[1],
            numbers[2] / UPDATES as f64,
        );
    }
    println!();
    Ok(())
}

fn caches(path: &str) -> Result<()> {
    println!("A full cache of {SESSIONS} entries.\n");
    println!("| content | live heap | per entry | resident |");
    println!("| --- | ---: | ---: | ---: |");
    let server = Server::start(&["server", path, "0"])?;
    for (title, case) in [("tokens", "tokens"), ("JWTs", "jwts"), ("renewed JWTs", "renewed")] {
        let numbers = process::client(&["client", case, &server.port, path])?;
        let [resident, _, live] = numbers[..] else { return Err("no numbers".into()) };
        println!(
            "| {title} | {:.2} MB | {} B | {:.2} MB |",
            live as f64 / 1e6,
            live / SESSIONS as u64,
            resident as f64 / 1e6,
        );
    }
    Ok(())
}

/// Peak growth of the resident set, allocations, and bytes allocated.
type Numbers = [u64; 3];

async fn bare(base: &str, folder: &Folder, in_flight: usize) -> Result<Numbers> {
    let bare = Bare::new(with_timeout()?, base, &folder.read("jwt")?)?;
    let permits = Arc::new(Semaphore::new(in_flight));
    let before = Before::now()?;
    let mut tasks = JoinSet::new();
    for _ in 0..UPDATES {
        let (bare, permits) = (bare.clone(), Arc::clone(&permits));
        tasks.spawn(async move {
            let _permit = permits.acquire().await?;
            bare.update().await
        });
    }
    before.after(tasks).await
}

async fn updates(base: &str, folder: &Folder, in_flight: usize) -> Result<Numbers> {
    let client = ours(base, in_flight)?;
    let (update, jwt) = (update(), Arc::new(folder.read("jwt")?));
    client.warm_up().await?;
    client.as_member(Session::jwt(&**jwt)).organization_id().await?;
    let before = Before::now()?;
    let mut tasks = JoinSet::new();
    for _ in 0..UPDATES {
        let (client, update, jwt) = (client.clone(), Arc::clone(&update), Arc::clone(&jwt));
        tasks.spawn(async move {
            let member = client.as_member(Session::jwt(&**jwt));
            member.update_connection(CONNECTION, &update).await?;
            Ok(())
        });
    }
    before.after(tasks).await
}

/// Fills the cache, and returns the live bytes in place of the allocated ones.
async fn cache(base: &str, folder: &Folder, of: &str) -> Result<Numbers> {
    let client = ours(base, BOUND)?;
    client.warm_up().await?;
    let jwts = match of {
        "jwts" => folder.lines("fresh")?,
        "renewed" => folder.lines("expired")?,
        _ => Vec::new(),
    };
    let before = ALLOCATOR.stats();
    let resident = status("VmRSS")?;
    for n in 0..SESSIONS {
        let session = match jwts.get(n) {
            Some(jwt) => Session::jwt(&**jwt),
            None => Session::token(format!("{TOKEN}{n}")),
        };
        client.as_member(session).organization_id().await?;
    }
    let after = ALLOCATOR.stats();
    let grown = status("VmRSS")?.saturating_sub(resident);
    let freed = after.bytes_deallocated - before.bytes_deallocated;
    let live = (after.bytes_allocated - before.bytes_allocated).saturating_sub(freed);
    Ok([grown, 0, live as u64])
}

struct Before {
    resident: u64,
    stats: stats_alloc::Stats,
}

impl Before {
    fn now() -> Result<Self> {
        Ok(Self { resident: status("VmRSS")?, stats: ALLOCATOR.stats() })
    }

    async fn after(self, mut tasks: JoinSet<Result<()>>) -> Result<Numbers> {
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        let stats = ALLOCATOR.stats() - self.stats;
        let peak = status("VmHWM")?.saturating_sub(self.resident);
        Ok([peak, stats.allocations as u64, stats.bytes_allocated as u64])
    }
}

/// Returns an entry of `/proc/self/status`, in bytes.
fn status(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .ok_or("no such entry in /proc/self/status")?;
    let kilobytes = line.split_whitespace().nth(1).ok_or("no such entry in /proc/self/status")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

const UPDATES: usize = 10_000;
/// The default `max_in_flight`.
const BOUND: usize = 64;
/// The default `session_cache_capacity`.
const SESSIONS: usize = 10_000;
