//! A test run again in a process of its own: where the environment must differ, which can't
//! be changed safely in a process with threads, or where a figure is of the whole process.
//! And where the examples are that run as processes.

use std::{
    env,
    path::PathBuf,
    process::{Command, Output},
};

/// An example, which `cargo test` has built beside this test's own binary.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    let example = path.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(example.exists(), "{} is missing: cargo build --examples", example.display());
    example
}

/// The part of the test that runs in the child, told by a variable of its environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Runs one test of this binary in a child, with these variables beside what is inherited.
pub(crate) async fn run(test: &'static str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    for name in PROXIES {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a child printed behind this word at the beginning of a line.
pub(crate) fn said(output: &Output, word: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split_once(word));
    let Some((_, said)) = line else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        panic!("the child said no {word}: {text}{stderr}");
    };
    said.trim().to_owned()
}

const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
