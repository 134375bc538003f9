//! One client on several runtimes, of which any may be dropped or stop making progress.

use std::{
    future::Future,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use stytch_sso_external::{Client, Session};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use crate::support::{
    scripted_project::{self, ScriptedProject},
    scripted_server::Request,
    steps::{self, Step, Steps},
};

/// Two seconds and a generous margin for a busy machine.
const LIMIT: Duration = Duration::from_secs(6);
const CALLERS: usize = 5;

fn update(_: &Request, _: usize) -> Steps {
    steps::json(200, &scripted_project::updated())
}

/// A project whose first response to a fetch of keys, or about a session, never comes.
async fn project() -> ScriptedProject {
    let jwks = |request: &Request, before: usize| match before {
        0 => vec![Step::Hang],
        _ => scripted_project::successful_jwks(request, before),
    };
    let authenticate = |request: &Request, before: usize| match before {
        0 => vec![Step::Hang],
        _ => scripted_project::successful_authenticate(request, before),
    };
    ScriptedProject::scripted(jwks, authenticate, update).await
}

fn runtime(is_multi_thread: bool) -> Runtime {
    let mut builder =
        if is_multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn call(client: &Client, session: Session) -> impl Future<Output = ()> + Send + 'static {
    let client = client.clone();
    async move {
        scripted_project::update_as(&client, session).await.unwrap();
    }
}

/// Several calls at once, which share the request that one of them starts.
fn calls(client: &Client, session: &Session) -> impl Future<Output = ()> + Send + 'static {
    let calls: Vec<_> = (0..CALLERS).map(|_| call(client, session.clone())).collect();
    async move {
        join_all(calls).await;
    }
}

/// Runtime A starts a request and lasts for a while; callers on runtime B join. Returns how long
/// they took.
async fn join_across_runtimes(
    client: &Client,
    session: Session,
    is_multi_thread: bool,
    drops: bool,
) -> Duration {
    let (start, joined) = (call(client, session.clone()), calls(client, &session));
    let (finish, finished) = mpsc::channel::<()>();
    let a = thread::spawn(move || {
        let a = runtime(is_multi_thread);
        let _ = a.block_on(async { timeout(Duration::from_millis(600), start).await });
        if drops {
            drop(a);
        } else {
            // Neither polled nor dropped until the end of the test.
            let _ = finished.recv();
        }
    });
    let b = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        runtime(is_multi_thread).block_on(joined);
        drop(finish);
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

/// Asserts how many JWKS and `sessions/authenticate` requests the callers of B need.
async fn assert_requests(
    project: &ScriptedProject,
    session: Session,
    is_multi_thread: bool,
    drops: bool,
    requests: (usize, usize),
) {
    let what = format!("{session:?}, multi-thread: {is_multi_thread}");
    let took = join_across_runtimes(&project.client(), session, is_multi_thread, drops).await;
    assert!(took < LIMIT, "{what}, took {took:?}");
    assert_eq!((project.jwks_requests(), project.authenticate_requests()), requests, "{what}");
    assert_eq!(project.updates(), CALLERS, "{what}");
}

#[tokio::test]
async fn dropped_runtime_fails_no_caller_of_another_runtime() {
    // One of the callers that joined starts the second request.
    let jwt = (scripted_project::session(), (2, 0));
    let token = (Session::token(scripted_project::TOKEN), (0, 2));
    let cases = [false, true].into_iter().flat_map(|is_multi_thread| {
        [&jwt, &token].map(|(session, requests)| async move {
            let project = project().await;
            assert_requests(&project, session.clone(), is_multi_thread, true, *requests).await;
        })
    });
    join_all(cases).await;
}

#[tokio::test]
async fn runtime_without_progress_delays_other_runtimes_by_at_most_two_seconds() {
    let (shared, token) = (project().await, Session::token(scripted_project::TOKEN));
    let shared = assert_requests(&shared, token, false, false, (0, 2));
    // The fetch counts as a failure, so that the JWT is authenticated, once for all callers.
    let hang = |_: &Request, _: usize| vec![Step::Hang];
    let hanging =
        ScriptedProject::scripted(hang, scripted_project::successful_authenticate, update).await;
    let hanging = assert_requests(&hanging, scripted_project::session(), false, false, (1, 1));
    tokio::join!(shared, hanging);
}

#[tokio::test]
async fn static_client_serves_one_runtime_after_the_other() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.client();
    for is_multi_thread in [false, true, false, true, false] {
        let (jwt, token) = (scripted_project::session(), Session::token(scripted_project::TOKEN));
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
    assert_eq!(
        (project.jwks_requests(), project.authenticate_requests(), project.updates()),
        (1, 1, 10)
    );
}
