//! One client on several runtimes, of which any may be dropped or stop making progress.

use std::{future::Future, sync::mpsc, thread};

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

use crate::support::prelude::*;

/// Two seconds and a generous margin for a busy machine.
const LIMIT: Duration = Duration::from_secs(6);
const CALLERS: usize = 5;

/// A project whose first response to a fetch of keys, or about a session, never comes.
async fn project() -> ScriptedProject {
    let hangs_first = || first([vec![Step::Hang]], successful);
    ScriptedProject::scripted(hangs_first(), hangs_first(), successful).await
}

fn runtime(is_multi_thread: bool) -> Runtime {
    let mut builder =
        if is_multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn call(client: &Client, session: Session) -> impl Future<Output = ()> + Send + 'static {
    let client = client.clone();
    async move {
        update_as(&client, session).await.unwrap();
    }
}

/// Several calls at once, which share the request that one of them starts.
fn calls(client: &Client, session: &Session) -> impl Future<Output = ()> + Send + 'static {
    let calls: Vec<_> = (0..CALLERS).map(|_| call(client, session.clone())).collect();
    async move {
        join_all(calls).await;
    }
}

/// Runtime A starts a request, and makes progress until callers on runtime B have joined. Returns
/// how long these took, in the time of B.
async fn join_across_runtimes(
    project: &ScriptedProject,
    session: Session,
    is_multi_thread: bool,
    drops: bool,
) -> Duration {
    let client = project.client();
    let (start, joined) = (call(&client, session.clone()), calls(&client, &session));
    let (finish, finished) = mpsc::channel::<()>();
    let (have_joined, until_joined) = oneshot::channel::<()>();
    let a = thread::spawn(move || {
        let a = runtime(is_multi_thread);
        a.block_on(async {
            tokio::select! { () = start => (), _ = until_joined => () }
        });
        if drops {
            drop(a);
        } else {
            // Neither polled nor dropped until the end of the test.
            let _ = finished.recv();
        }
    });
    until(|| project.jwks_requests() + project.authenticate_requests() > 0).await;
    let b = thread::spawn(move || {
        let took = runtime(is_multi_thread).block_on(async {
            if !drops {
                accelerate();
            }
            let began = Instant::now();
            let joined = joined.shared();
            let _ = timeout(Duration::from_millis(50), joined.clone()).await;
            let _ = have_joined.send(());
            joined.await;
            began.elapsed()
        });
        drop(finish);
        took
    });
    tokio::task::spawn_blocking(move || {
        let took = b.join().unwrap();
        a.join().unwrap();
        took
    })
    .await
    .unwrap()
}

/// Asserts how many JWKS and `sessions/authenticate` requests the callers of B need.
async fn assert_requests(
    project: &ScriptedProject,
    session: Session,
    is_multi_thread: bool,
    drops: bool,
    requests: (usize, usize),
) {
    let what = format!("{session:?}, multi-thread: {is_multi_thread}");
    let took = join_across_runtimes(project, session, is_multi_thread, drops).await;
    assert!(took < LIMIT, "{what}, took {took:?}");
    assert_eq!((project.jwks_requests(), project.authenticate_requests()), requests, "{what}");
    assert_eq!(project.updates(), CALLERS, "{what}");
}

#[tokio::test]
async fn dropped_runtime_fails_no_caller_of_another_runtime() {
    for is_multi_thread in [false, true] {
        // One of the callers that joined starts the second request.
        for (session, requests) in [(session(), (2, 0)), (token(), (0, 2))] {
            assert_requests(&project().await, session, is_multi_thread, true, requests).await;
        }
    }
}

#[tokio::test]
async fn runtime_without_progress_delays_other_runtimes_by_at_most_two_seconds() {
    assert_requests(&project().await, token(), false, false, (0, 2)).await;
    // The fetch counts as a failure, so that the JWT is authenticated, once for all callers.
    let hanging = ScriptedProject::scripted(hang, successful, successful).await;
    assert_requests(&hanging, session(), false, false, (1, 1)).await;
}

#[tokio::test]
async fn static_client_serves_one_runtime_after_the_other() {
    let (project, client) = ScriptedProject::successful().await.with_client();
    for is_multi_thread in [false, true, false, true, false] {
        let sessions = [session(), token()];
        let calls = sessions.map(|session| call(&client, session));
        let served = move || {
            runtime(is_multi_thread).block_on(async {
                for call in calls {
                    call.await;
                }
            });
        };
        tokio::task::spawn_blocking(served).await.unwrap();
    }
    assert_eq!(project.counts(), [1, 1, 10]);
}
