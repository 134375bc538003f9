//! The example service as a process of its own, on the stand-in in it.

use std::{
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

/// The built example of that name, which `cargo test` puts beside this test's own binary.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let example = path.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(example.exists(), "{} is missing: cargo build --examples", example.display());
    example
}

/// A running service, ended when it is dropped. What only the stand-in in it has is empty
/// without that.
pub(crate) struct Service {
    pub(crate) process: Child,
    /// Where it is reached, as in `http://127.0.0.1:1234`.
    pub(crate) origin: String,
    /// The URL of the stand-in's connection.
    pub(crate) connection: String,
    /// The cookies of Ada, who may change it, and of Bob, who may not.
    pub(crate) ada: String,
    pub(crate) bob: String,
    // What it prints goes on; a closed pipe would end it.
    lines: Lines<BufReader<ChildStdout>>,
}

impl Service {
    /// Starts it on the stand-in in it.
    pub(crate) fn start() -> Self {
        let mut service = Self::spawn(&[]);
        service.connection = service.printed("curl -i -X PUT '");
        service.ada = service.printed("-H 'Cookie: ");
        service.bob = service.printed("-H 'Cookie: ");
        let _ = service.printed("What the stand-in has now:");
        service
    }

    /// Starts it with these variables in its environment.
    pub(crate) fn spawn(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(example("axum_service"));
        command.args(["--listen", "127.0.0.1:0"]).env_remove("STYTCH_PROJECT_ID");
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let [origin, connection, ada, bob] = Default::default();
        let mut service = Self { process, origin, connection, ada, bob, lines };
        service.origin = service.printed("Listening on ");
        service
    }

    /// What is printed next behind these words at the beginning of a line.
    fn printed(&mut self, start: &str) -> String {
        loop {
            let line = self.lines.next().expect("the service says what to try").unwrap();
            if let Some(rest) = line.trim().strip_prefix(start) {
                return rest.trim_end_matches(['\\', ' ', '\'']).to_owned();
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
