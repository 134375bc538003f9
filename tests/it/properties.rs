//! Properties of all ids, claims and responses, checked with random ones.

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
    time::Duration,
};

use percent_encoding::percent_decode_str;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;
use stytch_sso_external::{
    Outcome, RetryPolicy, Session,
    testing::{Clock, jwt},
};

use crate::support::{
    capture,
    scripted_project::{self, ScriptedProject, claims},
    steps::{self, Step, Steps},
};

/// Checks a property with many values. Writes no regression files to the sources.
fn holds<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    // The same cases each time, so that failures are reproducible.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random).run(strategy, property).unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Ids of any kind, often with characters that are special to parsers.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => any::<String>(),
        1 => r"[./\\%a-zA-Z0-9?#@:; \x00-\x1f-]{0,12}",
        1 => r"(\.|%2e|%2E|/|%2f|\\|%5c|\?|#|%){1,6}",
        3 => "[a-z0-9-]{1,64}",
        1 => Just(String::new()),
    ]
}

/// Returns the ids in the target of an update, or fails if it isn't one.
fn ids_of(target: &str) -> Result<(String, String), TestCaseError> {
    let segments: Vec<&str> = target.split('/').collect();
    let ["", "v1", "b2b", "sso", "external", organization, "connections", connection] =
        segments[..]
    else {
        return Err(TestCaseError::fail(format!("the update went to {target}")));
    };
    prop_assert!(!target.contains(['?', '#', '\\', ' ']), "{target}");
    for segment in [organization, connection] {
        let folded = segment.to_lowercase().replace("%2e", ".");
        prop_assert!(!["", ".", ".."].contains(&&*folded), "{target}");
    }
    let decode = |segment| percent_decode_str(segment).decode_utf8().map(Into::into);
    Ok((decode(organization).unwrap(), decode(connection).unwrap()))
}

#[test]
fn update_is_sent_to_its_organization_and_connection_or_not_at_all() {
    let runtime = runtime();
    let project = runtime.block_on(ScriptedProject::responding(steps::html(404)));
    let client = project.client();
    let host = project.server.url().replace("http://", "");
    let updates_sent = Cell::new(0);
    holds(&(id(), id(), time(), time()), |(organization, connection, exp, nbf)| {
        let jwt = session(&organization, exp, nbf);
        let member = client.as_member(jwt);
        let update = scripted_project::rename("Acme");
        let error = runtime.block_on(member.update_connection(&connection, &update)).unwrap_err();
        capture::inspect(&error);
        let sent = project.server.take();
        let updates: Vec<_> = sent.iter().filter(|request| request.method == "PUT").collect();
        prop_assert_eq!(updates.len(), usize::from(error.status().is_some()), "{:?}", error);
        for request in &sent {
            prop_assert_eq!(request.header("host"), Some(&*host));
        }
        let Some(update) = updates.first() else {
            prop_assert_eq!(error.outcome(), Outcome::NotApplied);
            return Ok(());
        };
        updates_sent.set(updates_sent.get() + 1);
        let (to_organization, to_connection) = ids_of(&update.target)?;
        prop_assert_eq!(to_connection, connection);
        // If the JWT has expired, the organization comes from `sessions/authenticate`.
        let is_authenticated = sent.iter().any(|request| request.method == "POST");
        let expected =
            if is_authenticated { scripted_project::ORGANIZATION } else { &organization };
        prop_assert_eq!(to_organization, expected);
        prop_assert!(update.header("x-stytch-member-sessionjwt").is_some());
        Ok(())
    });
    assert!(updates_sent.get() > 50, "only {} updates were sent", updates_sent.get());
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
fn time() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![8 => Just(None), 1 => any::<u64>().prop_map(Some), 1 => (0..u64::from(u32::MAX)).prop_map(Some)]
}

/// Bodies: random bytes, JSON-like text, and Stytch's bodies, modified or truncated.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        scripted_project::updated().to_string(),
        scripted_project::rejected(403, "session_authorization_error").to_string(),
        scripted_project::authenticated("a.b.c").to_string(),
        json!({"keys": [scripted_project::KEY.jwk()]}).to_string(),
    ];
    let sample = (prop::sample::select(known.to_vec()), any::<prop::sample::Index>(), any::<u8>());
    let changed = sample.clone().prop_map(|(text, at, byte)| {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    let cut = sample.prop_map(|(text, at, _)| text.as_bytes()[..at.index(text.len())].to_vec());
    let json = r#"[\[\]{}",:0-9a-z\\ ]{0,40}"#.prop_map(String::into_bytes);
    prop_oneof![any::<Vec<u8>>(), json, changed, cut]
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
    let calls = Cell::new(0);
    let statuses = prop_oneof![200..=999u16, prop::sample::select(vec![200, 403, 429, 500, 503])];
    holds(&(statuses, body()), |(status, body)| {
        let headers = "connection: close\r\n";
        *next.lock().unwrap() = [steps::http(status, headers, body), vec![Step::Close]].concat();
        let token = || Session::token(scripted_project::TOKEN);
        let updated = runtime.block_on(scripted_project::update_as(&cached, token()));
        // A new token each time, since a success is cached.
        calls.set(calls.get() + 1);
        let fresh = Session::token(format!("{}-{}", scripted_project::TOKEN, calls.get()));
        let organization = runtime.block_on(uncached.as_member(fresh).organization_id());
        // Beyond the backoff after the last failure.
        clock.advance(Duration::from_secs(30));
        let keys = runtime.block_on(uncached.warm_up());
        let errors = [updated.err(), organization.err(), keys.err()];
        prop_assert!(
            (200..300).contains(&status) || errors.iter().all(Option::is_some),
            "{status} {errors:?}"
        );
        for error in errors.into_iter().flatten() {
            capture::inspect(&error);
            prop_assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        }
        Ok(())
    });
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
    let line =
        r"HTTP/1\.[01] [0-9]{1,4}[ -~]{0,8}(\r\n[a-z:0-9 -]{0,16}){0,3}(\r\n\r\n)?[ -~]{0,9}";
    let bytes = prop_oneof![any::<Vec<u8>>(), line.prop_map(String::into_bytes)];
    holds(&bytes, |bytes| {
        *next.lock().unwrap() = vec![Step::Send(bytes.into()), Step::Close];
        let error = runtime
            .block_on(member.update_connection("c", &scripted_project::rename("x")))
            .unwrap_err();
        capture::inspect(&error);
        let is_rejected = error.status().is_some_and(|status| status.is_client_error());
        prop_assert_eq!(
            error.outcome() == Outcome::NotApplied,
            is_rejected && { error.status() != Some(http::StatusCode::REQUEST_TIMEOUT) }
        );
        Ok(())
    });
}
