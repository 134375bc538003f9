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

/// Runtime A starts a request, and makes progress until callers on runtime B have joined. Asserts
/// how long these took, in the time of B.
async fn join_across_runtimes(
    project: &ScriptedProject,
    session: Session,
    is_multi_thread: bool,
    drops: bool,
) {
    let client = project.client();
    let start = call(&client, session.clone());
    let calls: Vec<_> = (0..CALLERS).map(|_| call(&client, session.clone())).collect();
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
        runtime(is_multi_thread).block_on(async {
            if !drops {
                accelerate();
            }
            let began = Instant::now();
            // They share the request that one of them starts.
            let joined = join_all(calls).shared();
            let _ = timeout(Duration::from_millis(50), joined.clone()).await;
            let _ = have_joined.send(());
            joined.await;
            let took = began.elapsed();
            assert!(took < LIMIT, "{session:?}, multi-thread: {is_multi_thread}: {took:?}");
        });
        drop(finish);
    });
    let joined = tokio::task::spawn_blocking(move || [b.join(), a.join()]).await.unwrap();
    joined.into_iter().for_each(Result::unwrap);
}

#[tokio::test]
async fn dropped_runtime_fails_no_caller_of_another_runtime() {
    for is_multi_thread in [false, true] {
        // One of the callers that joined starts the second request.
        for (session, requests) in [(session(), [2, 0, CALLERS]), (token(), [0, 2, CALLERS])] {
            let (project, what) = (project().await, format!("{session:?}, {is_multi_thread}"));
            join_across_runtimes(&project, session, is_multi_thread, true).await;
            assert_eq!(project.counts(), requests, "{what}");
        }
    }
}

#[tokio::test]
async fn runtime_without_progress_delays_other_runtimes_by_at_most_two_seconds() {
    let hanging = ScriptedProject::scripted(hang, successful, successful).await;
    for (project, session, requests) in [
        (project().await, token(), [0, 2, CALLERS]),
        // The fetch counts as a failure, so that the JWT is authenticated, once for all callers.
        (hanging, session(), [1, 1, CALLERS]),
    ] {
        let what = format!("{session:?}");
        join_across_runtimes(&project, session, false, false).await;
        assert_eq!(project.counts(), requests, "{what}");
    }
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
