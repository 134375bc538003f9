//! Many fakes at once, and many requests.

use std::{sync::Barrier, time::Instant};

use tokio::task::JoinSet;

use super::{JWT, NAME, http};
use crate::support::prelude::*;

#[test]
fn fifty_fakes_run_in_parallel() {
    drop(Stytch::start());
    // No test begins before all fakes have started.
    let all_started = Barrier::new(51);
    let times = std::thread::scope(|scope| {
        let ready = || {
            all_started.wait();
        };
        let spawn = |n| scope.spawn(move || whole_test(&format!("fake {n}"), ready));
        let threads: Vec<_> = (0..50).map(spawn).collect();
        all_started.wait();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    println!("50 tests at once, the slowest {:?}", times.iter().max().unwrap());
}

/// A test as a user writes it, with its own runtime. Returns the time since its fake started.
fn whole_test(name: &str, ready: impl FnOnce()) -> Duration {
    let acme = Acme::captured();
    ready();
    let start = Instant::now();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        acme.put_ok(&json!({"display_name": name})).await;
        let grace = acme.organization.member("grace", &[]).log_in();
        acme.assert_rejected(JWT, &grace.jwt(), 403, "session_authorization_error").await;
    });
    assert_eq!(acme.connection.state().display_name, name);
    assert_eq!(acme.stytch.count(UPDATE), 2);
    start.elapsed()
}

#[test]
fn test_with_a_fake_takes_under_fifty_milliseconds() {
    let time = || {
        let start = Instant::now();
        whole_test("x", || ());
        start.elapsed()
    };
    println!("The first one generates the key: {:?}", time());
    // Repeated until one run is undisturbed by other tests of this process.
    let quick = (0..200).map(|_| time()).find(|time| *time < Duration::from_millis(50));
    println!("A test with its fake takes {quick:?}");
    assert!(quick.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_updates_complete_in_seconds() {
    let acme = Acme::captured();
    let start = Instant::now();
    let (mut callers, http) = (JoinSet::new(), http());
    let request =
        acme.request("PUT", &acme.path(), &[(JWT, &acme.ada.jwt())], &NAME.into()).build().unwrap();
    for _ in 0..64 {
        let (http, request) = (http.clone(), request.try_clone().unwrap());
        callers.spawn(async move {
            for _ in 0..8 {
                let response = http.execute(request.try_clone().unwrap()).await.unwrap();
                assert_eq!(response.status(), 200);
                response.bytes().await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let elapsed = start.elapsed();
    assert_eq!((acme.stytch.count(UPDATE), acme.stytch.accepted()), (512, 512));
    println!("512 updates, 64 in flight: {elapsed:?}");
    assert!(elapsed < Duration::from_secs(60), "{elapsed:?}");
}
