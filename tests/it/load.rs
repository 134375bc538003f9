//! Many concurrent callers, with requests counted at the server: shared requests are sent
//! once, also if they fail, and no update is lost.

use std::task::Poll;

use tokio::task::yield_now;

use crate::support::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_first_updates_fetch_the_keys_once_and_lose_nothing() {
    const UPDATES: usize = 1_000;
    if !child::is_alone(a_thousand_first_updates_fetch_the_keys_once_and_lose_nothing).await {
        return;
    }
    // Without the cap on what is in flight, so many connections would exceed this.
    let (_, hard) = rlimit::Resource::NOFILE.get().unwrap();
    rlimit::Resource::NOFILE.set(512.min(hard), hard).unwrap();
    let acme = Acme::new();
    // The wait for a permit counts against the operation timeout.
    let client = acme.client_with(|it| it.operation_timeout(300 * SECOND));
    let member = |n| acme.organization.member(&format!("m{n}"), &["stytch_admin"]).log_in().jwt();
    let jwts: Vec<_> = (0..100).map(member).collect();
    let sessions = jwts.iter().cycle().take(UPDATES).map(Session::jwt);
    acme.rename_all(&client, sessions).await;
    acme.assert_counts(1, 0, UPDATES as u64);
    assert_eq!(acme.stytch.accepted(), UPDATES as u64);
}

#[tokio::test]
async fn flood_of_made_up_kids_reaches_no_authenticate_and_delays_nobody() {
    if !child::is_alone(flood_of_made_up_kids_reaches_no_authenticate_and_delays_nobody).await {
        return;
    }
    accelerate();
    for outage in [None, Some(Fault::status(503)), Some(Fault::delay(LONG))] {
        flood(outage).await;
    }
}

/// Thousands of JWTs with made-up `kid`s, of which 1,024 wait until the end.
async fn flood(outage: Option<Fault>) {
    let (acme, client) =
        Acme::with_client(|it| it.jwks_min_refetch_interval(LONG).operation_timeout(LONG));
    client.warm_up().await.unwrap();
    let outage = outage.map(|outage| acme.stytch.fault(GetJwks, outage));
    let tail = acme.ada.jwt().split_once('.').unwrap().1.to_owned();
    let call = |n: usize| {
        let header = format!(r#"{{"alg":"RS256","kid":"made-up-{n}"}}"#);
        let jwt = format!("{}.{tail}", BASE64_URL_SAFE_NO_PAD.encode(header));
        let member = client.as_member(Session::jwt(jwt));
        async move { member.organization_id().await.unwrap_err() }
    };
    // The first one starts a fetch; whether it decides depends on the response.
    let began = Instant::now();
    let first = call(0).await;
    assert!(began.elapsed() < 10 * SECOND);
    assert_eq!(first.kind() == InvalidSession, outage.is_none(), "{first:?}");
    let waiting: Vec<_> = (1..=1_024).map(|n| tokio::spawn(call(n))).collect();
    // Each lets at least one of them run up to where it waits.
    for _ in 0..2 * waiting.len() {
        yield_now().await;
    }
    #[cfg(target_os = "linux")]
    let before = process::memory();
    for n in 2_000..7_000 {
        assert_undecided(&call(n).await);
        if n % 1_000 == 0 {
            acme.resolve(&client, acme.fresh_jwt()).await;
        }
    }
    #[cfg(target_os = "linux")]
    {
        let (memory, limit) = (process::memory(), before + 5 * 1024 * 1024);
        assert!(memory < limit, "{memory} bytes of memory, limit {limit}");
    }
    assert!(waiting.iter().all(|call| !call.is_finished()));
    acme.assert_counts(2, 0, 0);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

/// The error of a JWT with an unknown `kid` for which there is no newer key set.
#[track_caller]
fn assert_undecided(error: &Error) {
    assert_not_applied("undecided", error, Transport);
    assert_eq!((error.operation(), error.is_retryable()), (GetJwks, true), "{error:?}");
}

#[tokio::test]
async fn callers_of_a_token_or_of_a_failed_fetch_share_one_authenticate() {
    let acme = Acme::new();
    let _ = acme.stytch.fault(GetJwks, Fault::status(503)).times(20);
    // Of the keys one request without retries, not one for each caller.
    for (session, (jwks, authenticate, updates)) in
        [(acme.token(), (0, 1, 300)), (acme.jwt(), (1, 2, 600))]
    {
        acme.rename_all(&acme.stytch.client(), (0..300).map(|_| session.clone())).await;
        acme.assert_counts(jwks, authenticate, updates);
    }
}

#[tokio::test]
async fn failed_fetch_is_remembered_until_the_backoff_ends() {
    let acme = Acme::new();
    let outage = acme.stytch.fault(GetJwks, Fault::status(503));
    let client = acme.client_without_retries();
    for _ in 0..3 {
        let error = client.warm_up().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 503);
    }
    acme.assert_counts(1, 0, 0);
    outage.clear();
    client.warm_up().await.unwrap_err();
    acme.advance(1);
    client.warm_up().await.unwrap();
    acme.resolve(&client, acme.jwt()).await;
    acme.assert_counts(2, 0, 0);
}

#[tokio::test]
async fn keys_rotate_in_the_middle_of_traffic() {
    let (acme, client) = Acme::with_client(|it| it);
    for round in 1..=2 {
        acme.rename_all(&client, (0..50).map(|_| acme.fresh_jwt())).await;
        acme.assert_counts(round, 0, 50 * round);
        acme.stytch.rotate_keys();
        acme.advance(31);
    }
}

#[tokio::test]
async fn refetch_that_all_callers_dropped_rejects_no_rotated_key() {
    let acme = Acme::new();
    // Generating a key for each round would take most of the time.
    let old = Response::json(200, &responses::jwks(&[acme.stytch.key()]));
    acme.stytch.rotate_keys();
    for polls in 1..8 {
        let client = acme.stytch.client();
        acme.fault(GetJwks, Fault::response(old.clone()));
        client.warm_up().await.unwrap();
        let member = client.as_member(acme.fresh_jwt());
        let _ = dropped_after(polls, member.organization_id()).await;
        let id = member.organization_id().await;
        assert_eq!(id.unwrap(), acme.organization.id(), "{polls} polls");
    }
}

#[tokio::test]
async fn unknown_kid_is_retryable_while_fetches_fail() {
    let (acme, client) = Acme::with_client(|it| it);
    client.warm_up().await.unwrap();
    let outage = acme.stytch.fault(GetJwks, Fault::status(503));
    let tail = acme.ada.jwt().split_once('.').unwrap().1.to_owned();
    let head = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"made-up"}"#);
    let member = client.as_member(Session::jwt(format!("{head}.{tail}")));
    assert_undecided(&acme.rename(&member).await.unwrap_err());
    acme.assert_counts(2, 0, 0);
    outage.clear();
    acme.advance(5);
    let error = member.organization_id().await.unwrap_err();
    assert_eq!(error.kind(), InvalidSession, "{error:?}");
    acme.assert_counts(3, 0, 0);
}

#[tokio::test]
async fn revoked_session_is_rejected_and_authenticated_again() {
    let acme = Acme::new();
    let member = acme.stytch.client().as_member(acme.token());
    acme.rename(&member).await.unwrap();
    acme.ada.revoke();
    for (authenticated, updates) in [(1, 2), (2, 2)] {
        let error = acme.rename(&member).await.unwrap_err();
        assert_eq!(facts(&error), (InvalidSession, Some(404), NotApplied), "{error:?}");
        acme.assert_counts(0, authenticated, updates);
    }
}

#[tokio::test]
async fn sessions_beyond_the_cache_capacity_are_evicted() {
    let (acme, client) = Acme::with_client(|it| it.session_cache_capacity(10));
    let sessions: Vec<_> = (0..40).map(|_| acme.another_token()).collect();
    for session in sessions.iter().chain(&sessions) {
        acme.resolve(&client, session.clone()).await;
    }
    assert!(acme.stytch.count(AuthenticateSession) >= 70);
}

#[tokio::test]
async fn session_is_authenticated_while_updates_use_all_permits() {
    let (acme, client) = Acme::with_client(|it| it.max_in_flight(1));
    let hang = acme.stytch.fault(UPDATE, Fault::delay(20 * SECOND));
    let member = client.as_member(acme.jwt());
    let resolved = async {
        until(|| hang.hits() > 0).await;
        // The one update permit is taken; this must not wait for it.
        acme.resolve(&client, acme.token()).await
    };
    tokio::select! {
        _ = acme.rename(&member) => panic!("the update was to be held"),
        _ = resolved => {}
    }
    acme.assert_counts(1, 1, 1);
}

#[tokio::test]
async fn callers_beyond_max_in_flight_are_queued_in_order() {
    let (acme, client) = Acme::with_client(|it| it.max_in_flight(1));
    client.warm_up().await.unwrap();
    let names: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    let calls = names.iter().map(|name| {
        let (member, update) = (client.as_member(acme.jwt()), rename(name));
        let id = acme.connection.id();
        async move { member.update_connection(id, &update).await.unwrap() }
    });
    join_all(calls).await;
    let updates = acme.stytch.updates().into_iter();
    let sent: Vec<_> = updates.map(|update| update.body["display_name"].clone()).collect();
    assert_eq!(sent, names);
}

#[tokio::test]
async fn sixty_four_updates_are_in_flight_by_default() {
    let acme = Acme::new();
    // Longer than the test, so that no hanging request is retried.
    let client = acme.client_with(|it| it.attempt_timeout(LONG).operation_timeout(LONG));
    acme.resolve(&client, acme.jwt()).await;
    let hang = acme.stytch.fault(UPDATE, Fault::delay(LONG));
    let send = || {
        let (member, id) = (client.as_member(acme.jwt()), acme.connection.id().to_owned());
        async move { member.update_connection(&id, &rename("Renamed")).await }
    };
    let mut updates = JoinSet::new();
    let first = updates.spawn(send());
    for _ in 0..64 {
        updates.spawn(send());
    }
    until(|| hang.hits() == 64).await;
    // A round trip, in which the last one would have been sent.
    client.warm_up().await.unwrap();
    assert_eq!(hang.hits(), 64);
    first.abort();
    until(|| hang.hits() == 65).await;
}

#[tokio::test]
async fn jwt_seen_before_needs_no_keys() {
    let (acme, client) = Acme::with_client(|it| it.jwks_max_stale(60 * SECOND));
    acme.resolve(&client, acme.jwt()).await;
    acme.advance(120);
    acme.resolve(&client, acme.jwt()).await;
    acme.assert_counts(1, 0, 0);
    acme.resolve(&client, acme.fresh_jwt()).await;
    acme.assert_counts(2, 0, 0);
}

#[tokio::test]
async fn renewed_jwt_is_cached() {
    let (acme, client) = Acme::with_client(|it| it.retry(RetryPolicy::disabled()));
    acme.fault(GetJwks, Fault::status(503));
    let session = acme.jwt();
    acme.advance(1);
    let member = client.as_member(session.clone());
    member.organization_id().await.unwrap();
    assert!(member.session() != session);
    acme.resolve(&client, member.session()).await;
    assert_eq!(acme.stytch.count(AuthenticateSession), 1);
}

#[tokio::test]
async fn outcome_stays_unknown_after_a_rejected_retry() {
    let acme = Acme::new();
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
    let client = acme.client_with(|it| it.session_cache_ttl(Duration::ZERO).retry(policy));
    acme.fault(UPDATE, Fault::status(503));
    let (ada, organization) = (acme.ada.clone(), acme.organization.id().to_owned());
    let ended = Fault::respond(move |_| {
        // Between the first attempt and the second.
        ada.revoke();
        Response::json(200, &responses::authenticated(&organization, &ada.token(), "jwt"))
    });
    acme.fault(AuthenticateSession, ended);
    let error = acme.rename(&client.as_member(acme.token())).await.unwrap_err();
    assert_eq!(facts(&error), (InvalidSession, Some(404), Unknown), "{error:?}");
    acme.assert_counts(0, 2, 1);
}

#[tokio::test]
async fn queued_updates_do_not_starve_authenticate() {
    let (acme, client) = Acme::with_client(|it| it.max_in_flight(1));
    let sessions = (0..20).map(|_| acme.another_token()).chain([acme.jwt()]);
    acme.rename_all(&client, sessions).await;
    acme.assert_counts(1, 20, 21);
}

#[tokio::test]
async fn call_dropped_at_any_point_blocks_no_other() {
    let acme = Acme::new();
    for polls in 0..12 {
        for session in [acme.fresh_jwt(), acme.token()] {
            let client = acme.client_with(|it| it.max_in_flight(1));
            let rename = async |polls| {
                dropped_after(polls, acme.rename(&client.as_member(session.clone()))).await
            };
            // Of the eight callers of a shared request, the even ones are dropped early.
            let calls = (0..8).map(|n| rename(if n % 2 == 0 { polls } else { usize::MAX }));
            let outcomes = join_all(calls).await;
            assert!(outcomes.iter().flatten().all(Result::is_ok), "{outcomes:?}");
            rename(usize::MAX).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn dropped_shared_request_is_followed_by_a_new_one() {
    let (acme, client) = Acme::with_client(|it| it);
    for polls in 1..6 {
        let session = acme.another_token();
        for _ in 0..3 {
            let member = client.as_member(session.clone());
            let outcome = dropped_after(polls, member.organization_id()).await;
            assert!(outcome.is_none_or(|outcome| outcome.is_ok()));
        }
        acme.resolve(&client, session).await;
    }
}

/// Polls a future so many times, then drops it.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}
