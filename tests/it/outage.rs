//! Outages of the project's keys: which path calls take, how many requests they cause, and that
//! nobody waits for a fetch longer than two seconds.

use crate::support::prelude::*;

/// Two seconds and a generous margin for a busy machine.
const LIMIT: Duration = Duration::from_secs(6);
const HOUR: Duration = Duration::from_secs(60 * 60);

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

/// A token that no member has.
fn made_up(n: usize) -> Session {
    Session::token(format!("mAdE-uP-{n}"))
}

async fn call(client: &Client, session: Session) -> (Result<String, Error>, Duration) {
    let began = Instant::now();
    (client.as_member(session).organization_id().await, began.elapsed())
}

/// Asserts that a session is resolved.
async fn resolve(client: &Client, session: Session) {
    call(client, session).await.0.unwrap();
}

/// Hangs for a session that nobody has.
fn hang_if_made_up(request: &Request, before: usize) -> Steps {
    let body = String::from_utf8_lossy(&request.body);
    // A made-up JWT has no signature.
    let is_made_up = body.contains("mAdE-uP-") || body.contains(".\"");
    if is_made_up { vec![Step::Hang] } else { successful(request, before) }
}

#[tokio::test]
async fn hanging_keys_at_cold_start_delay_the_first_calls_only() {
    let (project, client, clock) = scripted(hang, successful, |it| it.attempt_timeout(LONG)).await;
    accelerate();
    for round in 0..3 {
        let calls = (0..50).map(|n| call(&client, jwt(round * 50 + n)));
        for (result, took) in join_all(calls).await {
            result.unwrap();
            assert!(took < LIMIT, "round {round}: {took:?}");
        }
        project.assert_requests(1, 50 * (round + 1));
        // No further fetch begins beside one that hangs.
        clock.advance(Duration::from_secs(60));
    }
    assert_eq!(client.warm_up().await.unwrap_err().operation(), JWKS);
}

#[tokio::test]
async fn cancelled_callers_leave_the_fetch_running() {
    let (project, client, _) = scripted(hang, successful, |it| it).await;
    accelerate();
    let began = Instant::now();
    let given_up = timeout(Duration::from_millis(1500), call(&client, jwt(0))).await;
    assert!(given_up.is_err());
    resolve(&client, jwt(1)).await;
    assert!(began.elapsed() < LIMIT);
    project.assert_requests(1, 1);
    for n in 2..5 {
        resolve(&client, jwt(n)).await;
    }
    project.assert_requests(1, 4);
}

#[tokio::test]
async fn keys_of_a_slow_fetch_are_used() {
    let late = after(Duration::from_millis(2500), successful);
    let (project, client, clock) = scripted(late, successful, |it| it).await;
    accelerate_with(clock.clone());
    resolve(&client, jwt(0)).await;
    project.assert_requests(1, 1);
    let began = Instant::now();
    let mut n = 1;
    while project.authenticate_requests() == n {
        assert!(began.elapsed() < LIMIT);
        sleep(Duration::from_millis(300)).await;
        resolve(&client, jwt(n)).await;
        n += 1;
    }
    assert!(project.jwks_requests() <= 2);
}

#[tokio::test]
async fn ten_minutes_without_keys_are_bridged_by_cached_ones_and_then_by_authenticate() {
    for (age, retry, authenticated, fetches) in [
        // Stale for five minutes, they are fetched by the backoff and not with each call.
        (Duration::ZERO, RetryPolicy::disabled(), 0, 5..=17),
        // 1 + 2 + 4 + 8 + 16 s, then every 22.5 to 30 s.
        (HOUR, RetryPolicy::default(), 120, 19..=31),
    ] {
        let (acme, client) = Acme::with_client(|it| it.retry(retry));
        client.warm_up().await.unwrap();
        let outage = acme.stytch.fault(JWKS, Fault::status(503));
        acme.stytch.clock().advance(age);
        for _ in 0..120 {
            acme.stytch.clock().advance(Duration::from_secs(5));
            acme.rename(&client.as_member(acme.fresh_jwt())).await.unwrap();
        }
        let counts = (acme.stytch.accepted(), acme.stytch.count(AUTHENTICATE));
        assert_eq!(counts, (120, authenticated), "{age:?}");
        assert!(fetches.contains(&outage.hits()), "{age:?}: {} fetches", outage.hits());
    }
}

#[tokio::test]
async fn rotation_under_made_up_kids_rejects_no_honest_member() {
    const INTERVAL: Duration = Duration::from_secs(1);
    let new = Key::generate();
    let fetches = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::clone(&fetches);
    let jwks = move |request: &Request, before: usize| {
        times.lock().unwrap().push(Instant::now());
        successful(request, before)
    };
    let (project, client, clock) =
        scripted(jwks, successful, |it| it.jwks_min_refetch_interval(INTERVAL)).await;
    client.warm_up().await.unwrap();
    accelerate_with(clock);
    let mut calls = Vec::new();
    for n in 0..20 {
        let made_up = jwt_of(&KEY.clone().with_kid(&format!("made-up-{n}")), n);
        if n == 5 {
            project.respond(JWKS, steps::json(200, &json!({"keys": [KEY.jwk(), new.jwk()]})));
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
        let kind = result.err().map(|error| error.kind());
        assert_eq!(kind, (!is_honest).then_some(InvalidSession));
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
        async move { client.as_member(session).connections().await.unwrap_err() }
    };
    sessions.map(call).collect()
}

fn unsigned(n: usize) -> Session {
    let header = json!({"alg": "RS256", "kid": format!("made-up-{n}")});
    Session::jwt(jwt::unsigned(&header, &claims()))
}

fn expired(n: usize) -> Session {
    let mut claims = claims_since(600);
    claims["sub"] = json!(format!("member-test-{n}"));
    Session::jwt(sign(&claims))
}

#[tokio::test]
async fn made_up_sessions_leave_a_quarter_of_the_permits_to_verified_jwts() {
    const CALLS: usize = 1_500;
    for is_token in [true, false] {
        // No request that hangs is retried.
        let (project, client, clock) = &scripted(successful, hang_if_made_up, |it| {
            it.attempt_timeout(LONG).operation_timeout(LONG).max_in_flight(8)
        })
        .await;
        let honest: Vec<_> = (0..20).map(expired).collect();
        let mut authenticated = 0;
        if !is_token {
            // Without keys, only sessions that were resolved before are known.
            for session in &honest {
                resolve(client, session.clone()).await;
            }
            authenticated = 20;
            project.respond(JWKS, html(503));
            clock.advance(HOUR);
        }
        let sessions = (0..CALLS).map(|n| if is_token { made_up(n) } else { unsigned(n) });
        let mut flood = flood(client, sessions);
        // Beyond 1,024 that wait, each fails at once.
        for _ in 0..CALLS - 6 - 1_024 {
            let error = flood.join_next().await.unwrap().unwrap();
            assert_not_applied(is_token, &error, Transport);
            let reason = "over 1,024 sessions wait for their first sessions/authenticate";
            assert_eq!((error.reason(), error.is_retryable()), (reason, true));
            assert_eq!(error.operation(), GetConnections);
        }
        until(|| project.authenticate_requests() == authenticated + 6).await;
        for session in honest {
            resolve(client, session).await;
        }
        assert_eq!(project.authenticate_requests(), authenticated + 6 + 20);
        assert_eq!(flood.len(), 6 + 1_024);
    }
}

/// A session that a member has used before is no made-up one, although the cache has forgotten its
/// organization.
#[tokio::test]
async fn token_that_was_resolved_before_is_not_queued_behind_made_up_ones() {
    let (project, client, clock) = scripted(successful, hang_if_made_up, |it| {
        it.attempt_timeout(LONG).operation_timeout(LONG).max_in_flight(4)
    })
    .await;
    resolve(&client, token()).await;
    let _flood = flood(&client, (0..100).map(made_up));
    until(|| project.authenticate_requests() == 1 + 3).await;
    clock.advance(HOUR);
    resolve(&client, token()).await;
    assert_eq!(project.authenticate_requests(), 1 + 3 + 1);
}

#[tokio::test]
async fn hanging_background_refresh_is_one_task() {
    let jwks = first([steps::json(200, &jwks())], hang);
    let (project, client, clock) = scripted(jwks, successful, |it| it).await;
    client.warm_up().await.unwrap();
    clock.advance(Duration::from_secs(5 * 60));
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    join_all((0..200).map(|n| resolve(&client, jwt(n)))).await;
    // The refresh, its connection, and the server's end of that.
    assert!(tasks() <= before + 5, "{before} tasks, then {}", tasks());
    until(|| project.jwks_requests() >= 2).await;
    project.assert_requests(2, 0);
    assert!(project.server.connections() <= 2);
}

#[tokio::test]
async fn late_joiners_start_one_more_request_for_all_of_them() {
    accelerate();
    for policy in [RetryPolicy::default(), RetryPolicy::disabled()] {
        let authenticate = first([vec![Step::Hang]], successful);
        let project = ScriptedProject::scripted(successful, authenticate, successful).await;
        let builder = project.builder().operation_timeout(Duration::from_secs(2)).retry(policy);
        let client = builder.build().unwrap();
        let joiners = async {
            sleep(Duration::from_millis(1500)).await;
            join_all((0..10).map(|_| resolve(&client, token()))).await;
        };
        let ((timed_out, _), ()) = tokio::join!(call(&client, token()), joiners);
        assert_not_applied("starter", &timed_out.unwrap_err(), Transport);
        assert_eq!(project.authenticate_requests(), 2);
    }
}

#[tokio::test]
async fn keys_are_fetched_while_all_session_permits_are_taken() {
    let (project, client, _) = scripted(successful, hang, |it| it.max_in_flight(1)).await;
    let token = client.as_member(token());
    let hanging = tokio::spawn(async move { token.organization_id().await });
    until(|| project.authenticate_requests() > 0).await;
    resolve(&client, jwt(0)).await;
    project.assert_requests(1, 1);
    hanging.abort();
}

#[tokio::test]
async fn callers_of_one_unverified_jwt_share_one_permit_and_one_request() {
    // A failure is not cached, so a caller that doesn't share it makes a request of its own.
    let slow = after(Duration::from_millis(50), |_: &Request, _: usize| html(500));
    // One permit for unverified JWTs.
    let (project, client, _) = scripted(always(html(503)), slow, |it| it.max_in_flight(1)).await;
    let sessions = [jwt(0), jwt(1)];
    let calls = (0..100).map(|n| call(&client, sessions[n % 2].clone()));
    for (result, _) in join_all(calls).await {
        let error = result.unwrap_err();
        assert_not_applied("both endpoints are down", &error, UnexpectedResponse);
        assert_eq!((error.operation(), error.status().unwrap().as_u16()), (AUTHENTICATE, 500));
    }
    assert_eq!(project.authenticate_requests(), 2);
}

/// JWTs that can't be verified have a queue of their own before that of `sessions/authenticate`.
#[tokio::test]
async fn unverified_jwts_that_nobody_waits_for_delay_no_other() {
    let (project, client, _) = scripted(always(html(503)), hang, |it| it.max_in_flight(1)).await;
    client.warm_up().await.unwrap_err();
    let sessions = [jwt(0), made_up(1), jwt(2), made_up(3)];
    let queue = async |session: &Session| {
        let member = client.as_member(session.clone());
        let call = tokio::spawn(async move { member.organization_id().await }).abort_handle();
        yield_often().await;
        call
    };
    let sent = async |number| {
        until(|| project.authenticate_requests() == number).await;
        yield_often().await;
    };

    let mut calls = vec![queue(&sessions[0]).await];
    sent(1).await;
    calls.push(queue(&sessions[1]).await);
    for n in 0..20 {
        let gone = client.as_member(jwt(100 + n));
        // Polled until it is queued, as for a client that disconnects then.
        let mut call = Box::pin(gone.organization_id());
        assert!(call.as_mut().now_or_never().is_none());
        yield_often().await;
    }
    calls.push(queue(&sessions[2]).await);
    calls[0].abort();
    sent(2).await;
    calls.push(queue(&sessions[3]).await);
    for n in [1, 2] {
        calls[n].abort();
        sent(n + 2).await;
    }

    let requests = project.server.requests();
    let requests = requests.iter().filter(|request| request.method == "POST");
    let in_order: Vec<_> = requests
        .zip(&sessions)
        .map(|(sent, session)| {
            String::from_utf8_lossy(&sent.body).contains(session.expose_secret())
        })
        .collect();
    assert_eq!(in_order, [true; 4]);
}

/// Lets every task of the runtime run that can.
async fn yield_often() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn queued_jwts_are_verified_once_keys_are_there() {
    let slow = after(Duration::from_millis(100), successful);
    let (project, client, clock) =
        scripted(always(html(503)), slow, |it| it.max_in_flight(1)).await;
    // The first one takes the only permit; the others wait for it.
    let calls = join_all((0..20).map(|n| resolve(&client, jwt(n))));
    // Of another organization than the responses.
    let mut claims = claims_since(600);
    claims["https://stytch.com/organization"]["organization_id"] = json!("organization-test-other");
    let expired = client.as_member(Session::jwt(sign(&claims)));
    let recovery = async {
        until(|| project.authenticate_requests() > 0).await;
        let mut queued = pin!(expired.organization_id());
        assert!((&mut queued).now_or_never().is_none());
        project.respond(JWKS, steps::json(200, &jwks()));
        clock.advance(Duration::from_secs(30));
        client.warm_up().await.unwrap();
        queued.await.unwrap_err()
    };
    let (_, error) = tokio::join!(calls, recovery);
    // No unverified JWT reached Stytch while keys were cached. The expired one did, and the response
    // was compared with its claims.
    assert_eq!(error.reason(), "the response is about another session");
    assert_eq!(project.authenticate_requests(), 2);
}

/// The error of each kind of call, at a client with these settings. Each has a source, and a reason
/// that begins with this text.
async fn assert_errors_of_each_call(client: &Client, reason: &str) {
    // Known, so that the update itself is sent.
    let member = client.as_member(jwt(0));
    let update = rename("Acme");
    let other = client.as_member(Session::token("tOkEn"));
    let shared = client.as_member(token());
    let (updated, listed, resolved, shared) = tokio::join!(
        member.update_connection(CONNECTION, &update),
        member.connections(),
        other.organization_id(),
        join_all((0..10).map(|_| shared.organization_id())),
    );
    let mut errors = vec![
        (UPDATE, updated.unwrap_err()),
        (LIST, listed.unwrap_err()),
        (AUTHENTICATE, resolved.unwrap_err()),
    ];
    errors.extend(shared.into_iter().map(|result| (AUTHENTICATE, result.unwrap_err())));
    for (operation, error) in errors {
        assert!(error.reason().starts_with(reason), "{operation}, {reason}: {error:?}");
        assert!(std::error::Error::source(&error).is_some(), "{operation}: {error:?}");
        assert!(error.attempts() >= 1 && error.is_retryable(), "{operation}: {error:?}");
        if reason.contains("connecting") {
            assert_not_applied(operation, &error, Transport);
        } else {
            assert_eq!(error.operation(), operation);
        }
    }
}

#[tokio::test]
async fn error_that_the_deadline_ends_has_the_cause_of_the_last_attempt() {
    let project = ScriptedProject::successful().await;
    for operation in [LIST, AUTHENTICATE, UPDATE] {
        project.respond(operation, vec![Step::Hang]);
    }
    accelerate();
    let while_waiting = "timed out while waiting for the response";
    let cut = format!("{while_waiting}; operation_timeout elapsed");
    // With the longer one there is no time left to wait for a further attempt.
    for (attempt_timeout, reason) in
        [(Duration::from_millis(400), while_waiting), (Duration::from_secs(9), &cut)]
    {
        let builder = project.builder().attempt_timeout(attempt_timeout);
        let builder = builder.operation_timeout(Duration::from_secs(2));
        let client = builder.retry(RetryPolicy::default().max_attempts(9)).build().unwrap();
        client.warm_up().await.unwrap();
        assert_errors_of_each_call(&client, reason).await;
    }
}

/// A host that accepts no connections: its backlog is full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn error_of_a_host_that_accepts_no_connections_says_so() {
    let mut server = ScriptedServer::start(successful).await;
    let _queue = server.stall().await;
    accelerate();
    for connect_timeout in [Duration::from_millis(500), Duration::from_secs(9)] {
        let builder = builder(&server.url()).connect_timeout(connect_timeout);
        let client = builder.operation_timeout(Duration::from_secs(2)).build().unwrap();
        assert_errors_of_each_call(&client, "timed out while connecting").await;
    }
}

#[tokio::test]
async fn jwks_retry_after_is_honored() {
    accelerate();
    let late = Duration::from_millis(2_500);
    for wait in [Duration::ZERO, late] {
        let limited = steps::http(429, "retry-after: 20\r\n", steps::HTML);
        let limited = [vec![Step::Wait(wait)], limited].concat();
        let (project, client, clock) =
            scripted(first([limited], successful), successful, |it| it).await;
        let error = client.warm_up().await.unwrap_err();
        if wait == late {
            assert_not_applied("late", &error, Transport);
        }
        // Nobody waits for a late response, but the next calls return its error.
        let status = async || client.warm_up().await.unwrap_err().status();
        wait::some("the response is not used", status).await;
        clock.advance(Duration::from_secs(19));
        assert_eq!(client.warm_up().await.unwrap_err().status().unwrap(), 429, "{wait:?}");
        assert_eq!(project.jwks_requests(), 1, "{wait:?}");
        clock.advance(Duration::from_secs(1));
        client.warm_up().await.unwrap();
        assert_eq!(project.jwks_requests(), 2, "{wait:?}");
    }
}

#[tokio::test]
async fn keys_are_refreshed_before_a_short_maximum_age_ends() {
    let acme = Acme::new();
    let minute = Duration::from_secs(60);
    // The last setting counts.
    let client = acme.client_with(|it| it.jwks_max_stale(minute / 60).jwks_max_stale(minute));
    for (seconds, fetches) in [(0, 1), (29, 1), (1, 2)] {
        acme.stytch.clock().advance(Duration::from_secs(seconds));
        acme.resolve(&client, Session::jwt(acme.ada.fresh_jwt())).await;
        until(|| acme.stytch.count(JWKS) >= fetches).await;
        assert_eq!(acme.stytch.count(JWKS), fetches);
    }
}
