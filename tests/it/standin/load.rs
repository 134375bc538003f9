//! Many stand-ins at once, and many requests.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use serde_json::json;
use stytch_sso_external::testing::{Operation, Stytch};
use tokio::task::JoinSet;

use super::{Acme, JWT, NAME};

#[test]
fn fifty_run_in_parallel() {
    drop(Stytch::start());
    // No test begins before all stand-ins are there.
    let all_are_there = Barrier::new(51);
    let (elapsed, slowest) = std::thread::scope(|scope| {
        let ready = || {
            all_are_there.wait();
        };
        let spawn = |n| scope.spawn(move || whole_test(&format!("stand-in {n}"), ready));
        let threads: Vec<_> = (0..50).map(spawn).collect();
        all_are_there.wait();
        let start = Instant::now();
        let times: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        (start.elapsed(), times.into_iter().max().unwrap())
    });
    println!("50 tests at once: {elapsed:?}, the slowest {slowest:?}");
    // They share the cores, so what one of them takes is its share.
    assert!(elapsed / 50 < Duration::from_millis(50), "{elapsed:?}");
}

/// A test as a user would write one, with a runtime of its own. It tells how long it took
/// from when its stand-in was there.
fn whole_test(name: &str, ready: impl FnOnce()) -> Duration {
    let acme = Acme::new();
    ready();
    let start = Instant::now();
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
    let time = || {
        let start = Instant::now();
        whole_test("x", || ());
        start.elapsed()
    };
    println!("The first one makes the key: {:?}", time());
    // Tried until it is undisturbed: other tests of this process aren't the stand-in's fault.
    let quick = (0..200).map(|_| time()).find(|time| *time < Duration::from_millis(50));
    println!("A test with its stand-in takes {quick:?}");
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
