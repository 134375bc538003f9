//! Processes: cores, CPU time, and clients in children that print their figures.

use std::{
    env, io,
    io::Write,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::{
        resource::{UsageWho, getrusage},
        time::TimeValLike,
    },
    unistd::Pid,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    Result,
    client::{self, Load, Meter},
};

/// Returns the CPU time so far, user and system, in microseconds.
pub fn cpu(of: UsageWho) -> Result<i64> {
    let usage = getrusage(of)?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds())
}

/// Returns a runtime of this thread, pinned to one of the available cores.
pub fn pinned_runtime(pick: fn(&[usize]) -> Option<&usize>) -> Result<Runtime> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let is_allowed = |core: &usize| allowed.is_set(*core).is_ok_and(|is_set| is_set);
    let cores: Vec<_> = (0..CpuSet::count()).filter(is_allowed).collect();
    let mut only = CpuSet::new();
    only.set(*pick(&cores).ok_or("no core is available")?)?;
    sched_setaffinity(Pid::from_raw(0), &only)?;
    // Each connection needs a file descriptor. If the limit can't be raised, many callers fail.
    let _ = rlimit::increase_nofile_limit(65_536);
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Runs a client in a child with credentials as its input. Returns the figures that it prints.
pub fn start(client: &str, base_url: &str, load: Load, credentials: &str) -> Result<Vec<f64>> {
    let Load { callers, in_flight, warm_ups, updates } = load;
    let numbers = [callers, in_flight, warm_ups, updates].map(|number| number.to_string());
    let mut child = Command::new(env::current_exe()?)
        .args(["client", client, base_url])
        .args(numbers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("no input")?.write_all(credentials.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("the client {client} failed").into());
    }
    // Closed connections settle before the next client starts.
    thread::sleep(Duration::from_millis(50));
    let printed = String::from_utf8(output.stdout)?;
    Ok(printed.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
}

/// Runs the client in the child, and prints its figures.
pub fn run<const N: usize>(meter: Meter<N>) -> Result<()> {
    let arguments: Vec<String> = env::args().skip(2).collect();
    let number = |n: usize| arguments[n].parse::<usize>();
    let (callers, in_flight, warm_ups, updates) = (number(2)?, number(3)?, number(4)?, number(5)?);
    let load = Load { callers, in_flight, warm_ups, updates };
    let credentials = io::stdin().lines().collect::<io::Result<_>>()?;
    let run = client::run(&arguments[0], &arguments[1], credentials, load, meter);
    let figures = pinned_runtime(<[usize]>::last)?.block_on(run)?;
    println!("{}", figures.map(|figure| figure.to_string()).join(" "));
    Ok(())
}
