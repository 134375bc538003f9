//! One client on several runtimes, of which any may be dropped or stop making progress.

use std::{
    future::Future,
    thread,
    time::{Duration, Instant},
};

use stytch_sso_external::{Client, Session};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use crate::support::{
    hostile::Request,
    lab::{self, Lab},
    play::{self, Act, Play},
};

/// Two seconds and a generous margin for a busy machine.
const LIMIT: Duration = Duration::from_secs(6);

fn update(_: &Request, _: usize) -> Play {
    play::json(200, &lab::updated())
}

/// A lab whose first response to a fetch of keys, or about a session, never comes.
async fn lab() -> Lab {
    let jwks = |request: &Request, before: usize| match before {
        0 => vec![Act::Hang],
        _ => lab::polite_jwks(request, before),
    };
    let authenticate = |request: &Request, before: usize| match before {
        0 => vec![Act::Hang],
        _ => lab::polite_authenticate(request, before),
    };
    Lab::scripted(jwks, authenticate, update).await
}

fn runtime(is_multi_thread: bool) -> Runtime {
    let mut builder =
        if is_multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn call(client: &Client, session: Session) -> impl Future<Output = ()> + Send + 'static {
    let client = client.clone();
    async move {
        lab::update_as(&client, session).await.unwrap();
    }
}

/// Runtime A starts a request and lasts for a while; a caller on runtime B joins. Returns how
/// long the caller took.
async fn join_across_runtimes(
    client: &Client,
    session: Session,
    is_multi_thread: bool,
    drops: bool,
) -> Duration {
    let (start, joined) = (call(client, session.clone()), call(client, session));
    let a = thread::spawn(move || {
        let a = runtime(is_multi_thread);
        let _ = a.block_on(async { timeout(Duration::from_millis(600), start).await });
        if drops {
            drop(a);
        } else {
            // Neither polled nor dropped until the end of the test.
            thread::sleep(LIMIT);
        }
    });
    let b = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        runtime(is_multi_thread).block_on(joined);
        began.elapsed()
    });
    tokio::task::spawn_blocking(move || {
        let took = b.join().unwrap();
        a.join().unwrap();
        took
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn dropped_runtime_fails_no_caller_of_another_runtime() {
    for is_multi_thread in [false, true] {
        // The caller that joined starts the second request.
        let cases = [(lab::session(), (2, 0)), (Session::token(lab::TOKEN), (0, 2))];
        for (session, requests) in cases {
            let lab = lab().await;
            let took = join_across_runtimes(&lab.client(), session, is_multi_thread, true).await;
            assert!(took < LIMIT, "{took:?}");
            assert_eq!((lab.fetched(), lab.asked()), requests);
            assert_eq!(lab.updates(), 1);
        }
    }
}

#[tokio::test]
async fn runtime_without_progress_delays_other_runtimes_by_at_most_two_seconds() {
    let lab = lab().await;
    let token = Session::token(lab::TOKEN);
    let took = join_across_runtimes(&lab.client(), token, false, false).await;
    assert!(took < LIMIT, "{took:?}");
    assert_eq!((lab.asked(), lab.updates()), (2, 1));
}

#[tokio::test]
async fn static_client_serves_one_runtime_after_the_other() {
    let lab = Lab::responding(play::json(200, &lab::updated())).await;
    let client = lab.client();
    for is_multi_thread in [false, true, false, true, false] {
        let (jwt, token) = (lab::session(), Session::token(lab::TOKEN));
        let calls = [call(&client, jwt), call(&client, token)];
        let served = move || {
            runtime(is_multi_thread).block_on(async {
                for call in calls {
                    call.await;
                }
            });
        };
        tokio::task::spawn_blocking(served).await.unwrap();
    }
    assert_eq!((lab.fetched(), lab.asked(), lab.updates()), (1, 1, 10));
}
