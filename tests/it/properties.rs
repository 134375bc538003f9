//! What holds for any id, any claims and any answer, tried with made-up ones.

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
};

use percent_encoding::percent_decode_str;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;
use stytch_sso_external::{Outcome, RetryPolicy, Session, testing::jwt};

use crate::support::{
    capture,
    lab::{self, Lab, claims},
    play::{self, Act, Play},
};

/// Runs a property many times, each on the same runtime. Nothing is written to the sources.
fn holds<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    // The same cases each time: a failure that comes and goes mends nothing.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random).run(strategy, property).unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Ids of any kind, with a liking for those that parsers trip over.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => any::<String>(),
        1 => r"[./\\%a-zA-Z0-9?#@:; \x00-\x1f-]{0,12}",
        1 => r"(\.|%2e|%2E|/|%2f|\\|%5c|\?|#|%){1,6}",
        3 => "[a-z0-9-]{1,64}",
        1 => Just(String::new()),
    ]
}

/// Takes the target of an update apart, or says what it is instead.
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
fn an_update_goes_to_its_organization_and_connection_or_nowhere() {
    let runtime = runtime();
    let lab = runtime.block_on(Lab::answering(play::html(404)));
    let client = lab.client();
    let host = lab.server.url().replace("http://", "");
    let sent_at_all = Cell::new(0);
    holds(&(id(), id(), time(), time()), |(organization, connection, exp, nbf)| {
        let jwt = session(&organization, exp, nbf);
        let member = client.as_member(jwt);
        let update = lab::rename("Acme");
        let error = runtime.block_on(member.update_connection(&connection, &update)).unwrap_err();
        capture::inspect(&error);
        let sent = lab.server.take();
        let updates: Vec<_> = sent.iter().filter(|request| request.method == "PUT").collect();
        prop_assert_eq!(updates.len(), usize::from(error.status().is_some()), "{:?}", error);
        for request in &sent {
            prop_assert_eq!(request.header("host"), Some(&*host));
        }
        let Some(update) = updates.first() else {
            prop_assert_eq!(error.outcome(), Outcome::NotApplied);
            return Ok(());
        };
        sent_at_all.set(sent_at_all.get() + 1);
        let (to_organization, to_connection) = ids_of(&update.target)?;
        prop_assert_eq!(to_connection, connection);
        // Where the JWT has expired, Stytch says which organization it is.
        let was_asked = sent.iter().any(|request| request.method == "POST");
        let expected = if was_asked { lab::ORGANIZATION } else { &organization };
        prop_assert_eq!(to_organization, expected);
        prop_assert!(update.header("x-stytch-member-sessionjwt").is_some());
        Ok(())
    });
    assert!(sent_at_all.get() > 50, "only {} updates were sent", sent_at_all.get());
}

fn session(organization: &str, exp: Option<u64>, nbf: Option<u64>) -> Session {
    let mut claims = claims();
    claims["https://stytch.com/organization"]["organization_id"] = json!(organization);
    for (claim, time) in [("exp", exp), ("nbf", nbf)] {
        if let Some(time) = time {
            claims[claim] = json!(time);
        }
    }
    // Not registered: they are too many, and look like what they are.
    Session::jwt(jwt::sign(&lab::header(), &claims, &lab::KEY))
}

/// A claim's time of which nearly every JWT keeps the good one.
fn time() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![8 => Just(None), 1 => any::<u64>().prop_map(Some), 1 => (0..u64::from(u32::MAX)).prop_map(Some)]
}

/// Bodies: noise, JSON of any kind, and Stytch's own with bytes changed or cut off.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        lab::updated().to_string(),
        lab::refused(403, "session_authorization_error").to_string(),
        lab::authenticated("a.b.c").to_string(),
        json!({"keys": [lab::KEY.jwk()]}).to_string(),
    ];
    let spoilt = (prop::sample::select(known.to_vec()), any::<prop::sample::Index>(), any::<u8>());
    let changed = spoilt.clone().prop_map(|(text, at, byte)| {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    let cut = spoilt.prop_map(|(text, at, _)| text.as_bytes()[..at.index(text.len())].to_vec());
    let json = r#"[\[\]{}",:0-9a-z\\ ]{0,40}"#.prop_map(String::into_bytes);
    prop_oneof![any::<Vec<u8>>(), json, changed, cut]
}

/// A client without retries, and what its server answers next, to whatever is asked.
fn answered(runtime: &tokio::runtime::Runtime) -> (Lab, Arc<Mutex<Play>>) {
    let next = Arc::new(Mutex::new(Play::new()));
    let [keys, sessions, updates] = [0; 3].map(|_| Arc::clone(&next));
    let lab = runtime.block_on(Lab::scripted(
        move |_, _| keys.lock().unwrap().clone(),
        move |_, _| sessions.lock().unwrap().clone(),
        move |_, _| updates.lock().unwrap().clone(),
    ));
    (lab, next)
}

#[test]
fn an_error_keeps_the_status_of_any_answer() {
    let runtime = runtime();
    let (lab, next) = answered(&runtime);
    let detour = lab.builder().retry(RetryPolicy::off()).build().unwrap();
    let asked = lab.builder().retry(RetryPolicy::off()).build().unwrap();
    runtime.block_on(async {
        *next.lock().unwrap() = lab::polite_authenticate(&lab::request(), 0);
        asked.as_member(Session::token(lab::TOKEN)).organization_id().await.unwrap();
    });
    let calls = Cell::new(0);
    let statuses = prop_oneof![200..=999u16, prop::sample::select(vec![200, 403, 429, 500, 503])];
    holds(&(statuses, body()), |(status, body)| {
        let headers = "connection: close\r\n";
        *next.lock().unwrap() = [play::http(status, headers, body), vec![Act::Close]].concat();
        let token = || Session::token(lab::TOKEN);
        let updated = runtime.block_on(lab::update_as(&asked, token()));
        // A new token each time: what a good answer said is remembered.
        calls.set(calls.get() + 1);
        let fresh = Session::token(format!("{}-{}", lab::TOKEN, calls.get()));
        let organization = runtime.block_on(detour.as_member(fresh).organization_id());
        let keys = runtime.block_on(detour.warm_up());
        let errors = [updated.err(), organization.err(), keys.err()];
        prop_assert!(status == 200 || errors.iter().all(Option::is_some), "{status} {errors:?}");
        for error in errors.into_iter().flatten() {
            capture::inspect(&error);
            prop_assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        }
        Ok(())
    });
}

#[test]
fn no_bytes_in_place_of_an_answer_are_a_panic_or_a_success() {
    let runtime = runtime();
    let (lab, next) = answered(&runtime);
    let builder = lab.builder().retry(RetryPolicy::off());
    let client = builder.timeout(std::time::Duration::from_millis(300)).build().unwrap();
    *next.lock().unwrap() = lab::polite_authenticate(&lab::request(), 0);
    let member = client.as_member(Session::token(lab::TOKEN));
    runtime.block_on(member.organization_id()).unwrap();
    let line =
        r"HTTP/1\.[01] [0-9]{1,4}[ -~]{0,8}(\r\n[a-z:0-9 -]{0,16}){0,3}(\r\n\r\n)?[ -~]{0,9}";
    let bytes = prop_oneof![any::<Vec<u8>>(), line.prop_map(String::into_bytes)];
    holds(&bytes, |bytes| {
        *next.lock().unwrap() = vec![Act::Send(bytes.into()), Act::Close];
        let error = runtime.block_on(member.update_connection("c", &lab::rename("x"))).unwrap_err();
        capture::inspect(&error);
        let is_refused = error.status().is_some_and(|status| status.is_client_error());
        prop_assert_eq!(
            error.outcome() == Outcome::NotApplied,
            is_refused && { error.status() != Some(http::StatusCode::REQUEST_TIMEOUT) }
        );
        Ok(())
    });
}
