//! Properties of all ids, claims and responses, checked with random ones.

use std::{cell::Cell, fmt::Debug, iter};

use fastrand::Rng;
use percent_encoding::percent_decode_str;

use crate::support::prelude::*;

/// Checks a property with many random values: the same each time, so that failures are
/// reproducible. The test's output ends with the value that failed.
async fn holds<V: Debug>(value: impl Fn(&mut Rng) -> V, property: impl AsyncFn(V)) {
    let mut random = Rng::with_seed(1);
    for _ in 0..128 {
        let value = value(&mut random);
        println!("{value:?}");
        property(value).await;
    }
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

#[tokio::test]
async fn update_is_sent_to_its_organization_and_connection_or_not_at_all() {
    let (project, client) = ScriptedProject::responding(html(404)).await.with_client();
    let host = project.server.url().replace("http://", "");
    let updates_sent = Cell::new(0);
    let values = |random: &mut Rng| (id(random), id(random), time(random), time(random));
    holds(values, async |(organization, connection, exp, nbf)| {
        let member = client.as_member(session(&organization, exp, nbf));
        let error = member.update_connection(&connection, &rename("Acme")).await.unwrap_err();
        capture::inspect(&error);
        let sent = project.server.take();
        let updates: Vec<_> = sent.iter().filter(|request| request.method == "PUT").collect();
        // Of the update, and not of `sessions/authenticate`.
        let was_sent = error.operation() == UPDATE && error.status().is_some();
        assert_eq!(updates.len(), usize::from(was_sent), "{error:?}");
        for request in &sent {
            assert_eq!(request.header("host"), Some(&*host));
        }
        let Some(update) = updates.first() else {
            assert_eq!(error.outcome(), NotApplied);
            return;
        };
        updates_sent.set(updates_sent.get() + 1);
        // If the JWT has expired, the organization comes from `sessions/authenticate`.
        let is_authenticated = sent.iter().any(|request| request.method == "POST");
        let organization = if is_authenticated { ORGANIZATION.into() } else { organization };
        assert_eq!(ids_of(&update.target), (organization, connection));
        assert!(update.header("x-stytch-member-sessionjwt").is_some());
    })
    .await;
    assert!(updates_sent.get() > 25, "only {} updates were sent", updates_sent.get());
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
    Session::jwt(jwt::sign(&header(), &claims, &KEY))
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
        updated(),
        rejected(403, "session_authorization_error"),
        authenticated("a.b.c"),
        json!({"keys": [KEY.jwk()]}),
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

/// Replaces the response to any request.
fn respond(project: &ScriptedProject, steps: &[Step]) {
    for operation in [JWKS, AUTHENTICATE, UPDATE] {
        project.respond(operation, steps.to_vec());
    }
}

#[tokio::test]
async fn errors_keep_the_status_of_any_response() {
    let (project, clock) = (ScriptedProject::successful().await, Clock::stopped());
    let uncached = project.builder().retry(RetryPolicy::disabled()).clock(clock.clone());
    let (uncached, cached) = (uncached.build().unwrap(), project.client_without_retries());
    cached.as_member(token()).organization_id().await.unwrap();
    let calls = Cell::new(0);
    let status = |random: &mut Rng| {
        let common = random.choice([200, 403, 429, 500, 503]).unwrap();
        if random.bool() { common } else { random.u16(200..=999) }
    };
    holds(
        |random| (status(random), body(random)),
        async |(status, body)| {
            let response = steps::http(status, "connection: close\r\n", body);
            respond(&project, &[response, vec![Step::Close]].concat());
            let updated = update_as(&cached, token()).await;
            // A new token each time, since a success is cached.
            calls.set(calls.get() + 1);
            let fresh = Session::token(format!("{TOKEN}-{}", calls.get()));
            let organization = uncached.as_member(fresh).organization_id().await;
            // Beyond the backoff after the last failure.
            clock.advance(Duration::from_secs(30));
            let errors = [updated.err(), organization.err(), uncached.warm_up().await.err()];
            let may_succeed = (200..300).contains(&status);
            assert!(may_succeed || errors.iter().all(Option::is_some), "{status} {errors:?}");
            for error in errors.into_iter().flatten() {
                capture::inspect(&error);
                assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
            }
        },
    )
    .await;
}

#[tokio::test]
async fn arbitrary_bytes_are_neither_a_panic_nor_a_success() {
    let project = ScriptedProject::successful().await;
    let builder = project.builder().retry(RetryPolicy::disabled());
    let client = builder.attempt_timeout(Duration::from_millis(300)).build().unwrap();
    let member = client.as_member(token());
    member.organization_id().await.unwrap();
    holds(
        |random| if random.bool() { bytes(random) } else { head(random) },
        async |bytes| {
            respond(&project, &[Step::Send(bytes.into()), Step::Close]);
            let error = member.update_connection("c", &rename("x")).await.unwrap_err();
            capture::inspect(&error);
            let status = error.status().map_or(0, |status| status.as_u16());
            let is_rejected = (400..500).contains(&status) && status != 408;
            assert_eq!(error.outcome() == NotApplied, is_rejected, "{error:?}");
        },
    )
    .await;
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
