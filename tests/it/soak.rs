//! 64 callers at a server that fails three times in ten, in every way there is. The
//! outcome of each update must match the server's state, in bounded time, memory and
//! sockets.
//!
//! `SOAK_SECONDS` sets the duration; two seconds by default, in real time: what is measured is a
//! process under load. It is one of its own, so that memory and sockets of other tests aren't
//! counted.
#![cfg(target_os = "linux")]

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    env,
};

use crate::support::prelude::*;

const CALLERS: usize = 64;
/// How many calls each of them makes at least.
const CALLS: usize = 10;
const DEADLINE: Duration = Duration::from_secs(2);
/// Beyond the deadline, for a machine that is busy with something else.
const SLACK: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn outcome_of_each_update_matches_the_servers_state() {
    if child::is_alone(outcome_of_each_update_matches_the_servers_state).await {
        let seconds = env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
        soak(Duration::from_secs(seconds.unwrap_or(2))).await;
    }
}

/// What the server has set, by connection: the latest names. A caller waits for the end of
/// one call before the next, so a few are enough.
#[derive(Clone, Default)]
struct State(Arc<Mutex<HashMap<String, VecDeque<String>>>>);

impl State {
    fn set(&self, connection: &str, name: &str) {
        let mut state = self.0.lock().unwrap();
        let names = state.entry(connection.to_owned()).or_default();
        names.push_back(name.to_owned());
        if names.len() > 16 {
            names.pop_front();
        }
    }

    fn was_set(&self, connection: &str, name: &str) -> bool {
        let state = self.0.lock().unwrap();
        state.get(connection).is_some_and(|names| names.iter().any(|set| set == name))
    }
}

/// Responds to an update, with a success in seven of ten cases.
fn respond(state: &State, request: &Request) -> Steps {
    let connection = request.target.rsplit('/').next().unwrap().to_owned();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let name = body["display_name"].as_str().unwrap();
    let mut response = updated();
    response["connection"]["connection_id"] = json!(connection);
    response["connection"]["display_name"] = json!(name);
    if fastrand::u8(..100) < 70 {
        state.set(&connection, name);
        return steps::json(200, &response);
    }
    let good = response.to_string();
    if fastrand::bool() {
        return not_applied();
    }
    // Applied or not, without a response that shows it: the outcome is unknown.
    let is_set = fastrand::bool();
    if is_set {
        state.set(&connection, name);
    }
    if is_set && fastrand::bool() { unreadable(&good) } else { lost() }
}

/// Nothing is applied.
fn not_applied() -> Steps {
    match fastrand::u8(..6) {
        0 => rejection(403, "session_authorization_error"),
        1 => rejection(404, "sso_connection_not_found"),
        2 => rejection(400, "invalid_role"),
        3 => html(403),
        4 => steps::http(429, "retry-after: 0\r\n", ""),
        _ => steps::http(429, "retry-after: 31536000\r\n", steps::HTML),
    }
}

/// Applies the update and responds with a 200 that can not be decoded or used.
fn unreadable(good: &str) -> Steps {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1u64 << 31);
    match fastrand::u8(..10) {
        0 => html(200),
        1 => steps::http(200, "", &good[..good.len() / 2]),
        2 => steps::http(200, "", "[".repeat(100_000)),
        3 => steps::http(200, "", [0xff; 64]),
        4 => vec![Step::Send("HTTP/1.1 204 No Content\r\n\r\n".into())],
        5 => vec![Step::Send(head.into()), Step::Reset],
        6 => vec![Step::Send(head.into()), Step::Flood(" ".repeat(1 << 16).into(), 1 << 31)],
        // On a busy machine the body may come too late, and then only the status is known.
        7 => steps::json(200, &rejected(500, "internal_server_error")),
        8 => steps::json(200, &updated()),
        _ => vec![Step::Send(head.into()), Step::Drip(" ".repeat(99).into(), DEADLINE / 50)],
    }
}

/// A response, or none, that doesn't show whether the update was applied.
fn lost() -> Steps {
    match fastrand::u8(..10) {
        0 => vec![Step::Close],
        1 => vec![Step::Reset],
        2 => vec![Step::Hang],
        3 => vec![Step::Send("HTTP/1.1 200 OK\r\ncontent-".into()), Step::Reset],
        4 => vec![Step::Send("HTTP/1.1 20".into()), Step::Hang],
        5 => vec![Step::Drip("HTTP/1.1 200 OK\r\n".into(), DEADLINE / 50), Step::Hang],
        6 => steps::http(500, "", ""),
        7 => steps::redirect(307, "http://127.0.0.1:1/"),
        8 => html(408),
        _ => html([502, 503, 504][fastrand::usize(..3)]),
    }
}

/// Keys and sessions, which fail as often.
fn detour(good: Steps) -> Steps {
    if fastrand::u8(..100) < 70 { good } else { lost() }
}

/// How long each call took, and how it ended.
type Figures = Vec<(Duration, String)>;

async fn soak(length: Duration) {
    let state = State::default();
    let set = state.clone();
    // Signed once: each new one would be searched for in all that is logged.
    let authenticated = without(authenticated(&sign(&claims())), "/session_token");
    let (jwks, authenticated) = (steps::json(200, &jwks()), steps::json(200, &authenticated));
    let project = ScriptedProject::scripted(
        move |_, _| detour(jwks.clone()),
        move |_, _| detour(authenticated.clone()),
        move |request, _| respond(&set, request),
    )
    .await;
    // Fewer sessions than callers are cached, so that `sessions/authenticate` is called.
    let builder = project.builder().attempt_timeout(DEADLINE / 4).operation_timeout(DEADLINE);
    let builder = builder.retry(retry().without_budget());
    let client = builder.session_cache_capacity(16).build().unwrap();
    let end = Instant::now() + length;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| tokio::spawn(call(client.clone(), caller, state.clone(), end)))
        .collect();
    // Memory and sockets, forty times, the first quarter left out: caches and pools fill.
    let mut samples = Vec::new();
    for _ in 0..40 {
        sleep(length / 40).await;
        samples.push((process::memory(), process::sockets()));
    }
    let mut figures = Vec::new();
    for caller in callers {
        figures.extend(caller.await.unwrap());
    }
    report(&figures, &samples[10..], &project);
}

async fn call(client: Client, caller: usize, state: State, end: Instant) -> Figures {
    let connection = format!("connection-{caller}");
    let token = format!("session-token-of-caller-{caller:02}");
    capture::register(&token);
    let session = if caller.is_multiple_of(2) { Session::token(token) } else { session() };
    let member = client.as_member(session);
    let mut figures = Figures::new();
    for n in 0.. {
        // On a busy machine the time is too short for every kind of failure.
        if n >= CALLS && Instant::now() > end {
            break;
        }
        let name = format!("name-{n}");
        let began = Instant::now();
        let result = member.update_connection(&connection, &rename(&name)).await;
        let took = began.elapsed();
        assert!(took < DEADLINE + SLACK, "a call took {took:?}: {result:?}");
        let ended = match &result {
            Ok(response) => {
                assert_eq!(response.connection.display_name, name);
                assert!(state.was_set(&connection, &name), "{name} was acknowledged and not set");
                "Ok".to_owned()
            }
            Err(error) => verdict(error, state.was_set(&connection, &name)),
        };
        figures.push((took, ended));
    }
    figures
}

fn verdict(error: &Error, was_set: bool) -> String {
    capture::inspect(error);
    match error.outcome() {
        NotApplied => assert!(!was_set, "not applied, and set: {error:?}"),
        Applied => assert!(was_set, "applied, and not set: {error:?}"),
        Unknown => {}
    }
    format!("{:?}/{:?}", error.kind(), error.outcome())
}

fn report(figures: &[(Duration, String)], samples: &[(u64, usize)], project: &ScriptedProject) {
    let mut ended = BTreeMap::<&str, u64>::new();
    for (_, end) in figures {
        *ended.entry(end).or_default() += 1;
    }
    let (calls, longest) = (figures.len(), figures.iter().map(|(took, _)| took).max().unwrap());
    let connections = project.server.connections();
    println!(
        "{calls} calls, {connections} connections; longest {longest:?}; bytes of memory \
         and sockets {samples:?}; {ended:?}"
    );
    for outcome in ["Ok", "NotApplied", "Unknown", "/Applied"] {
        assert!(ended.keys().any(|ended| ended.ends_with(outcome)), "no {outcome}");
    }
    let (first, last) = (samples[0].0, samples[samples.len() - 1].0);
    assert!(last < first + (24 << 20), "memory grew by {} MiB", (last - first) >> 20);
    // Each caller has one at most, both ends of it are here, and the server's may outlive
    // the client's by a moment.
    let sockets = samples.iter().map(|(_, sockets)| *sockets).max().unwrap();
    assert!(sockets < 4 * CALLERS + 16, "{sockets} sockets");
}

#[tokio::test]
async fn an_endless_body_takes_no_memory() {
    if !child::is_alone(an_endless_body_takes_no_memory).await {
        return;
    }
    let zeros: bytes::Bytes = vec![b' '; 1 << 16].into();
    let chunk = [format!("{:x}\r\n", zeros.len()).as_bytes(), &zeros, b"\r\n"].concat();
    let length = format!("content-length: {}", 2u64 << 30);
    let floods = [(&*length, zeros), ("transfer-encoding: chunked", chunk.into())];
    for (status, outcome) in [(200, Applied), (500, Unknown)] {
        for (header, bytes) in floods.clone() {
            let head = format!("HTTP/1.1 {status} X\r\n{header}\r\n\r\n");
            let steps = vec![Step::Send(head.into()), Step::Flood(bytes, 2 << 30)];
            let (project, client) = ScriptedProject::responding(steps).await.with_client();
            client.warm_up().await.unwrap();
            let (before, began) = (process::memory(), Instant::now());
            let error = update(&client).await.unwrap_err();
            let grown = process::memory().saturating_sub(before);
            assert_error(status, &error, UnexpectedResponse, outcome);
            assert_eq!(error.status().unwrap(), status);
            assert!(error.to_string().contains("longer than 1048576 bytes"), "{error}");
            assert!(error.body_snippet().unwrap().len() <= 512);
            assert_eq!(project.updates(), 1);
            let sent = project.server.bytes_sent();
            println!("{} KiB sent, memory grew by {} KiB", sent >> 10, grown >> 10);
            assert!(sent < 24 << 20, "{sent} bytes were taken");
            assert!(grown < 12 << 20, "memory grew by {grown} bytes");
            assert!(began.elapsed() < SLACK * 5);
        }
    }
}
