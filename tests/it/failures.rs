//! The errors of network failures and of responses that aren't Stytch's: variant, status,
//! request id, outcome, number of requests, time.

use bytes::Bytes;

use crate::support::{
    prelude::*,
    steps::{
        Step::{Close, Drip, Flood, Hang, Reset, Send, Wait},
        http, json, truncated,
    },
};

/// The expected error of an update whose response is `steps`.
struct Row {
    name: &'static str,
    steps: Steps,
    kind: ErrorKind,
    status: Option<u16>,
    request_id: Option<&'static str>,
    outcome: Outcome,
    is_retried: bool,
}

/// A row without a response: outcome unknown, retried.
fn lost(name: &'static str, steps: Steps) -> Row {
    let (kind, outcome) = (Transport, Unknown);
    Row { name, steps, kind, status: None, request_id: None, outcome, is_retried: true }
}

/// A row of bytes that aren't HTTP: the outcome is unknown, and no retry would help.
fn permanent(name: &'static str, steps: Steps) -> Row {
    Row { is_retried: false, ..lost(name, steps) }
}

/// A row of an undocumented response.
fn unexpected(name: &'static str, status: u16, outcome: Outcome, steps: Steps) -> Row {
    let is_retried = matches!(status, 408 | 429 | 502..=504);
    let kind = if status == 429 { RateLimited } else { UnexpectedResponse };
    Row { name, steps, kind, status: Some(status), request_id: None, outcome, is_retried }
}

/// The row of a response whose request id can be read.
fn with_request_id(row: Row) -> Row {
    Row { request_id: Some(REQUEST_ID), ..row }
}

fn text(text: impl AsRef<[u8]>) -> Step {
    Send(Bytes::copy_from_slice(text.as_ref()))
}

/// Checks the rows, with and without retries, with this attempt timeout.
async fn check<const N: usize>(timeout: Duration, rows: [Row; N]) {
    let project = ScriptedProject::successful().await;
    for (policy, most) in [(retry(), 3), (RetryPolicy::disabled(), 1)] {
        let client = project.builder().retry(policy).attempt_timeout(timeout).build().unwrap();
        client.warm_up().await.unwrap();
        for row in &rows {
            project.respond(UPDATE, row.steps.clone());
            let before = project.updates();
            let began = Instant::now();
            let error = update(&client).await.expect_err(row.name);
            let took = began.elapsed();
            let sent = if row.is_retried { most } else { 1 };
            let expected = (row.kind, row.status, row.outcome);
            assert_eq!(facts(&error), expected, "{}: {error:?}", row.name);
            assert_eq!(error.request_id(), row.request_id, "{}", row.name);
            assert_eq!(error.is_retryable(), row.is_retried, "{}: {error:?}", row.name);
            let updates = project.updates() - before;
            assert_eq!((updates, error.attempts()), (sent as usize, sent), "{}", row.name);
            assert!(took < timeout * sent + SLACK, "{} took {took:?}", row.name);
        }
    }
}

#[tokio::test]
async fn connection_that_ends_before_the_response_leaves_the_outcome_unknown() {
    let half = "HTTP/1.1 200 OK\r\ncontent-type: applicat";
    let rows = [
        lost("close before the first byte", vec![Close]),
        lost("reset before the first byte", vec![Reset]),
        lost("close in the headers", vec![text(half), Close]),
        lost("reset in the headers", vec![text(half), Wait(MOMENT), Reset]),
        permanent("not HTTP", vec![text("SSH-2.0-OpenSSH_9.6\r\n"), Close]),
        permanent("zeros", vec![text([0; 64]), Close]),
        permanent("an invalid status line", vec![text("HTTP/1.1 OK 200\r\n\r\n"), Close]),
    ];
    check(QUICK, rows).await;
}

#[tokio::test]
async fn silent_server_ends_with_the_attempt_timeout() {
    let half = "HTTP/1.1 200 OK\r\ncontent-type: applicat";
    let slow = Duration::from_millis(30);
    accelerate();
    let rows = [
        lost("no response", vec![Hang]),
        lost("no end of the headers", vec![text(half), Hang]),
        lost("headers byte by byte", vec![Drip(half.into(), slow), Hang]),
    ];
    check(SHORT, rows).await;
}

#[tokio::test]
async fn truncated_body_is_applied_after_2xx_and_unknown_after_5xx() {
    let body = updated().to_string();
    let long = |status: u16| {
        text(format!("HTTP/1.1 {status} X\r\n{JSON}content-length: {}\r\n\r\n", body.len() + 9))
    };
    let chunked = format!("HTTP/1.1 200 OK\r\n{JSON}transfer-encoding: chunked\r\n\r\n5\r\n{{");
    let slow = Duration::from_millis(20);
    let reset = vec![text(&body[..20]), Wait(MOMENT), Reset];
    let cut = |status, end: &[Step]| [&[long(status)], end].concat();
    let drip = [Drip(body.clone().into(), slow)];
    accelerate();
    let rows = [
        unexpected("no body", 200, Applied, cut(200, &[Hang])),
        unexpected("body byte by byte", 200, Applied, cut(200, &drip)),
        unexpected("503 byte by byte", 503, Unknown, cut(503, &drip)),
    ];
    check(AFTER_HEADERS, rows).await;
    let rows = [
        unexpected("reset in the body", 200, Applied, cut(200, &reset)),
        with_request_id(unexpected("close in the body", 200, Applied, truncated(200, 9, &body))),
        unexpected("close in a chunk", 200, Applied, vec![text(&chunked), Close]),
        unexpected("500, then reset", 500, Unknown, cut(500, &reset)),
        unexpected("503, then reset", 503, Unknown, cut(503, &reset)),
        unexpected("403, then reset", 403, NotApplied, cut(403, &reset)),
        unexpected("429, then reset", 429, NotApplied, cut(429, &reset)),
    ];
    check(QUICK, rows).await;
}

#[tokio::test]
async fn response_that_is_not_stytch_json_keeps_its_status() {
    let good = updated().to_string();
    let cut = format!(r#"{{"status_code":502,"request_id": "{REQUEST_ID}","error_mess"#);
    let mut bad_utf8 = good.clone().into_bytes();
    let name = good.find("Acme").unwrap();
    bad_utf8[name] = 0xff;
    let rows = [
        unexpected("204", 204, Applied, vec![text("HTTP/1.1 204 No Content\r\n\r\n")]),
        unexpected("201 without a body", 201, Applied, http(201, "", "")),
        unexpected("empty 200", 200, Applied, http(200, JSON, "")),
        unexpected("HTML 200", 200, Applied, html(200)),
        with_request_id(unexpected("bad UTF-8", 200, Applied, http(200, JSON, bad_utf8))),
        unexpected("truncated JSON", 200, Applied, http(200, JSON, &good[..20])),
        with_request_id(unexpected("truncated 502", 502, Unknown, http(502, JSON, cut))),
        unexpected("HTML 403", 403, NotApplied, html(403)),
        unexpected("HTML 408", 408, Unknown, html(408)),
        unexpected("HTML 429", 429, NotApplied, html(429)),
        unexpected("empty 500", 500, Unknown, http(500, "", "")),
        unexpected("HTML 502", 502, Unknown, html(502)),
        unexpected("HTML 503", 503, Unknown, html(503)),
        unexpected("HTML 504", 504, Unknown, html(504)),
        unexpected("an undefined status", 799, Unknown, html(799)),
        unexpected("JSON of another server", 400, NotApplied, json(400, &json!({"a": 1}))),
    ];
    check(QUICK, rows).await;
}

#[tokio::test]
async fn success_of_another_content_type_is_accepted() {
    for content_type in ["", "content-type: text/html\r\n"] {
        let response = http(200, content_type, updated().to_string());
        let project = ScriptedProject::responding(response).await;
        update(&project.client()).await.unwrap();
    }
    let invalid = http(200, "content-type: \x01\r\n", updated().to_string());
    let project = ScriptedProject::responding(invalid).await;
    assert_eq!(update(&project.client()).await.unwrap_err().outcome(), Unknown);
}

#[tokio::test]
async fn json_nested_100_000_deep_is_an_error() {
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let deep = String::from_utf8(deep).unwrap();
    let start = format!(r#"{{"request_id":"{REQUEST_ID}","error_type":"invalid_role""#);
    let rejected = format!(r#"{start},"error_details":{deep}}}"#);
    let row = |name, status, outcome, body: &str| {
        unexpected(name, status, outcome, http(status, JSON, body))
    };
    let opened = format!("HTTP/1.1 200 OK\r\n{JSON}\r\n{}", "[".repeat(100_000));
    let bad_request = with_request_id(row("400", 400, NotApplied, &rejected));
    let rows = [
        row("200", 200, Applied, &deep),
        with_request_id(row("200 with an error body", 200, Unknown, &rejected)),
        Row { kind: InvalidRequest, ..bad_request },
        row("500", 500, Unknown, &deep),
        unexpected("never closed", 200, Applied, vec![text(opened), Close]),
    ];
    check(QUICK, rows).await;
}

#[tokio::test]
async fn endless_headers_are_an_error() {
    let too_large = |name, steps| Row { kind: UnexpectedResponse, ..permanent(name, steps) };
    let many = "x-many: y\r\n".repeat(300);
    let long = format!("x-long: {}\r\n", "y".repeat(2 << 20));
    let start = text(format!("HTTP/1.1 200 OK\r\n{JSON}x: "));
    let rows = [
        too_large("300 headers", http(200, &many, "{}")),
        too_large("a header of 2 MiB", http(200, &long, "{}")),
        too_large("a header of 2 GiB", vec![start, Flood("y".repeat(1 << 16).into(), 2 << 30)]),
    ];
    check(QUICK, rows).await;
}

const MOMENT: Duration = Duration::from_millis(5);
/// The attempt timeout for failures that end by themselves.
const QUICK: Duration = Duration::from_secs(5);
/// The attempt timeout for those that only a timeout ends, after the headers.
const AFTER_HEADERS: Duration = Duration::from_millis(300);
/// The attempt timeout for those that only a timeout ends, before the headers.
const SHORT: Duration = Duration::from_millis(100);
/// Tolerance for a busy machine.
const SLACK: Duration = Duration::from_secs(3);
