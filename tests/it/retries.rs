//! Which failures are retried and which never, the timeouts, the outcome of an update after several
//! attempts, and outages that the default retries outlast.

use std::{
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::support::prelude::*;

/// The error of an update whose attempts get these responses, the last one repeatedly; and how many
/// updates were sent.
async fn error_after(responses: Vec<Steps>) -> (Error, usize) {
    let last = responses.len() - 1;
    let update = move |_: &_, before: usize| responses[before.min(last)].clone();
    let project = ScriptedProject::start(update).await;
    let error = scripted_project::update(&project.client()).await.unwrap_err();
    (error, project.updates())
}

fn later(status: u16, retry_after: &str) -> Steps {
    steps::http(status, &format!("retry-after: {retry_after}\r\n"), steps::HTML)
}

#[tokio::test]
async fn transient_failures_are_retried_and_succeed() {
    let transient = [408, 429, 502, 503, 504].map(html);
    for failure in transient.into_iter().chain([vec![Step::Reset], vec![Step::Close]]) {
        let project = ScriptedProject::start(first([failure], successful)).await;
        update(&project.client()).await.unwrap();
        let requests = project.server.requests();
        let updates: Vec<_> = requests.iter().filter(|request| request.method == "PUT").collect();
        let [first, second] = updates[..] else { panic!("two attempts: {updates:?}") };
        assert_eq!((&first.headers, &first.body), (&second.headers, &second.body));
    }
}

#[tokio::test]
async fn permanent_failures_are_never_retried() {
    let finals = [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 425, 451, 499, 500, 501];
    let (project, client) = ScriptedProject::successful().await.with_client();
    for status in finals {
        for steps in [html(status), rejection(status, "a_type_of_tomorrow"), later(status, "0")] {
            project.respond(UPDATE, steps);
            let before = project.updates();
            let error = update(&client).await.unwrap_err();
            let sent = project.updates() - before;
            assert_eq!((sent, error.attempts()), (1, 1), "{status}");
            assert_eq!(error.status().unwrap(), status);
            let outcome = if status < 500 { NotApplied } else { Unknown };
            assert_eq!(error.outcome(), outcome, "{status}");
        }
    }
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_in_full() {
    let (project, client) =
        ScriptedProject::start(first([later(503, "1")], successful)).await.with_client();
    accelerate();
    client.warm_up().await.unwrap();
    let began = Instant::now();
    update(&client).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(project.updates(), 2);
}

#[tokio::test]
async fn retry_after_that_is_past_invalid_or_long_is_not_waited_for() {
    let (none, zero) = (None, Some(Duration::ZERO));
    // Longer times count as a day.
    let day = Duration::from_secs(24 * 60 * 60);
    let past = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(100));
    let date = httpdate::fmt_http_date(SystemTime::now() + 365 * day);
    let year = (365 * day).as_secs().to_string();
    let (maximum, beyond) = (u64::MAX.to_string(), format!("{}0", u64::MAX));
    let ignored = [("0", zero), (&past, zero), ("", none), ("soon", none), ("-1", none)];
    let ignored = ignored.into_iter().chain([("1.5", none), ("1 2", none), ("0x1", none)]);
    let returned = [("11", Duration::from_secs(11)), ("86401", day), (&year, day), (&date, day)];
    let last = ("Fri, 31 Dec 9999 23:59:59 GMT", day);
    let returned = returned.into_iter().chain([(&*maximum, day), (&beyond, day), last]);
    let cases = ignored.map(|(value, expected)| (value, expected, 3));
    accelerate();
    for (value, expected, attempts) in cases.chain(returned.map(|(it, time)| (it, Some(time), 1))) {
        for status in [429, 503] {
            let began = Instant::now();
            let (error, sent) = error_after(vec![later(status, value)]).await;
            assert!(began.elapsed() < Duration::from_secs(3), "{value}");
            assert_eq!((sent, error.is_retryable()), (attempts, true), "{value}");
            assert_eq!(error.retry_after(), expected, "{value}");
            if status == 429 {
                assert_not_applied(value, &error, RateLimited);
            }
        }
    }
}

#[tokio::test]
async fn retry_after_as_a_date_is_relative_to_the_injected_clock() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let minute = Duration::from_secs(60);
    let date = httpdate::fmt_http_date(now + minute);
    let project = ScriptedProject::responding(later(429, &date)).await;
    let client = project.builder().clock(Clock::stopped_at(now)).build().unwrap();
    let error = update_as(&client, token()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (RateLimited, Some(minute)));
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_is_returned_at_once() {
    let project = ScriptedProject::responding(later(429, "5")).await;
    let client = project.builder().operation_timeout(Duration::from_secs(4)).build().unwrap();
    let began = Instant::now();
    let error = update(&client).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
    assert_eq!(project.updates(), 1);
}

#[tokio::test]
async fn the_outcome_covers_all_attempts() {
    let denied = || rejection(403, "session_authorization_error");
    let (reset, no_session) = (vec![Step::Reset], rejection(404, "session_not_found"));
    let foreign = steps::json(200, &with(updated(), "/connection/connection_id", "other"));
    for (name, responses, kind, status, outcome) in [
        ("reset, denied", vec![reset.clone(), denied()], PERMISSION_DENIED, 403, Unknown),
        ("503, denied", vec![html(503), denied()], PERMISSION_DENIED, 403, Unknown),
        ("408, denied", vec![html(408), denied()], PERMISSION_DENIED, 403, Unknown),
        ("429, denied", vec![html(429), denied()], PERMISSION_DENIED, 403, NotApplied),
        ("429, 502, 404", vec![html(429), html(502), rejection(404, "x")], NotFound, 404, Unknown),
        ("reset, 429, 429", vec![reset, html(429), html(429)], RateLimited, 429, Unknown),
        ("closed, no session", vec![vec![Step::Close], no_session], InvalidSession, 404, Unknown),
        ("503, unreadable", vec![html(503), html(200)], UnexpectedResponse, 200, Applied),
        ("503, foreign", vec![html(503), foreign], UnexpectedResponse, 200, Unknown),
    ] {
        let expected = responses.len();
        let (error, sent) = error_after(responses).await;
        assert_eq!(facts(&error), (kind, Some(status), outcome), "{name}: {error:?}");
        assert_eq!((error.attempts() as usize, sent), (expected, expected), "{name}");
    }
}

#[tokio::test]
async fn outcome_stays_unknown_after_retries_fail_to_connect() {
    let project = ScriptedProject::responding(vec![Step::Reset]).await;
    // Attempts that end long before the operation timeout, and after the server has stopped.
    let policy = retry().max_attempts(12).max_backoff(Duration::from_millis(50));
    let client = project.builder().retry(policy).build().unwrap();
    client.warm_up().await.unwrap();
    let call = tokio::spawn(async move { update(&client).await });
    until(|| project.updates() > 0).await;
    let requests = project.server.stop().await;
    let updates = requests.iter().filter(|request| request.method == "PUT").count();
    let error = call.await.unwrap().unwrap_err();
    assert_error("stopped", &error, Transport, Unknown);
    assert!(error.attempts() as usize > updates, "{error}: {updates} requests");
    // The deadline may end the last attempt, or the wait for a further one.
    assert!(error.reason().starts_with("connecting failed"), "{error}");
}

#[tokio::test]
async fn deadline_ends_every_wait() {
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 100000\r\n\r\n");
    let drip = Step::Drip(" ".repeat(9999).into(), Duration::from_millis(20));
    let drip = vec![Step::Send(head.into()), drip];
    let hang = || vec![Step::Hang];
    let of_update = async |steps| ScriptedProject::responding(steps).await;
    let of_session =
        async |steps| ScriptedProject::scripted(always(html(500)), always(steps), successful).await;
    let projects = [
        ("update drips", of_update(drip.clone()).await, Applied),
        ("update hangs", of_update(hang()).await, Unknown),
        ("all gateways down", of_update(html(503)).await, Unknown),
        ("session hangs", of_session(hang()).await, NotApplied),
        ("session drips", of_session(drip).await, NotApplied),
    ];
    accelerate();
    for (what, project, outcome) in projects {
        let deadline = Duration::from_millis(300);
        let policy = retry().max_attempts(u32::MAX).max_backoff(Duration::from_millis(20));
        let client = project.builder().retry(policy).operation_timeout(deadline).build().unwrap();
        let began = Instant::now();
        let error = update(&client).await.unwrap_err();
        let took = began.elapsed();
        assert!(took < deadline + Duration::from_secs(2), "{what} took {took:?}");
        assert_eq!(error.outcome(), outcome, "{what}: {error:?}");
    }
}

#[tokio::test]
async fn hanging_jwks_leaves_time_for_authenticate() {
    let deadline = Duration::from_secs(2);
    let (project, client, _) =
        scripted(hang, successful, |it| it.operation_timeout(deadline)).await;
    accelerate();
    update(&client).await.unwrap();
    project.assert_requests(1, 1);
    assert_eq!(project.updates(), 1);
}

const UPDATES: usize = 20;

#[tokio::test]
async fn twenty_updates_outlast_an_outage_of_up_to_a_second() {
    accelerate();
    let unavailable = [50, 100, 200, 500, 1_000].map(|outage| ("503", html(503), outage));
    let reset = ("reset", vec![Step::Reset], 1_000);
    for (what, response, outage) in unavailable.into_iter().chain([reset]) {
        let (outage, began) = (Duration::from_millis(outage), OnceLock::new());
        let failed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&failed);
        let server = ScriptedServer::start(move |request: &Request, before| {
            let is_update = request.method == "PUT";
            if is_update && began.get_or_init(Instant::now).elapsed() < outage {
                count.fetch_add(1, Ordering::SeqCst);
                return response.clone();
            }
            successful(request, before)
        });
        let server = server.await;
        assert_all_succeed(&server.url(), &format!("{what} for {outage:?}")).await;
        let failed = failed.load(Ordering::SeqCst);
        assert!(failed > 0, "{what}: nothing failed");
        assert_eq!(server.count("PUT"), UPDATES + failed, "{what}: each is applied once");
    }
}

#[tokio::test]
async fn twenty_updates_outlast_a_closed_port_for_a_second() {
    // Bound, so that nobody else gets the port, but not listening: connecting fails.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    accelerate();
    let listen = async {
        sleep(Duration::from_secs(1)).await;
        ScriptedServer::start_on(socket.listen(1_024).unwrap(), successful)
    };
    let ((), server) = tokio::join!(assert_all_succeed(&url, "closed port"), listen);
    assert_eq!(server.count("PUT"), UPDATES);
}

/// Asserts that a client with the default retries succeeds with all updates.
async fn assert_all_succeed(base_url: &str, what: &str) {
    let client = Client::builder(PROJECT, SECRET).base_url(base_url).build().unwrap();
    let updates = join_all((0..UPDATES).map(|_| update(&client))).await;
    let failed: Vec<Error> = updates.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{what}: {} failed: {}", failed.len(), failed[0]);
}

#[tokio::test]
async fn call_that_is_queued_until_its_time_ends_has_the_cause_of_its_last_attempt() {
    const MINUTE: Duration = Duration::from_secs(60);
    let acme = Acme::new();
    let retry = RetryPolicy::default().initial_backoff(MINUTE / 6).max_backoff(MINUTE);
    let client = acme.client_with(|it| {
        it.max_in_flight(1).retry(retry).attempt_timeout(MINUTE).operation_timeout(MINUTE / 2)
    });
    let ada = client.as_member(acme.jwt());
    ada.organization_id().await.unwrap();
    let failure = acme.stytch.fault(UPDATE, Fault::status(503)).times(1);
    let (updating, id) = (ada.clone(), acme.connection.id().to_owned());
    let updated =
        tokio::spawn(async move { updating.update_connection(&id, &rename("Acme")).await });
    until(|| failure.hits() > 0).await;
    // Holds the only permit from the backoff on.
    let hang = acme.stytch.fault(GetConnections, Fault::delay(10 * MINUTE));
    let _holder = tokio::spawn(async move { ada.connections().await });
    until(|| hang.hits() > 0).await;
    accelerate();
    let error = updated.await.unwrap().unwrap_err();
    assert!(error.reason().ends_with("; operation_timeout elapsed"), "{error:?}");
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (503, 1), "{error:?}");
    assert_eq!((error.operation(), error.outcome()), (UPDATE, Unknown));
    assert!(error.is_retryable());
}
