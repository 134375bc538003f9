//! Processes: cores, CPU time, and children that print their result on one line.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::{
        resource::{UsageWho, getrusage},
        time::TimeVal,
    },
    unistd::Pid,
};

use crate::Result;

/// The resources of a client.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// The CPU time of its process, user and system.
    pub cpu: Duration,
    /// The elapsed time.
    pub wall: Duration,
}

/// Returns the CPU time of this process so far.
pub fn usage() -> Result<Duration> {
    cpu(UsageWho::RUSAGE_SELF)
}

/// Returns the CPU time of the children of this process that have exited.
pub fn usage_of_children() -> Result<Duration> {
    cpu(UsageWho::RUSAGE_CHILDREN)
}

fn cpu(who: UsageWho) -> Result<Duration> {
    let usage = getrusage(who)?;
    let time = |time: TimeVal| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000);
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// The role of a process.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// Runs on the first available core.
    Server,
    /// Runs on the last available core.
    Client,
}

/// Pins this process to its core. Returns the core, or `None` if there is only one.
pub fn pin(end: End) -> Result<Option<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let cores: Vec<_> =
        (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false)).collect();
    if cores.len() < 2 {
        return Ok(None);
    }
    let core = match end {
        End::Server => cores.first(),
        End::Client => cores.last(),
    };
    let core = *core.ok_or("no core is available")?;
    let mut only = CpuSet::new();
    only.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &only)?;
    Ok(Some(core))
}

/// Starts this program as a child whose output is read.
pub fn child(arguments: &[&str]) -> Result<Child> {
    Ok(Command::new(env::current_exe()?).args(arguments).stdout(Stdio::piped()).spawn()?)
}

/// Reads the first line that a child prints.
pub fn line(child: &mut Child) -> Result<String> {
    let stdout = child.stdout.take().ok_or("the child has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// A server in a child, killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The port that it listens on.
    pub port: String,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = child(arguments)?;
        let port = line(&mut child)?;
        if port.is_empty() {
            return Err("the server did not start".into());
        }
        Ok(Self { child, port })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a client in a child and returns the numbers that it prints.
pub fn client(arguments: &[&str]) -> Result<Vec<u64>> {
    let mut child = child(arguments)?;
    let line = line(&mut child)?;
    if !child.wait()?.success() {
        return Err(format!("{} failed", arguments.join(" ")).into());
    }
    // Closed connections settle before the next one starts.
    thread::sleep(Duration::from_millis(50));
    Ok(line.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
}

/// Runs a client under callgrind and returns the number of its instructions. Keeps the profile
/// in the folder `stytch-bench-callgrind` for temporary files.
pub fn instructions(arguments: &[&str]) -> Result<u64> {
    let [_, kind, _, _, concurrency, updates] = arguments else { return Err("no client".into()) };
    let folder = env::temp_dir().join("stytch-bench-callgrind");
    fs::create_dir_all(&folder)?;
    let profile = folder.join(format!("callgrind.{kind}.{concurrency}.{updates}"));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe()?)
        .args(arguments)
        .output()
        .map_err(|error| format!("valgrind can't be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let (_, collected) = text.split_once("Collected :").ok_or("valgrind counted nothing")?;
    Ok(collected.split_whitespace().next().ok_or("valgrind counted nothing")?.parse()?)
}
