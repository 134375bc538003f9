//! Processes: programs that a test starts, and the resources of this one from Linux's `/proc`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

/// A program that is running until this is dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    stdout: Text,
    stderr: Text,
}

/// The lines of an output so far.
type Text = Arc<Mutex<String>>;

impl Program {
    /// Starts a program and waits until it prints this text, within so many lines. Returns the rest of
    /// that line.
    pub(crate) fn start(command: &mut Command, ready: &str, lines: usize) -> (Self, String) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = collect(BufReader::new(child.stderr.take().unwrap()));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut printed = Vec::new();
        let rest = (&mut stdout).lines().take(lines).map_while(Result::ok).find_map(|line| {
            let rest = line.split_once(ready).map(|(_, rest)| rest.trim().to_owned());
            printed.push(line);
            rest
        });
        let Some(rest) = rest else {
            let (name, log) = (command.get_program().display(), stderr.lock().unwrap());
            panic!("{name} didn't start: {printed:?} {log}");
        };
        (Self { child, stdout: collect(stdout), stderr }, rest)
    }

    /// Returns its stdout after the line with which it was ready.
    pub(crate) fn printed(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    pub(crate) fn logged(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            println!("{}", self.logged());
        }
    }
}

/// Reads until the end, so that the program never writes to a closed pipe.
fn collect(from: impl BufRead + Send + 'static) -> Text {
    let text = Text::default();
    let kept = Arc::clone(&text);
    thread::spawn(move || {
        for line in from.lines().map_while(Result::ok) {
            kept.lock().unwrap().extend([&*line, "\n"]);
        }
    });
    text
}

/// Returns the resident memory in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Returns the number of open sockets.
#[cfg(target_os = "linux")]
pub(crate) fn sockets() -> usize {
    let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let targets = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}
