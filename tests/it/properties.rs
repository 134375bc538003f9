//! Properties of all ids, claims and responses, checked with random ones.

use std::{
    iter,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use percent_encoding::percent_decode_str;
use serde_json::json;
use stytch_sso_external::{
    Operation, Outcome, RetryPolicy, Session,
    testing::{Clock, jwt},
};

use crate::support::{
    capture,
    scripted_project::{self, ScriptedProject, claims},
    steps::{self, Step, Steps},
};

/// Checks a property with many random values: the same each time, so that failures are
/// reproducible. The test's output ends with the value that failed.
fn holds<V: std::fmt::Debug>(value: impl Fn(&mut Rng) -> V, mut property: impl FnMut(V)) {
    let mut random = Rng::with_seed(1);
    for _ in 0..256 {
        let value = value(&mut random);
        println!("{value:?}");
        property(value);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Up to `length` parts of these.
fn any_of<T: Copy + Into<String>>(random: &mut Rng, parts: &[T], length: usize) -> String {
    let length = random.usize(0..=length);
    iter::repeat_with(|| random.choice(parts).copied().unwrap().into()).take(length).collect()
}

fn characters(random: &mut Rng, alphabet: &str, length: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    any_of(random, &alphabet, length)
}

fn bytes(random: &mut Rng) -> Vec<u8> {
    let length = random.usize(0..100);
    iter::repeat_with(|| random.u8(..)).take(length).collect()
}

/// Ids of any kind, often with characters that are special to parsers.
fn id(random: &mut Rng) -> String {
    let folders = [".", "%2e", "%2E", "/", "%2f", "\\", "%5c", "?", "#", "%"];
    match random.u8(0..12) {
        0 => {
            let length = random.usize(0..32);
            iter::repeat_with(|| random.char(..)).take(length).collect()
        }
        1 => characters(random, "./\\%aZ09?#@:; \0\t\r\n\x1f-", 12),
        2 => any_of(random, &folders, 6),
        3..11 => characters(random, "abcdefghijklmnopqrstuvwxyz0123456789-_.|@:", 64),
        _ => String::new(),
    }
}

/// Returns the ids in the target of an update.
fn ids_of(target: &str) -> (String, String) {
    let segments: Vec<&str> = target.split('/').collect();
    let ["", "v1", "b2b", "sso", "external", organization, "connections", connection] =
        segments[..]
    else {
        panic!("the update went to {target}");
    };
    assert!(!target.contains(['?', '#', '\\', ' ']), "{target}");
    for segment in [organization, connection] {
        let folded = segment.to_lowercase().replace("%2e", ".");
        assert!(!["", ".", ".."].contains(&&*folded), "{target}");
    }
    let decode = |segment| percent_decode_str(segment).decode_utf8().unwrap().into_owned();
    (decode(organization), decode(connection))
}

#[test]
fn update_is_sent_to_its_organization_and_connection_or_not_at_all() {
    let runtime = runtime();
    let project = runtime.block_on(ScriptedProject::responding(steps::html(404)));
    let client = project.client();
    let host = project.server.url().replace("http://", "");
    let mut updates_sent = 0;
    let values = |random: &mut Rng| (id(random), id(random), time(random), time(random));
    holds(values, |(organization, connection, exp, nbf)| {
        let jwt = session(&organization, exp, nbf);
        let member = client.as_member(jwt);
        let update = scripted_project::rename("Acme");
        let error = runtime.block_on(member.update_connection(&connection, &update)).unwrap_err();
        capture::inspect(&error);
        let sent = project.server.take();
        let updates: Vec<_> = sent.iter().filter(|request| request.method == "PUT").collect();
        // Of the update, and not of `sessions/authenticate`.
        let was_sent =
            error.operation() == Operation::UpdateExternalConnection && error.status().is_some();
        assert_eq!(updates.len(), usize::from(was_sent), "{error:?}");
        for request in &sent {
            assert_eq!(request.header("host"), Some(&*host));
        }
        let Some(update) = updates.first() else {
            assert_eq!(error.outcome(), Outcome::NotApplied);
            return;
        };
        updates_sent += 1;
        let (to_organization, to_connection) = ids_of(&update.target);
        assert_eq!(to_connection, connection);
        // If the JWT has expired, the organization comes from `sessions/authenticate`.
        let is_authenticated = sent.iter().any(|request| request.method == "POST");
        let expected =
            if is_authenticated { scripted_project::ORGANIZATION } else { &organization };
        assert_eq!(to_organization, *expected);
        assert!(update.header("x-stytch-member-sessionjwt").is_some());
    });
    assert!(updates_sent > 50, "only {updates_sent} updates were sent");
}

fn session(organization: &str, exp: Option<u64>, nbf: Option<u64>) -> Session {
    let mut claims = claims();
    claims["https://stytch.com/organization"]["organization_id"] = json!(organization);
    for (claim, time) in [("exp", exp), ("nbf", nbf)] {
        if let Some(time) = time {
            claims[claim] = json!(time);
        }
    }
    // Not registered: there are too many, and they are found by their format.
    Session::jwt(jwt::sign(&scripted_project::header(), &claims, &scripted_project::KEY))
}

/// A replacement for a time claim; most JWTs keep the valid one.
fn time(random: &mut Rng) -> Option<u64> {
    match random.u8(0..10) {
        0 => Some(random.u64(..)),
        1 => Some(random.u32(..).into()),
        _ => None,
    }
}

/// Bodies: random bytes, JSON-like text, and Stytch's bodies, modified or truncated.
fn body(random: &mut Rng) -> Vec<u8> {
    let known = [
        scripted_project::updated(),
        scripted_project::rejected(403, "session_authorization_error"),
        scripted_project::authenticated("a.b.c"),
        json!({"keys": [scripted_project::KEY.jwk()]}),
    ];
    let mut sample = random.choice(known).unwrap().to_string().into_bytes();
    let at = random.usize(0..sample.len());
    match random.u8(0..4) {
        0 => return bytes(random),
        1 => return characters(random, "[]{}\",:0123456789aeflnrstu\\ ", 40).into_bytes(),
        2 => sample[at] = random.u8(..),
        _ => sample.truncate(at),
    }
    sample
}

/// A server, and its next response to any request.
fn scripted_server(runtime: &tokio::runtime::Runtime) -> (ScriptedProject, Arc<Mutex<Steps>>) {
    let next = Arc::new(Mutex::new(Steps::new()));
    let [keys, sessions, updates] = [0; 3].map(|_| Arc::clone(&next));
    let project = runtime.block_on(ScriptedProject::scripted(
        move |_, _| keys.lock().unwrap().clone(),
        move |_, _| sessions.lock().unwrap().clone(),
        move |_, _| updates.lock().unwrap().clone(),
    ));
    (project, next)
}

#[test]
fn errors_keep_the_status_of_any_response() {
    let runtime = runtime();
    let (project, next) = scripted_server(&runtime);
    let clock = Clock::stopped();
    let uncached = project.builder().retry(RetryPolicy::disabled()).clock(clock.clone());
    let uncached = uncached.build().unwrap();
    let cached = project.builder().retry(RetryPolicy::disabled()).build().unwrap();
    runtime.block_on(async {
        *next.lock().unwrap() =
            scripted_project::successful_authenticate(&scripted_project::request(), 0);
        cached.as_member(Session::token(scripted_project::TOKEN)).organization_id().await.unwrap();
    });
    let mut calls = 0;
    let status = |random: &mut Rng| {
        let common = random.choice([200, 403, 429, 500, 503]).unwrap();
        if random.bool() { common } else { random.u16(200..=999) }
    };
    holds(
        |random| (status(random), body(random)),
        |(status, body)| {
            let headers = "connection: close\r\n";
            *next.lock().unwrap() =
                [steps::http(status, headers, body), vec![Step::Close]].concat();
            let token = || Session::token(scripted_project::TOKEN);
            let updated = runtime.block_on(scripted_project::update_as(&cached, token()));
            // A new token each time, since a success is cached.
            calls += 1;
            let fresh = Session::token(format!("{}-{calls}", scripted_project::TOKEN));
            let organization = runtime.block_on(uncached.as_member(fresh).organization_id());
            // Beyond the backoff after the last failure.
            clock.advance(Duration::from_secs(30));
            let keys = runtime.block_on(uncached.warm_up());
            let errors = [updated.err(), organization.err(), keys.err()];
            assert!(
                (200..300).contains(&status) || errors.iter().all(Option::is_some),
                "{status} {errors:?}"
            );
            for error in errors.into_iter().flatten() {
                capture::inspect(&error);
                assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
            }
        },
    );
}

#[test]
fn arbitrary_bytes_are_neither_a_panic_nor_a_success() {
    let runtime = runtime();
    let (project, next) = scripted_server(&runtime);
    let builder = project.builder().retry(RetryPolicy::disabled());
    let client = builder.attempt_timeout(Duration::from_millis(300)).build().unwrap();
    *next.lock().unwrap() =
        scripted_project::successful_authenticate(&scripted_project::request(), 0);
    let member = client.as_member(Session::token(scripted_project::TOKEN));
    runtime.block_on(member.organization_id()).unwrap();
    holds(
        |random| if random.bool() { bytes(random) } else { head(random) },
        |bytes| {
            *next.lock().unwrap() = vec![Step::Send(bytes.into()), Step::Close];
            let error = runtime
                .block_on(member.update_connection("c", &scripted_project::rename("x")))
                .unwrap_err();
            capture::inspect(&error);
            let is_rejected = error.status().is_some_and(|status| status.is_client_error());
            assert_eq!(
                error.outcome() == Outcome::NotApplied,
                is_rejected && { error.status() != Some(http::StatusCode::REQUEST_TIMEOUT) }
            );
        },
    );
}

/// The head of a response, more or less.
fn head(random: &mut Rng) -> Vec<u8> {
    let printable: String = (' '..='~').collect();
    let mut head = format!("HTTP/1.{} ", random.u8(0..=1));
    head += &characters(random, "0123456789", 4);
    head += &characters(random, &printable, 8);
    for _ in 0..random.u8(0..=3) {
        head += "\r\n";
        head += &characters(random, "acegiknoprtxyz:0123456789 -", 16);
    }
    head += random.choice(["", "\r\n\r\n"]).unwrap();
    head += &characters(random, &printable, 9);
    head.into_bytes()
}
