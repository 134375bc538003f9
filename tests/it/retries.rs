//! Which failures are retried and which never, the timeouts, and the outcome of an update after
//! several attempts.

use std::time::{Duration, SystemTime};

use stytch_sso_external::{
    Error,
    Outcome::{self, Applied, NotApplied, Unknown},
    RetryPolicy, Session,
    testing::Clock,
};
use tokio::time::Instant;

use crate::support::{
    fast_time::accelerate,
    scripted_project::{self, ScriptedProject, UPDATE, variant},
    steps::{self, Step, Steps},
    wait::until,
};

/// The error of an update whose attempts get these responses, the last one repeatedly.
async fn error_after(responses: Vec<Steps>, policy: RetryPolicy) -> (Error, usize) {
    let project =
        ScriptedProject::start(move |_, before| responses[before.min(responses.len() - 1)].clone())
            .await;
    let client = project.builder().retry(policy).build().unwrap();
    let error = scripted_project::update(&client).await.unwrap_err();
    (error, project.updates())
}

fn later(status: u16, retry_after: &str) -> Steps {
    steps::http(status, &format!("retry-after: {retry_after}\r\n"), steps::HTML)
}

fn rejected(status: u16, error_type: &str) -> Steps {
    steps::json(status, &scripted_project::rejected(status, error_type))
}

#[tokio::test]
async fn transient_failures_are_retried_and_succeed() {
    let transient = [408, 429, 502, 503, 504].map(steps::html);
    let transient = transient.into_iter().chain([vec![Step::Reset], vec![Step::Close]]);
    for first in transient {
        let project = ScriptedProject::start(move |_, before| match before {
            0 => first.clone(),
            _ => steps::json(200, &scripted_project::updated()),
        });
        let project = project.await;
        scripted_project::update(&project.client()).await.unwrap();
        assert_eq!(project.updates(), 2);
        let requests = project.server.requests();
        let updates: Vec<_> = requests.iter().filter(|request| request.method == "PUT").collect();
        assert_eq!(updates[0].headers, updates[1].headers);
        assert_eq!(updates[0].body, updates[1].body);
    }
}

#[tokio::test]
async fn permanent_failures_are_never_retried() {
    let finals = [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 425, 451, 499, 500, 501];
    let project = ScriptedProject::successful().await;
    let client = project.client();
    for status in finals {
        for steps in
            [steps::html(status), rejected(status, "a_type_of_tomorrow"), later(status, "0")]
        {
            project.respond(UPDATE, steps);
            let before = project.updates();
            let error = scripted_project::update(&client).await.unwrap_err();
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
    let project = ScriptedProject::start(|_, before| match before {
        0 => later(503, "1"),
        _ => steps::json(200, &scripted_project::updated()),
    });
    let project = project.await;
    let client = project.client();
    accelerate();
    client.warm_up().await.unwrap();
    let began = Instant::now();
    scripted_project::update(&client).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(project.updates(), 2);
}

#[tokio::test]
async fn past_or_invalid_retry_after_is_ignored() {
    let past = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(100));
    let cases = [("0", true), (&*past, true), ("", false), ("soon", false), ("-1", false)];
    let cases = cases.into_iter().chain([("1.5", false), ("1 2", false), ("0x1", false)]);
    accelerate();
    for (retry_after, is_valid) in cases {
        let began = Instant::now();
        let (error, sent) =
            error_after(vec![later(429, retry_after)], scripted_project::retry()).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{retry_after}");
        assert_eq!(variant(&error), "RateLimited");
        assert_eq!(error.retry_after(), is_valid.then_some(Duration::ZERO), "{retry_after}");
        assert_eq!((sent, error.outcome()), (3, NotApplied), "{retry_after}");
    }
}

#[tokio::test]
async fn retry_after_as_a_date_is_relative_to_the_injected_clock() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let minute = Duration::from_secs(60);
    let date = httpdate::fmt_http_date(now + minute);
    let project = ScriptedProject::responding(later(429, &date)).await;
    let client = project.builder().clock(Clock::stopped_at(now)).build().unwrap();
    let error = scripted_project::update_as(&client, Session::token(scripted_project::TOKEN))
        .await
        .unwrap_err();
    assert_eq!((variant(&error).as_str(), error.retry_after()), ("RateLimited", Some(minute)));
}

#[tokio::test]
async fn long_retry_after_is_returned_at_once() {
    // Longer times count as a day.
    let day = Duration::from_secs(24 * 60 * 60);
    let year = 365 * day;
    let date = httpdate::fmt_http_date(SystemTime::now() + year);
    let cases = [
        ("11".to_owned(), Duration::from_secs(11)),
        (year.as_secs().to_string(), day),
        (date, day),
        (u64::MAX.to_string(), day),
        (format!("{}0", u64::MAX), day),
    ];
    accelerate();
    for (retry_after, expected) in cases {
        for status in [429, 503] {
            let began = Instant::now();
            let (error, sent) =
                error_after(vec![later(status, &retry_after)], scripted_project::retry()).await;
            assert!(began.elapsed() < Duration::from_secs(3), "{retry_after}");
            let waits = error.retry_after().unwrap();
            let off_by = expected.saturating_sub(waits);
            assert!(waits <= expected && off_by < Duration::from_secs(9), "{waits:?}");
            assert_eq!((sent, error.is_retryable()), (1, true), "{retry_after}");
        }
    }
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_is_returned_at_once() {
    let project = ScriptedProject::responding(later(429, "5")).await;
    let client = project.builder().operation_timeout(Duration::from_secs(4)).build().unwrap();
    let began = Instant::now();
    let error = scripted_project::update(&client).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
    assert_eq!(project.updates(), 1);
}

#[tokio::test]
async fn the_outcome_covers_all_attempts() {
    let denied = || rejected(403, "session_authorization_error");
    let cases: [(&str, Vec<Steps>, &str, Outcome); 8] = [
        ("reset, denied", vec![vec![Step::Reset], denied()], "PermissionDenied", Unknown),
        ("503, denied", vec![steps::html(503), denied()], "PermissionDenied", Unknown),
        ("408, denied", vec![steps::html(408), denied()], "PermissionDenied", Unknown),
        ("429, denied", vec![steps::html(429), denied()], "PermissionDenied", NotApplied),
        (
            "429, 502, 404",
            vec![steps::html(429), steps::html(502), rejected(404, "x")],
            "NotFound",
            Unknown,
        ),
        ("reset, 429, 429", vec![vec![Step::Reset], steps::html(429)], "RateLimited", Unknown),
        (
            "reset, no session",
            vec![vec![Step::Close], rejected(404, "session_not_found")],
            "InvalidSession",
            Unknown,
        ),
        (
            "503, unreadable",
            vec![steps::html(503), steps::html(200)],
            "UnexpectedResponse",
            Applied,
        ),
    ];
    for (name, responses, expected, outcome) in cases {
        let (error, sent) = error_after(responses, scripted_project::retry()).await;
        assert_eq!(variant(&error), expected, "{name}");
        assert_eq!(error.outcome(), outcome, "{name}");
        assert_eq!(error.attempts() as usize, sent, "{name}");
    }
}

#[tokio::test]
async fn outcome_stays_unknown_after_retries_fail_to_connect() {
    let project = ScriptedProject::responding(vec![Step::Reset]).await;
    // Attempts that end long before the operation timeout, and after the server has stopped.
    let policy = scripted_project::retry().max_attempts(12).max_backoff(Duration::from_millis(50));
    let client = project.builder().retry(policy).build().unwrap();
    client.warm_up().await.unwrap();
    let call = tokio::spawn(async move { scripted_project::update(&client).await });
    until(|| project.updates() > 0).await;
    let requests = project.server.stop().await;
    let updates = requests.iter().filter(|request| request.method == "PUT").count();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((variant(&error), error.outcome()), ("Transport".into(), Unknown));
    assert!(error.attempts() as usize > updates, "{error}: {updates} requests");
    // The deadline may end the last attempt, or the wait for a further one.
    assert!(error.reason().starts_with("connecting failed"), "{error}");
}

#[tokio::test]
async fn deadline_ends_every_wait() {
    let drip = || {
        let head = format!("HTTP/1.1 200 OK\r\n{}content-length: 100000\r\n\r\n", steps::JSON);
        vec![
            Step::Send(head.into()),
            Step::Drip(" ".repeat(9999).into(), Duration::from_millis(20)),
        ]
    };
    let successful = |_: &_, _| steps::json(200, &scripted_project::updated());
    let projects = [
        ("update drips", ScriptedProject::responding(drip()).await, Applied),
        ("update hangs", ScriptedProject::responding(vec![Step::Hang]).await, Unknown),
        ("all gateways down", ScriptedProject::responding(steps::html(503)).await, Unknown),
        (
            "session hangs",
            ScriptedProject::scripted(|_, _| steps::html(500), |_, _| vec![Step::Hang], successful)
                .await,
            NotApplied,
        ),
        (
            "session drips",
            ScriptedProject::scripted(|_, _| steps::html(500), move |_, _| drip(), successful)
                .await,
            NotApplied,
        ),
    ];
    accelerate();
    for (what, project, outcome) in projects {
        let deadline = Duration::from_millis(300);
        let policy =
            scripted_project::retry().max_attempts(u32::MAX).max_backoff(Duration::from_millis(20));
        let client = project.builder().retry(policy).operation_timeout(deadline).build().unwrap();
        let began = Instant::now();
        let error = scripted_project::update(&client).await.unwrap_err();
        let took = began.elapsed();
        assert!(took < deadline + Duration::from_secs(2), "{what} took {took:?}");
        assert_eq!(error.outcome(), outcome, "{what}: {error:?}");
    }
}

#[tokio::test]
async fn hanging_jwks_leaves_time_for_authenticate() {
    let update = |_: &_, _| steps::json(200, &scripted_project::updated());
    let project = ScriptedProject::scripted(
        |_, _| vec![Step::Hang],
        scripted_project::successful_authenticate,
        update,
    )
    .await;
    let client = project.builder().operation_timeout(Duration::from_secs(2)).build().unwrap();
    accelerate();
    scripted_project::update(&client).await.unwrap();
    assert_eq!((project.authenticate_requests(), project.updates()), (1, 1));
}
