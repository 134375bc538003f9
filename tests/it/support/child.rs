//! Runs a test in a child process: to change the environment, which is unsafe in a process with
//! threads, or to measure a whole process. Also finds the binaries of the examples.

use std::{
    any::type_name,
    env,
    fmt::Display,
    process::{Command, Output},
};

use stytch_sso_external::testing::Stytch;

/// Returns an example, which `cargo test` builds next to the test binary.
pub(crate) fn example(name: &str) -> Command {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    let example = path.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(example.exists(), "{} is missing: cargo build --examples", example.display());
    Command::new(example)
}

/// Returns an example with the environment of a Stytch account, for which the fake stands in.
pub(crate) fn example_of(name: &str, stytch: &Stytch) -> Command {
    let mut command = example(name);
    command
        .env("STYTCH_PROJECT_ID", stytch.project_id())
        .env("STYTCH_SECRET", stytch.secret())
        .env("STYTCH_BASE_URL", stytch.base_url());
    command
}

/// Returns what `work` results in, in a child process with these additional variables.
pub(crate) async fn result_of<R: Display>(
    variables: &[(&str, &str)],
    work: impl AsyncFnOnce() -> R,
) -> String {
    let output = output_of(variables, work).await;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some((_, rest)) = text.split_once(RESULT) else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        panic!("the child has no result: {text}{stderr}");
    };
    rest.lines().next().unwrap().trim().to_owned()
}

/// Runs `work` in a child process with these additional variables. The child runs the test in which
/// this closure stands up to this call, and ends with it.
pub(crate) async fn output_of<W: AsyncFnOnce() -> R, R: Display>(
    variables: &[(&str, &str)],
    work: W,
) -> Output {
    assert_eq!(size_of::<W>(), 0, "the child has other values of what the closure captures");
    if env::var(IN_CHILD).is_ok_and(|test| test == test_of::<W>()) {
        println!("{RESULT} {}", work().await);
        std::process::exit(0);
    }
    run::<W>(variables).await
}

/// Returns whether this is a process of its own for the test. If not, runs the test in one and
/// prints its output: limits and memory are of a whole process, and other tests run in this one.
pub(crate) async fn is_alone<T: Fn()>(_test: T) -> bool {
    if env::var(IN_CHILD).is_ok_and(|test| test == test_of::<T>()) {
        return true;
    }
    let output = run::<T>(&[]).await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("1 passed"), "{stdout}");
    println!("{stdout}");
    false
}

/// Runs in a child the test that this is the type of, or of a closure in it.
async fn run<T>(variables: &[(&str, &str)]) -> Output {
    let test = test_of::<T>();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(IN_CHILD, test);
    for name in PROXIES {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The test that this is the type of, or of a closure in it.
fn test_of<T>() -> &'static str {
    let test = type_name::<T>().split("::{{closure}}").next().unwrap();
    test.split_once("::").unwrap().1
}

const IN_CHILD: &str = "STYTCH_TEST_CHILD";
const RESULT: &str = "RESULT";
const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
