//! Measures the CPU and time of an update, compared with bare reqwest and the `stytch` crate:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml [-- --rounds 9 --updates 20000
//!     --concurrency 1,64,1000 --only bare,jwt-seen --plot docs/cost.svg]
//! cargo run --release --manifest-path benches/compare/Cargo.toml -- instructions [jwt-seen ...]
//! ```
//!
//! The server is a child process pinned to one core; each measurement starts a client in another
//! child, pinned to another core, and reads the CPU time of that process. The order of the
//! clients alternates. `instructions` counts the instructions of the client process with
//! callgrind, without the kernel's, independent of the load of the machine, and keeps the
//! profiles.

use std::{env, fs, time::Duration};

use stytch_sso_external_bench::{
    Result,
    client::{self, Kind, Load},
    fixtures::Folder,
    process::{self, End, Server},
    report::{Row, Table, median, ratio, svg},
    server,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server", folder] => serve(folder),
        ["client", kind, port, folder, concurrency, updates] => update(
            Kind::named(kind)?,
            port.parse()?,
            folder,
            Load { concurrency: concurrency.parse()?, updates: updates.parse()? },
        ),
        ["instructions", ref kinds @ ..] => instructions(kinds),
        _ => compare(&Options::read(&arguments)?),
    }
}

fn serve(folder: &str) -> Result<()> {
    process::pin(End::Server)?;
    raise_limit();
    runtime()?.block_on(server::serve(&Folder::of_parent(folder), Duration::ZERO))
}

fn update(kind: Kind, port: u16, folder: &str, load: Load) -> Result<()> {
    process::pin(End::Client)?;
    raise_limit();
    let usage = runtime()?.block_on(client::run(kind, port, &Folder::of_parent(folder), load))?;
    println!("{} {}", usage.cpu.as_nanos(), usage.wall.as_nanos());
    Ok(())
}

fn compare(options: &Options) -> Result<()> {
    println!("Signing {FRESH} JWTs.");
    let folder = Folder::make(FRESH, 0)?;
    let path = folder.path().display().to_string();
    println!("One JWT has {} bytes.\n", folder.read("jwt")?.len());
    let mut tables = Vec::new();
    {
        let server = Server::start(&["server", &path])?;
        for concurrency in &options.concurrency {
            let table = measure(options, *concurrency, &server.port, &path)?;
            println!("{}", table.markdown());
            summarize(&table);
            tables.push(table);
        }
    }
    folder.remove()?;
    if let Some(plot) = &options.plot {
        fs::write(plot, svg(&tables))?;
        println!("The plot is in {plot}.");
    }
    Ok(())
}

fn measure(options: &Options, concurrency: usize, port: &str, folder: &str) -> Result<Table> {
    let row = |kind: &Kind| Row { kind: *kind, cpu: Vec::new(), wall: Vec::new() };
    let mut rows: Vec<_> = options.kinds.iter().map(row).collect();
    for round in 0..options.rounds {
        let mut order: Vec<_> = (0..rows.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let row = &mut rows[index];
            let updates = match row.kind {
                Kind::JwtFirst | Kind::TokenFirst | Kind::OfficialJob => options.updates.min(FRESH),
                _ => options.updates,
            };
            let (count, callers) = (updates.to_string(), concurrency.to_string());
            let arguments = ["client", row.kind.name(), port, folder, &callers, &count];
            let [cpu, wall] = process::client(&arguments)?[..] else {
                return Err("a client reported nothing".into());
            };
            row.cpu.push(cpu as f64 / updates as f64);
            row.wall.push(wall as f64 / updates as f64);
        }
    }
    Ok(Table { concurrency, rows })
}

fn instructions(kinds: &[&str]) -> Result<()> {
    let all = Kind::ALL.map(Kind::name);
    let kinds = if kinds.is_empty() { &all[..] } else { kinds };
    let folder = Folder::make(FRESH, 0)?;
    let path = folder.path().display().to_string();
    let server = Server::start(&["server", &path])?;
    println!("| client | instructions per update, 1 caller | 64 callers |");
    println!("| --- | ---: | ---: |");
    for name in kinds {
        let count = |concurrency: &str| -> Result<u64> {
            // The difference of two runs excludes start and warm-up.
            let run = |updates: &str| {
                process::instructions(&["client", name, &server.port, &path, concurrency, updates])
            };
            Ok((run("3000")? - run("1000")?) / 2000)
        };
        println!("| {} | {} | {} |", Kind::named(name)?.title(), count("1")?, count("64")?);
    }
    folder.remove()
}

/// The documented figures, as far as their clients ran.
fn summarize(table: &Table) {
    let row = |kind| table.row(kind);
    for (seen, title) in [(Kind::JwtSeen, "a cached one"), (Kind::JwtIncoming, "one from headers")]
    {
        if let (Some(seen), Some(first)) = (row(seen), row(Kind::JwtFirst)) {
            let more: Vec<_> = first.cpu.iter().zip(&seen.cpu).map(|(a, b)| a - b).collect();
            println!("A new JWT takes {:.1} µs more than {title}.", median(&more) / 1000.0);
        }
    }
    if let (Some(seen), Some(token)) = (row(Kind::JwtSeen), row(Kind::TokenSeen)) {
        println!("Ratio of a cached token to a cached JWT: {:.3}.", ratio(&token.cpu, &seen.cpu));
    }
    if let Some(job) = row(Kind::OfficialJob) {
        for kind in [Kind::JwtSeen, Kind::JwtFirst, Kind::TokenFirst] {
            if let Some(ours) = row(kind) {
                println!(
                    "{}, relative to authenticate and update with the `stytch` crate: {:.2} of its CPU, {:.2} of its wall time.",
                    kind.title(),
                    ratio(&ours.cpu, &job.cpu),
                    ratio(&ours.wall, &job.wall),
                );
            }
        }
    }
    println!();
}

struct Options {
    rounds: usize,
    updates: usize,
    concurrency: Vec<usize>,
    kinds: Vec<Kind>,
    plot: Option<String>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            rounds: 9,
            updates: 20_000,
            concurrency: vec![1, 64, 1000],
            kinds: Kind::ALL.to_vec(),
            plot: None,
        };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{} needs a value", pair.concat()).into());
            };
            match name.as_str() {
                "--rounds" => options.rounds = value.parse()?,
                "--updates" => options.updates = value.parse()?,
                "--concurrency" => {
                    options.concurrency =
                        value.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
                }
                "--only" => {
                    options.kinds = value.split(',').map(Kind::named).collect::<Result<_>>()?;
                }
                "--plot" => options.plot = Some(value.clone()),
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        // The baseline comes first: all ratios refer to it.
        options.kinds.retain(|kind| *kind != Kind::Bare);
        options.kinds.insert(0, Kind::Bare);
        Ok(options)
    }
}

/// A single-threaded runtime: the process is pinned to one core.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Each connection needs a file descriptor. If the limit can't be raised, 1,000 callers fail.
fn raise_limit() {
    let _ = rlimit::increase_nofile_limit(65_536);
}

/// The number of JWTs that are used once.
const FRESH: usize = 5_000;
