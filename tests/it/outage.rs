//! Outages of the project's keys: which path calls take, how many requests they cause, and that
//! nobody waits for a fetch longer than two seconds.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use stytch_sso_external::{
    Client, Error, ErrorKind, Operation, RetryPolicy, Session,
    testing::{
        Clock, Fault, Stytch,
        jwt::{self, Key},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::support::{
    fast_time::{accelerate, accelerate_with},
    scripted_project::{self, KEY, ScriptedProject, claims, header},
    scripted_server::Request,
    steps::{self, Step, Steps},
    wait::until,
};

/// Two seconds and a generous margin for a busy machine.
const LIMIT: Duration = Duration::from_secs(6);

fn update(_: &Request, _: usize) -> Steps {
    steps::json(200, &scripted_project::updated())
}

fn hang(_: &Request, _: usize) -> Steps {
    vec![Step::Hang]
}

/// A JWT that nobody has seen, valid for an hour.
fn jwt_of(key: &Key, n: usize) -> Session {
    let (mut header, mut claims) = (header(), claims());
    header["kid"] = json!(key.kid());
    claims["sub"] = json!(format!("member-test-{n}"));
    claims["exp"] = json!(claims["exp"].as_u64().unwrap() + 3600);
    Session::jwt(jwt::sign(&header, &claims, key))
}

fn jwt(n: usize) -> Session {
    jwt_of(&KEY, n)
}

async fn call(client: &Client, session: Session) -> (Result<String, Error>, Duration) {
    let began = Instant::now();
    (client.as_member(session).organization_id().await, began.elapsed())
}

#[tokio::test]
async fn hanging_keys_at_cold_start_delay_the_first_calls_only() {
    let project =
        ScriptedProject::scripted(hang, scripted_project::successful_authenticate, update).await;
    // Longer than the test, so that the fetch hangs until its end.
    let (long, clock) = (Duration::from_secs(600), Clock::stopped());
    let builder = project.builder().attempt_timeout(long).clock(clock.clone());
    let client = builder.build().unwrap();
    accelerate();
    for round in 0..3 {
        let calls = (0..200).map(|n| call(&client, jwt(round * 200 + n)));
        for (result, took) in join_all(calls).await {
            result.unwrap();
            assert!(took < LIMIT, "round {round}: {took:?}");
        }
        assert_eq!(
            (project.jwks_requests(), project.authenticate_requests()),
            (1, 200 * (round + 1))
        );
        // No further fetch begins beside one that hangs.
        clock.advance(Duration::from_secs(60));
    }
    assert_eq!(client.warm_up().await.unwrap_err().operation(), Operation::GetJwks);
}

#[tokio::test]
async fn cancelled_callers_leave_the_fetch_running() {
    let project =
        ScriptedProject::scripted(hang, scripted_project::successful_authenticate, update).await;
    let client = project.builder().clock(Clock::stopped()).build().unwrap();
    accelerate();
    let began = Instant::now();
    let given_up = timeout(Duration::from_millis(1500), call(&client, jwt(0))).await;
    assert!(given_up.is_err());
    call(&client, jwt(1)).await.0.unwrap();
    assert!(began.elapsed() < LIMIT);
    assert_eq!(project.jwks_requests(), 1);
    for n in 2..5 {
        call(&client, jwt(n)).await.0.unwrap();
    }
    assert_eq!((project.jwks_requests(), project.authenticate_requests()), (1, 4));
}

#[tokio::test]
async fn keys_of_a_slow_fetch_are_used() {
    let late = |request: &Request, before: usize| {
        let mut steps = vec![Step::Wait(Duration::from_millis(2500))];
        steps.extend(scripted_project::successful_jwks(request, before));
        steps
    };
    let project =
        ScriptedProject::scripted(late, scripted_project::successful_authenticate, update).await;
    let clock = Clock::stopped();
    let client = project.builder().clock(clock.clone()).build().unwrap();
    accelerate_with(clock);
    call(&client, jwt(0)).await.0.unwrap();
    assert_eq!((project.jwks_requests(), project.authenticate_requests()), (1, 1));
    let began = Instant::now();
    let mut n = 1;
    while project.authenticate_requests() == n {
        assert!(began.elapsed() < LIMIT);
        sleep(Duration::from_millis(300)).await;
        call(&client, jwt(n)).await.0.unwrap();
        n += 1;
    }
    assert!(project.jwks_requests() <= 2);
}

#[tokio::test]
async fn ten_minutes_without_keys_are_bridged_by_authenticate() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let ada = acme.member("ada", &["stytch_admin"]).log_in_for(Duration::from_secs(86_400));
    let client = stytch.client();
    client.warm_up().await.unwrap();
    let _ = stytch.fault(Operation::GetJwks, Fault::status(503));
    stytch.clock().advance(Duration::from_secs(3600));
    for _ in 0..120 {
        stytch.clock().advance(Duration::from_secs(5));
        let member = client.as_member(Session::jwt(ada.fresh_jwt()));
        member.update_connection(connection.id(), &scripted_project::rename("Acme")).await.unwrap();
    }
    assert_eq!(stytch.accepted(), 120);
    assert_eq!(stytch.count(Operation::AuthenticateSession), 120);
    // 1 + 2 + 4 + 8 + 16 s, then every 22.5 to 30 s.
    let fetched = stytch.count(Operation::GetJwks);
    assert!((20..=32).contains(&fetched), "{fetched} fetches");
}

#[expect(clippy::too_many_lines, reason = "one scenario")]
#[tokio::test]
async fn rotation_under_made_up_kids_rejects_no_honest_member() {
    const INTERVAL: Duration = Duration::from_secs(1);
    let new = Key::generate();
    let (fetches, keys) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(vec![KEY.jwk()])));
    let (times, published) = (Arc::clone(&fetches), Arc::clone(&keys));
    let jwks = move |_: &Request, _: usize| {
        times.lock().unwrap().push(Instant::now());
        steps::json(200, &json!({"keys": *published.lock().unwrap()}))
    };
    let project =
        ScriptedProject::scripted(jwks, scripted_project::successful_authenticate, update).await;
    let clock = Clock::stopped();
    let builder = project.builder().jwks_min_refetch_interval(INTERVAL).clock(clock.clone());
    let client = builder.build().unwrap();
    client.warm_up().await.unwrap();
    accelerate_with(clock);
    let mut calls = Vec::new();
    for n in 0..20 {
        let made_up = jwt_of(&KEY.clone().with_kid(&format!("made-up-{n}")), n);
        if n == 5 {
            keys.lock().unwrap().push(new.jwk());
        }
        for (is_honest, session) in [(false, made_up), (n >= 5, jwt_of(&new, n))] {
            let client = client.clone();
            calls.push(tokio::spawn(async move { (is_honest, call(&client, session).await) }));
        }
        sleep(Duration::from_millis(200)).await;
    }
    for joined in calls {
        let (is_honest, (result, took)) = joined.await.unwrap();
        assert!(took < INTERVAL + LIMIT, "{took:?}");
        match result {
            Ok(_) => assert!(is_honest, "a made-up JWT was accepted"),
            Err(error) => {
                assert!(!is_honest && error.kind() == ErrorKind::InvalidSession, "{error}");
            }
        }
    }
    assert_eq!(project.authenticate_requests(), 0);
    let fetches = fetches.lock().unwrap();
    // The first one is of the warm-up.
    let apart = fetches[1..].windows(2).all(|pair| pair[1] - pair[0] > INTERVAL / 2);
    assert!(apart && (4..=8).contains(&fetches.len()), "{fetches:?}");
}

/// A call for each session, in the background.
fn flood(client: &Client, sessions: impl Iterator<Item = Session>) -> JoinSet<Error> {
    let call = |session| {
        let client = client.clone();
        async move { call(&client, session).await.0.unwrap_err() }
    };
    sessions.map(call).collect()
}

/// A JWT that expired a while ago.
fn expired(n: usize) -> Session {
    let mut claims = claims();
    claims["sub"] = json!(format!("member-test-{n}"));
    for claim in ["iat", "nbf", "exp"] {
        claims[claim] = json!(claims[claim].as_u64().unwrap() - 600);
    }
    Session::jwt(scripted_project::sign(&claims))
}

#[expect(clippy::too_many_lines, reason = "one scenario")]
#[tokio::test]
async fn made_up_sessions_leave_a_quarter_of_the_permits_to_verified_jwts() {
    let made_up_token = |n: usize| Session::token(format!("mAdE-uP-{n}"));
    let made_up_jwt = |n: usize| {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{n}")});
        Session::jwt(jwt::unsigned(&header, &claims()))
    };
    for is_token in [true, false] {
        let authenticate = move |request: &Request, before: usize| {
            let body = String::from_utf8_lossy(&request.body);
            // Without a signature.
            let is_made_up = body.contains("mAdE-uP-") || body.contains(".\"");
            if is_made_up {
                vec![Step::Hang]
            } else {
                scripted_project::successful_authenticate(request, before)
            }
        };
        // Without keys, only sessions that were resolved before are known.
        let serves_keys = Arc::new(Mutex::new(true));
        let serves = Arc::clone(&serves_keys);
        let jwks = move |request: &Request, before: usize| {
            if *serves.lock().unwrap() {
                scripted_project::successful_jwks(request, before)
            } else {
                steps::html(503)
            }
        };
        let project = ScriptedProject::scripted(jwks, authenticate, update).await;
        // Longer than the test, so that no hanging request is retried.
        let (long, clock) = (Duration::from_secs(600), Clock::stopped());
        let builder = project.builder().attempt_timeout(long).operation_timeout(long);
        let client = builder.max_in_flight(8).clock(clock.clone()).build().unwrap();
        let honest: Vec<_> = (0..20).map(expired).collect();
        let mut authenticated = 0;
        if !is_token {
            for session in &honest {
                call(&client, session.clone()).await.0.unwrap();
            }
            authenticated = 20;
            *serves_keys.lock().unwrap() = false;
            clock.advance(Duration::from_secs(60 * 60));
        }
        let sessions = (0..5_000).map(|n| if is_token { made_up_token(n) } else { made_up_jwt(n) });
        let mut flood = flood(&client, sessions);
        // Beyond 1,024 that wait, each fails at once.
        for _ in 0..5_000 - 6 - 1_024 {
            let error = flood.join_next().await.unwrap().unwrap();
            assert!(error.kind() == ErrorKind::Transport && error.is_retryable(), "{error:?}");
            let reason = "over 1,024 sessions wait for their first sessions/authenticate";
            assert_eq!(error.reason(), reason);
        }
        until(|| project.authenticate_requests() == authenticated + 6).await;
        for session in &honest {
            call(&client, session.clone()).await.0.unwrap();
        }
        assert_eq!(project.authenticate_requests(), authenticated + 6 + 20);
        assert_eq!(flood.len(), 6 + 1_024);
    }
}

/// A session that a member has used before is no made-up one, although the cache has forgotten its
/// organization.
#[tokio::test]
async fn token_that_was_resolved_before_is_not_queued_behind_made_up_ones() {
    let authenticate = |request: &Request, before: usize| {
        if String::from_utf8_lossy(&request.body).contains("mAdE-uP-") {
            vec![Step::Hang]
        } else {
            scripted_project::successful_authenticate(request, before)
        }
    };
    let project =
        ScriptedProject::scripted(scripted_project::successful_jwks, authenticate, update).await;
    let (long, clock) = (Duration::from_secs(600), Clock::stopped());
    let builder = project.builder().attempt_timeout(long).operation_timeout(long);
    let client = builder.max_in_flight(4).clock(clock.clone()).build().unwrap();
    let token = || Session::token(scripted_project::TOKEN);
    call(&client, token()).await.0.unwrap();
    let _flood = flood(&client, (0..100).map(|n| Session::token(format!("mAdE-uP-{n}"))));
    until(|| project.authenticate_requests() == 1 + 3).await;
    clock.advance(Duration::from_secs(60 * 60));
    call(&client, token()).await.0.unwrap();
    assert_eq!(project.authenticate_requests(), 1 + 3 + 1);
}

#[tokio::test]
async fn hanging_background_refresh_is_one_task() {
    let jwks = |request: &Request, before: usize| match before {
        0 => scripted_project::successful_jwks(request, before),
        _ => vec![Step::Hang],
    };
    let project =
        ScriptedProject::scripted(jwks, scripted_project::successful_authenticate, update).await;
    let clock = Clock::stopped();
    let client = project.builder().clock(clock.clone()).build().unwrap();
    client.warm_up().await.unwrap();
    clock.advance(Duration::from_secs(5 * 60));
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let sessions: Vec<_> = (0..2_000).map(jwt).collect();
    let calls = sessions.into_iter().map(|session| call(&client, session));
    for (result, _) in join_all(calls).await {
        result.unwrap();
    }
    // The refresh, its connection, and the server's end of that.
    assert!(tasks() <= before + 5, "{before} tasks, then {}", tasks());
    until(|| project.jwks_requests() >= 2).await;
    assert_eq!((project.jwks_requests(), project.authenticate_requests()), (2, 0));
    assert!(project.server.connections() <= 2);
}

#[tokio::test]
async fn late_joiners_start_one_more_request_for_all_of_them() {
    let authenticate = |request: &Request, before: usize| match before {
        0 => vec![Step::Hang],
        _ => scripted_project::successful_authenticate(request, before),
    };
    accelerate();
    for policy in [RetryPolicy::default(), RetryPolicy::disabled()] {
        let project =
            ScriptedProject::scripted(scripted_project::successful_jwks, authenticate, update)
                .await;
        let builder = project.builder().operation_timeout(Duration::from_secs(2)).retry(policy);
        let client = builder.build().unwrap();
        let token = || Session::token(scripted_project::TOKEN);
        let starter = async { call(&client, token()).await.0 };
        let joiners = async {
            sleep(Duration::from_millis(1500)).await;
            join_all((0..10).map(|_| call(&client, token()))).await
        };
        let (timed_out, joined) = tokio::join!(starter, joiners);
        assert!(
            timed_out.as_ref().is_err_and(|error| error.kind() == ErrorKind::Transport),
            "{timed_out:?}"
        );
        for (result, _) in joined {
            result.unwrap();
        }
        assert_eq!(project.authenticate_requests(), 2);
    }
}

#[tokio::test]
async fn keys_are_fetched_while_all_session_permits_are_taken() {
    let project = ScriptedProject::scripted(scripted_project::successful_jwks, hang, update).await;
    let client = project.builder().max_in_flight(1).build().unwrap();
    let token = client.as_member(Session::token(scripted_project::TOKEN));
    let hanging = tokio::spawn(async move { token.organization_id().await });
    until(|| project.authenticate_requests() > 0).await;
    call(&client, jwt(0)).await.0.unwrap();
    assert_eq!((project.jwks_requests(), project.authenticate_requests()), (1, 1));
    hanging.abort();
}

#[tokio::test]
async fn callers_of_one_unverified_jwt_share_one_permit_and_one_request() {
    // A failure is not cached, so a caller that doesn't share it makes a request of its own.
    let slow = |_: &Request, _: usize| {
        [vec![Step::Wait(Duration::from_millis(50))], steps::html(500)].concat()
    };
    let project = ScriptedProject::scripted(|_, _| steps::html(503), slow, update).await;
    // One permit for unverified JWTs.
    let client = project.builder().max_in_flight(1).build().unwrap();
    let sessions = [jwt(0), jwt(1)];
    let calls = (0..100).map(|n| call(&client, sessions[n % 2].clone()));
    for (result, _) in join_all(calls).await {
        assert_eq!(result.unwrap_err().status().unwrap(), 500);
    }
    assert_eq!(project.authenticate_requests(), 2);
}

#[tokio::test]
async fn queued_jwts_are_verified_once_keys_are_there() {
    let is_up = Arc::new(Mutex::new(false));
    let (serves, clock) = (Arc::clone(&is_up), Clock::stopped());
    let jwks = move |request: &Request, before: usize| {
        if *serves.lock().unwrap() {
            scripted_project::successful_jwks(request, before)
        } else {
            steps::html(503)
        }
    };
    let slow = |request: &Request, before: usize| {
        let wait = Step::Wait(Duration::from_millis(100));
        [vec![wait], scripted_project::successful_authenticate(request, before)].concat()
    };
    let project = ScriptedProject::scripted(jwks, slow, update).await;
    let client = project.builder().max_in_flight(1).clock(clock.clone()).build().unwrap();
    // The first one takes the only permit; the others wait for it.
    let calls = join_all((0..20).map(|n| call(&client, jwt(n))));
    let recovery = async {
        until(|| project.authenticate_requests() > 0).await;
        *is_up.lock().unwrap() = true;
        clock.advance(Duration::from_secs(30));
        client.warm_up().await.unwrap();
    };
    let (results, ()) = tokio::join!(calls, recovery);
    for (result, _) in results {
        result.unwrap();
    }
    assert_eq!(
        project.authenticate_requests(),
        1,
        "unverified JWTs reached Stytch although keys were cached"
    );
}

/// The error of each kind of call, at a client with these settings.
async fn errors_of_each_call(client: &Client) -> Vec<(&'static str, Error)> {
    let token = Session::token(scripted_project::TOKEN);
    let id = scripted_project::CONNECTION;
    // Known, so that the update itself is sent.
    let member = client.as_member(jwt(0));
    let update = scripted_project::rename("Acme");
    let (other, shared) = (client.as_member(Session::token("tOkEn")), client.as_member(token));
    let (update, list, organization, shared) = tokio::join!(
        member.update_connection(id, &update),
        member.connections(),
        other.organization_id(),
        join_all((0..10).map(|_| shared.organization_id())),
    );
    let mut errors = vec![
        ("update", update.unwrap_err()),
        ("list", list.unwrap_err()),
        ("organization", organization.unwrap_err()),
    ];
    errors.extend(shared.into_iter().map(|result| ("shared", result.unwrap_err())));
    errors
}

#[tokio::test]
async fn error_that_the_deadline_ends_has_the_cause_of_the_last_attempt() {
    // Of the update and of the list, and of `sessions/authenticate`.
    let hang = |_: &Request, _: usize| vec![Step::Hang];
    let get = |request: &Request, before: usize| {
        let is_jwks = request.target.contains("/jwks/");
        if is_jwks { scripted_project::successful_jwks(request, before) } else { vec![Step::Hang] }
    };
    let project = ScriptedProject::scripted(get, hang, hang).await;
    for attempt_timeout in [Duration::from_millis(400), Duration::from_secs(9)] {
        let builder = project.builder().attempt_timeout(attempt_timeout);
        let builder = builder.operation_timeout(Duration::from_secs(2));
        let client = builder.retry(RetryPolicy::default().max_attempts(9)).build().unwrap();
        client.warm_up().await.unwrap();
        for (call, error) in errors_of_each_call(&client).await {
            // Else there was no time left to wait for a further attempt.
            let is_cut = attempt_timeout > Duration::from_secs(2);
            let elapsed = if is_cut { "; operation_timeout elapsed" } else { "" };
            let reason = format!("timed out while waiting for the response{elapsed}");
            assert!(error.reason().starts_with(&reason), "{call}, {is_cut}: {error:?}");
            assert!(std::error::Error::source(&error).is_some(), "{call}: {error:?}");
            let operation = match call {
                "update" => Operation::UpdateExternalConnection,
                "list" => Operation::GetConnections,
                _ => Operation::AuthenticateSession,
            };
            assert_eq!(error.operation(), operation, "{call}");
            assert!(error.attempts() >= 1 && error.is_retryable(), "{call}: {error:?}");
        }
    }
}

/// A host that accepts no connections: its backlog is full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn error_of_a_host_that_accepts_no_connections_says_so() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut filled = Vec::new();
    while let Ok(connected) =
        timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        filled.push(connected.unwrap());
    }
    for connect_timeout in [Duration::from_millis(500), Duration::from_secs(9)] {
        let builder = scripted_project::builder(&format!("http://{address}"));
        let builder = builder.connect_timeout(connect_timeout);
        let client = builder.operation_timeout(Duration::from_secs(2)).build().unwrap();
        for (call, error) in errors_of_each_call(&client).await {
            let reason = "timed out while connecting";
            assert!(error.reason().starts_with(reason), "{call}, {connect_timeout:?}: {error:?}");
            assert!(std::error::Error::source(&error).is_some(), "{call}: {error:?}");
            assert_eq!(error.outcome(), stytch_sso_external::Outcome::NotApplied, "{call}");
        }
    }
    drop(filled);
}
