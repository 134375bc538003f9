//! Runs a test in a child process: to change the environment, which is unsafe in a process with
//! threads, or to measure a whole process. Also finds the binaries of the examples.

use std::{
    env,
    fmt::Display,
    path::PathBuf,
    process::{Command, Output},
};

/// Returns the path of an example, which `cargo test` builds next to the test binary.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    let example = path.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(example.exists(), "{} is missing: cargo build --examples", example.display());
    example
}

/// Returns a variable that [`run`] set: present only in the child.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Runs one test of this binary in a child, with these additional variables.
pub(crate) async fn run(test: &'static str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    for name in PROXIES {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Returns whether this is a process of its own for the test. If not, runs the test in one:
/// limits and memory are of a whole process, and other tests run in this one.
pub(crate) async fn is_alone(test: &'static str) -> bool {
    const ALONE: &str = "STYTCH_TEST_ALONE";
    if variable(ALONE).is_some() {
        return true;
    }
    let output = run(test, &[(ALONE, "1")]).await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("1 passed"), "{stdout}");
    false
}

/// Runs one test in a child with these variables, and returns what it [reported](report).
pub(crate) async fn result_of(test: &'static str, variables: &[(&str, &str)]) -> String {
    value_of(&run(test, variables).await, RESULT)
}

/// Prints the result of a child.
pub(crate) fn report(result: impl Display) {
    println!("{RESULT} {result}");
}

/// Returns what a child printed after this word.
pub(crate) fn value_of(output: &Output, word: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split_once(word));
    let Some((_, value)) = line else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        panic!("the child didn't print {word}: {text}{stderr}");
    };
    value.trim().to_owned()
}

const RESULT: &str = "RESULT";
const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
