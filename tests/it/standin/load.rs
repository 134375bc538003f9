//! Many stand-ins at once, and many requests.

use std::time::{Duration, Instant};

use serde_json::json;
use stytch_sso_external::testing::{Operation, Stytch};
use tokio::task::JoinSet;

use super::{Acme, JWT, NAME};

#[test]
fn fifty_run_in_parallel() {
    drop(Stytch::start());
    let start = Instant::now();
    let slowest = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..50).map(|n| scope.spawn(move || whole_test(&format!("stand-in {n}")))).collect();
        let times = threads.into_iter().map(|thread| thread.join().unwrap());
        times.max().unwrap()
    });
    println!("50 stand-ins at once: {:?}, the slowest {slowest:?}", start.elapsed());
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

/// A test as a user would write one, with a runtime of its own. It tells how long it took.
fn whole_test(name: &str) -> Duration {
    let start = Instant::now();
    let acme = Acme::new();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        acme.put_ok(&json!({"display_name": name})).await;
        let grace = acme.organization.member("grace", &[]).log_in();
        acme.refused(JWT, &grace.jwt(), 403, "session_authorization_error").await;
    });
    assert_eq!(acme.connection.state().display_name, name);
    assert_eq!(acme.stytch.count(Operation::Update), 2);
    start.elapsed()
}

#[test]
fn a_test_takes_under_fifty_milliseconds() {
    whole_test("the first one makes the key");
    let bound = Duration::from_millis(50);
    // On a busy machine, and next to the load tests, not each try can be quick.
    let quick = (0..200).map(|_| whole_test("x")).find(|elapsed| *elapsed < bound);
    println!("A test takes {quick:?}");
    assert!(quick.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_updates_take_seconds() {
    let acme = Acme::new();
    let start = Instant::now();
    let mut callers = JoinSet::new();
    let request =
        acme.request("PUT", &acme.path(), &[(JWT, &acme.ada.jwt())], &NAME.into()).build().unwrap();
    for _ in 0..64 {
        let (http, request) = (acme.http.clone(), request.try_clone().unwrap());
        callers.spawn(async move {
            for _ in 0..157 {
                let response = http.execute(request.try_clone().unwrap()).await.unwrap();
                assert_eq!(response.status(), 200);
                response.bytes().await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let elapsed = start.elapsed();
    assert_eq!(acme.stytch.count(Operation::Update), 64 * 157);
    assert_eq!(acme.stytch.accepted(), 64 * 157);
    println!("10,048 updates, 64 in flight: {elapsed:?}");
    assert!(elapsed < Duration::from_secs(60), "{elapsed:?}");
}
