//! Many concurrent callers, with requests counted at the server: shared requests are sent
//! once, also if they fail, and no update is lost.

use std::{
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use stytch_sso_external::{
    Client, Error, ErrorKind, Operation, Outcome, RetryPolicy, Session,
    testing::{Fault, Response, responses},
    types::UpdateExternalConnectionRequest,
};

#[cfg(target_os = "linux")]
use crate::support::process;
use crate::support::{
    acme::Acme, child, fast_time::accelerate, scripted_project::rename, wait::until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_first_updates_fetch_the_keys_once_and_lose_nothing() {
    if !child::is_alone("load::three_thousand_first_updates_fetch_the_keys_once_and_lose_nothing")
        .await
    {
        return;
    }
    // Without the cap on what is in flight, 3,000 connections would exceed this.
    let (_, hard) = rlimit::Resource::NOFILE.get().unwrap();
    rlimit::Resource::NOFILE.set(1024.min(hard), hard).unwrap();
    let acme = Acme::new();
    let connection_id = acme.connection.id();
    // The wait for a permit counts against the operation timeout.
    let client =
        acme.stytch.client_builder().operation_timeout(Duration::from_secs(300)).build().unwrap();
    let jwts: Vec<_> = (0..300)
        .map(|n| acme.organization.member(&format!("m{n}"), ADMIN).log_in().jwt())
        .collect();

    let mut calls: FuturesUnordered<_> = (0..3_000)
        .map(|n| {
            let (member, update) =
                (client.as_member(Session::jwt(&jwts[n % 300])), rename("Renamed"));
            async move { member.update_connection(connection_id, &update).await }
        })
        .collect();
    while let Some(outcome) = calls.next().await {
        outcome.unwrap();
    }
    acme.assert_counts(1, 0, 3_000);
    assert_eq!(acme.stytch.accepted(), 3_000);
}

#[tokio::test]
async fn thousand_first_updates_with_one_token_authenticate_once() {
    let acme = Acme::new();
    let client = acme.stytch.client();
    let outcomes =
        acme.update_all(&client, (0..1_000).map(|_| Session::token(acme.ada.token()))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    acme.assert_counts(0, 1, 1_000);
}

#[tokio::test]
async fn expired_jwt_is_renewed_once_for_all_its_callers() {
    let acme = Acme::new();
    let jwt = acme.ada.jwt();
    acme.stytch.clock().advance(Duration::from_secs(301));
    let client = acme.stytch.client();
    let outcomes = acme.update_all(&client, (0..100).map(|_| Session::jwt(&jwt))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    acme.assert_counts(1, 1, 100);

    let member = client.as_member(Session::jwt(&jwt));
    member.organization_id().await.unwrap();
    let renewed = member.session();
    let requests = acme.stytch.requests();
    let updates = requests
        .iter()
        .filter(|request| request.operation == Some(Operation::UpdateExternalConnection));
    assert!(
        updates
            .clone()
            .all(|update| update.carries(renewed.expose_secret()) && !update.carries(&jwt))
    );
    assert_eq!(updates.count(), 100);
}

#[tokio::test]
async fn flood_of_made_up_kids_reaches_no_authenticate_and_delays_nobody() {
    const TEST: &str = "load::flood_of_made_up_kids_reaches_no_authenticate_and_delays_nobody";
    if !child::is_alone(TEST).await {
        return;
    }
    let hanging = || Fault::delay(Duration::from_secs(600));
    for outage in [None, Some(Fault::status(503)), Some(hanging())] {
        flood(outage).await;
    }
}

/// 10,000 JWTs with made-up `kid`s, of which 1,024 wait until the end.
async fn flood(outage: Option<Fault>) {
    let acme = Acme::new();
    let interval = Duration::from_secs(600);
    let builder = acme.stytch.client_builder().jwks_min_refetch_interval(interval);
    let client = builder.operation_timeout(interval).build().unwrap();
    client.warm_up().await.unwrap();
    let outage = outage.map(|outage| acme.stytch.fault(Operation::GetJwks, outage));
    let tail = acme.ada.jwt().split_once('.').unwrap().1.to_owned();
    let call = |n: usize| {
        let header = format!(r#"{{"alg":"RS256","kid":"made-up-{n}"}}"#);
        let jwt = format!("{}.{tail}", BASE64_URL_SAFE_NO_PAD.encode(header));
        let member = client.as_member(Session::jwt(jwt));
        async move { member.organization_id().await.unwrap_err() }
    };
    let honest_call = async || {
        let member = client.as_member(Session::jwt(acme.ada.fresh_jwt()));
        member.organization_id().await.unwrap();
    };
    // The first one starts a fetch; whether it decides depends on the response.
    let began = Instant::now();
    let first = call(0).await;
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(first.kind() == ErrorKind::InvalidSession, outage.is_none(), "{first:?}");
    let waiting: Vec<_> = (1..=1_024).map(|n| tokio::spawn(call(n))).collect();
    // Each lets at least one of them run up to where it waits.
    for _ in 0..2 * waiting.len() {
        tokio::task::yield_now().await;
    }
    #[cfg(target_os = "linux")]
    let before = process::memory();
    for n in 2_000..11_000 {
        assert_undecided(&call(n).await);
        if n % 2_000 == 0 {
            honest_call().await;
        }
    }
    #[cfg(target_os = "linux")]
    assert_memory_is_below(before + 10 * 1024 * 1024);
    assert!(waiting.iter().all(|call| !call.is_finished()));
    acme.assert_counts(2, 0, 0);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[cfg(target_os = "linux")]
fn assert_memory_is_below(limit: u64) {
    let memory = process::memory();
    assert!(memory < limit, "{memory} bytes of memory, limit {limit}");
}

/// The error of a JWT with an unknown `kid` for which there is no newer key set.
fn assert_undecided(error: &Error) {
    assert!(error.kind() == ErrorKind::Transport && error.is_retryable(), "{error:?}");
    let about = (error.operation(), error.outcome());
    assert_eq!(about, (Operation::GetJwks, Outcome::NotApplied));
}

#[tokio::test]
async fn callers_of_a_failed_fetch_share_one_authenticate() {
    let acme = Acme::new();
    let _ = acme.stytch.fault(Operation::GetJwks, Fault::status(503)).times(20);
    let jwt = acme.ada.jwt();
    let client = acme.client(RetryPolicy::default().max_attempts(3));
    let outcomes = acme.update_all(&client, (0..200).map(|_| Session::jwt(&jwt))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    // One request without retries, not one for each caller.
    acme.assert_counts(1, 1, 200);
}

#[tokio::test]
async fn failed_fetch_is_remembered_until_the_backoff_ends() {
    let acme = Acme::new();
    let outage = acme.stytch.fault(Operation::GetJwks, Fault::status(503));
    let client = acme.client(RetryPolicy::disabled());
    for _ in 0..3 {
        let error = client.warm_up().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 503);
    }
    acme.assert_counts(1, 0, 0);
    outage.clear();
    client.warm_up().await.unwrap_err();
    acme.stytch.clock().advance(Duration::from_secs(1));
    client.warm_up().await.unwrap();
    client.as_member(Session::jwt(acme.ada.jwt())).organization_id().await.unwrap();
    acme.assert_counts(2, 0, 0);
}

#[tokio::test]
async fn keys_rotate_in_the_middle_of_traffic() {
    let acme = Acme::new();
    let client = acme.stytch.client();
    for round in 1..=3 {
        let jwts: Vec<_> = (0..50).map(|_| acme.ada.fresh_jwt()).collect();
        let outcomes = acme.update_all(&client, jwts.iter().map(Session::jwt)).await;
        assert!(outcomes.iter().all(Result::is_ok), "round {round}");
        acme.assert_counts(round, 0, 50 * round);
        acme.stytch.rotate_keys();
        acme.stytch.clock().advance(Duration::from_secs(31));
    }
}

#[tokio::test]
async fn refetch_that_all_callers_dropped_rejects_no_rotated_key() {
    let acme = Acme::new();
    for polls in 1..8 {
        let client = acme.stytch.client();
        client.warm_up().await.unwrap();
        acme.stytch.rotate_keys();
        let member = client.as_member(Session::jwt(acme.ada.fresh_jwt()));
        let _ = dropped_after(polls, member.organization_id()).await;
        assert_eq!(
            member.organization_id().await.unwrap(),
            acme.organization.id(),
            "{polls} polls"
        );
    }
}

#[tokio::test]
async fn unknown_kid_is_retryable_while_fetches_fail() {
    let acme = Acme::new();
    let client = acme.client(RetryPolicy::default().max_attempts(5));
    client.warm_up().await.unwrap();
    let outage = acme.stytch.fault(Operation::GetJwks, Fault::status(503));
    let tail = acme.ada.jwt().split_once('.').unwrap().1.to_owned();
    let head = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"made-up"}"#);
    let member = client.as_member(Session::jwt(format!("{head}.{tail}")));
    let error =
        member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Transport && error.is_retryable(), "{error:?}");
    assert_eq!((error.operation(), error.outcome()), (Operation::GetJwks, Outcome::NotApplied));
    acme.assert_counts(2, 0, 0);
    outage.clear();
    acme.stytch.clock().advance(Duration::from_secs(5));
    let error = member.organization_id().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
    acme.assert_counts(3, 0, 0);
}

#[tokio::test]
async fn cached_keys_are_used_in_an_outage_of_ten_minutes() {
    let acme = Acme::new();
    let client = acme.client(RetryPolicy::disabled());
    client.warm_up().await.unwrap();
    let outage = acme.stytch.fault(Operation::GetJwks, Fault::status(503));
    for _ in 0..60 {
        acme.stytch.clock().advance(Duration::from_secs(10));
        let member = client.as_member(Session::jwt(acme.ada.fresh_jwt()));
        member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap();
    }
    assert_eq!(acme.stytch.count(Operation::AuthenticateSession), 0);
    assert_eq!(acme.stytch.accepted(), 60);
    // Stale for five minutes, they were fetched by the backoff and not with each call.
    assert!(
        (6..=18).contains(&acme.stytch.count(Operation::GetJwks)),
        "{}",
        acme.stytch.count(Operation::GetJwks)
    );
    outage.clear();
}

#[tokio::test]
async fn stale_keys_are_used_at_once_and_refreshed_once_in_the_background() {
    let acme = Acme::new();
    let client = acme.stytch.client();
    client.warm_up().await.unwrap();
    acme.stytch.clock().advance(Duration::from_secs(5 * 60));
    for _ in 0..10 {
        client.as_member(Session::jwt(acme.ada.fresh_jwt())).organization_id().await.unwrap();
    }
    let refreshed = || acme.stytch.count(Operation::GetJwks) == 2;
    until(refreshed).await;
    // Waits for the refresh where it is still under way, and else makes one of its own.
    client.warm_up().await.unwrap();
    let fetched = acme.stytch.count(Operation::GetJwks);
    assert!(fetched <= 3);

    // Keys older than an hour are not used.
    let _ = acme.stytch.fault(Operation::GetJwks, Fault::status(500));
    acme.stytch.clock().advance(Duration::from_secs(60 * 60));
    client.as_member(Session::jwt(acme.ada.fresh_jwt())).organization_id().await.unwrap();
    acme.assert_counts(fetched + 1, 1, 0);
}

#[tokio::test]
async fn revoked_session_is_rejected_and_authenticated_again() {
    let acme = Acme::new();
    let client = acme.stytch.client();
    let member = client.as_member(Session::token(acme.ada.token()));
    member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap();
    acme.ada.revoke();
    for (authenticated, updates) in [(1, 2), (2, 2)] {
        let error =
            member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
        acme.assert_counts(0, authenticated, updates);
    }
}

#[tokio::test]
async fn token_is_authenticated_again_after_the_cache_ttl() {
    let acme = Acme::new();
    let client =
        acme.stytch.client_builder().session_cache_ttl(Duration::from_secs(60)).build().unwrap();
    let member = client.as_member(Session::token(acme.ada.token()));
    for (elapsed, authenticated) in [(0, 1), (59, 1), (1, 2)] {
        acme.stytch.clock().advance(Duration::from_secs(elapsed));
        member.organization_id().await.unwrap();
        acme.assert_counts(0, authenticated, 0);
    }
}

#[tokio::test]
async fn sessions_beyond_the_cache_capacity_are_evicted() {
    let acme = Acme::new();
    let client = acme.stytch.client_builder().session_cache_capacity(10).build().unwrap();
    let tokens: Vec<_> =
        (0..100).map(|_| acme.organization.member("m", ADMIN).log_in().token()).collect();
    for token in tokens.iter().chain(&tokens) {
        client.as_member(Session::token(token)).organization_id().await.unwrap();
    }
    assert!(acme.stytch.count(Operation::AuthenticateSession) >= 190);
}

#[tokio::test]
async fn timeout_while_queued_for_a_permit_sends_nothing() {
    let acme = Acme::new();
    let builder = || acme.stytch.client_builder().max_in_flight(1).retry(RetryPolicy::disabled());
    let client = builder().operation_timeout(Duration::from_secs(5)).build().unwrap();
    let member = client.as_member(Session::token(acme.ada.token()));
    member.organization_id().await.unwrap();
    let update = Operation::UpdateExternalConnection;
    let hang = acme.stytch.fault(update, Fault::delay(Duration::from_secs(600)));
    let renamed = rename("Renamed");
    let mut first = pin!(member.update_connection(acme.connection.id(), &renamed));
    tokio::select! {
        _ = &mut first => panic!("the first update was to be held"),
        () = until(|| hang.hits() > 0) => {}
    }
    // As long as nobody polls it, the first one keeps its permit.
    accelerate();
    let second = member.update_connection(acme.connection.id(), &renamed).await;
    let errors = [first.await.unwrap_err(), second.unwrap_err()];
    assert_eq!(errors.each_ref().map(Error::outcome), [Outcome::Unknown, Outcome::NotApplied]);
    assert!(errors[1].reason().starts_with("operation_timeout elapsed while "), "{}", errors[1]);
    let about = (errors[1].operation(), errors[1].attempts());
    assert_eq!(about, (Operation::UpdateExternalConnection, 0));
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 1);
}

#[tokio::test]
async fn session_is_authenticated_while_updates_use_all_permits() {
    let acme = Acme::new();
    let client = acme.stytch.client_builder().max_in_flight(1).build().unwrap();
    let _ = acme
        .stytch
        .fault(Operation::UpdateExternalConnection, Fault::delay(Duration::from_secs(20)))
        .times(1);
    let (member, update) = (client.as_member(Session::jwt(acme.ada.jwt())), rename("Renamed"));
    let mut held = pin!(member.update_connection(acme.connection.id(), &update));
    let sent = until(|| acme.stytch.count(Operation::UpdateExternalConnection) == 1);
    tokio::select! {
        _ = &mut held => panic!("the update was to be held"),
        () = sent => {}
    }
    // The one update permit is taken; this must not wait for it.
    let other = client.as_member(Session::token(acme.ada.token()));
    tokio::select! {
        _ = &mut held => panic!("the update was to be held"),
        organization = other.organization_id() => assert_eq!(organization.unwrap(), acme.organization.id()),
    }
    acme.assert_counts(1, 1, 1);
}

#[tokio::test]
async fn callers_beyond_max_in_flight_are_queued_in_order() {
    let acme = Acme::new();
    let client = acme.stytch.client_builder().max_in_flight(1).build().unwrap();
    client.warm_up().await.unwrap();
    let jwt = acme.ada.jwt();
    let calls = (0..20).map(|n| {
        let member = client.as_member(Session::jwt(&jwt));
        let update = UpdateExternalConnectionRequest::default().display_name(format!("{n}"));
        let id = acme.connection.id();
        async move { member.update_connection(id, &update).await.unwrap() }
    });
    join_all(calls).await;
    let updates = acme.stytch.updates();
    let names: Vec<_> = updates.iter().map(|update| update.body["display_name"].clone()).collect();
    assert_eq!(names, (0..20).map(|n| format!("{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn sixty_four_updates_are_in_flight_by_default() {
    let acme = Acme::new();
    // Longer than the test, so that no hanging request is retried.
    let long = Duration::from_secs(600);
    let builder = acme.stytch.client_builder().attempt_timeout(long).operation_timeout(long);
    let client = builder.build().unwrap();
    client.as_member(Session::jwt(acme.ada.jwt())).organization_id().await.unwrap();
    let update = Operation::UpdateExternalConnection;
    let _ = acme.stytch.fault(update, Fault::delay(long));
    let mut updates = tokio::task::JoinSet::new();
    let send = || {
        let member = client.as_member(Session::jwt(acme.ada.jwt()));
        let id = acme.connection.id().to_owned();
        async move { member.update_connection(&id, &rename("Renamed")).await.map(|_| ()) }
    };
    let first = updates.spawn(send());
    for _ in 0..64 {
        updates.spawn(send());
    }
    until(|| acme.stytch.count(update) == 64).await;
    // A round trip, in which the last one would have been sent.
    client.warm_up().await.unwrap();
    assert_eq!(acme.stytch.count(update), 64);
    first.abort();
    until(|| acme.stytch.count(update) == 65).await;
}

#[tokio::test]
async fn jwt_seen_before_needs_no_keys() {
    let acme = Acme::new();
    let client =
        acme.stytch.client_builder().jwks_max_stale(Duration::from_secs(60)).build().unwrap();
    let jwt = acme.ada.jwt();
    client.as_member(Session::jwt(&jwt)).organization_id().await.unwrap();
    acme.stytch.clock().advance(Duration::from_secs(120));
    client.as_member(Session::jwt(&jwt)).organization_id().await.unwrap();
    acme.assert_counts(1, 0, 0);
    client.as_member(Session::jwt(acme.ada.fresh_jwt())).organization_id().await.unwrap();
    acme.assert_counts(2, 0, 0);
}

#[tokio::test]
async fn renewed_jwt_is_cached() {
    let acme = Acme::new();
    let client = acme.client(RetryPolicy::disabled());
    let _ = acme.stytch.fault(Operation::GetJwks, Fault::status(503));
    let jwt = acme.ada.jwt();
    acme.stytch.clock().advance(Duration::from_secs(1));
    let member = client.as_member(Session::jwt(&jwt));
    member.organization_id().await.unwrap();
    assert!(member.session() != Session::jwt(&jwt));
    client.as_member(member.session()).organization_id().await.unwrap();
    assert_eq!(acme.stytch.count(Operation::AuthenticateSession), 1);
}

#[tokio::test]
async fn outcome_stays_unknown_after_a_rejected_retry() {
    let acme = Acme::new();
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
    let builder = acme.stytch.client_builder().retry(policy).session_cache_ttl(Duration::ZERO);
    let member = builder.build().unwrap().as_member(Session::token(acme.ada.token()));
    let _ = acme.stytch.fault(Operation::UpdateExternalConnection, Fault::status(503)).times(1);
    let authenticated = acme.stytch.fault(
        Operation::AuthenticateSession,
        Fault::respond({
            let ada = acme.ada.clone();
            let organization = acme.organization.id().to_owned();
            move |_| {
                // Ended between the first attempt and the second.
                ada.revoke();
                let token = ada.token();
                Response::json(200, &responses::authenticated(&organization, &token, "jwt"))
            }
        }),
    );
    let _ = authenticated.times(1);
    let error =
        member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    acme.assert_counts(0, 2, 1);
}

#[tokio::test]
async fn queued_updates_do_not_starve_authenticate() {
    let acme = Acme::new();
    let client = acme.stytch.client_builder().max_in_flight(1).build().unwrap();
    let tokens: Vec<_> =
        (0..20).map(|_| acme.organization.member("m", ADMIN).log_in().token()).collect();
    let sessions = tokens.iter().map(Session::token).chain([Session::jwt(acme.ada.jwt())]);
    let outcomes = acme.update_all(&client, sessions).await;
    assert!(outcomes.iter().all(Result::is_ok));
    acme.assert_counts(1, 20, 21);
}

#[tokio::test]
async fn warm_up_fetches_the_keys_before_the_first_call() {
    let acme = Acme::new();
    let client = acme.stytch.client();
    client.warm_up().await.unwrap();
    acme.assert_counts(1, 0, 0);
    client.as_member(Session::jwt(acme.ada.jwt())).organization_id().await.unwrap();
    acme.assert_counts(1, 0, 0);
}

#[tokio::test]
async fn call_dropped_at_any_point_blocks_no_other() {
    let acme = Acme::new();
    for polls in 0..12 {
        for session in [Session::jwt(acme.ada.fresh_jwt()), Session::token(acme.ada.token())] {
            let client = acme.stytch.client_builder().max_in_flight(1).build().unwrap();
            let calls = (0..8).map(|n| {
                let (member, update) = (client.as_member(session.clone()), rename("Renamed"));
                let id = acme.connection.id();
                // Of the eight callers of a shared request, the even ones are dropped early.
                let polls = if n % 2 == 0 { polls } else { usize::MAX };
                async move { dropped_after(polls, member.update_connection(id, &update)).await }
            });
            let outcomes = join_all(calls).await;
            assert!(outcomes.iter().flatten().all(Result::is_ok), "{outcomes:?}");
            let member = client.as_member(session.clone());
            member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn dropped_shared_request_is_followed_by_a_new_one() {
    let acme = Acme::new();
    let client = acme.stytch.client();
    for polls in 1..6 {
        let token = acme.organization.member("m", ADMIN).log_in().token();
        for _ in 0..3 {
            let member = client.as_member(Session::token(&token));
            let outcome = dropped_after(polls, member.organization_id()).await;
            assert!(outcome.is_none_or(|outcome| outcome.is_ok()));
        }
        client.as_member(Session::token(&token)).organization_id().await.unwrap();
    }
}

const ADMIN: &[&str] = &["stytch_admin"];

impl Acme {
    /// A client that retries without waiting.
    fn client(&self, policy: RetryPolicy) -> Client {
        self.stytch
            .client_builder()
            .retry(
                policy
                    .initial_backoff(Duration::from_millis(1))
                    .max_backoff(Duration::from_millis(1)),
            )
            .build()
            .unwrap()
    }

    /// One update for each session, all at once.
    async fn update_all(
        &self,
        client: &Client,
        sessions: impl Iterator<Item = Session>,
    ) -> Vec<Result<(), Error>> {
        let calls = sessions.map(|session| {
            let (member, update) = (client.as_member(session), rename("Renamed"));
            async move { member.update_connection(self.connection.id(), &update).await.map(|_| ()) }
        });
        join_all(calls).await
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
