//! Connections that aren't made: nothing was sent, so nothing was applied.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::dns::{Name, Resolve, Resolving};
use stytch_sso_external::{Client, ClientBuilder, Outcome, RetryPolicy, Session, bindings};

use crate::support::{
    hostile::{self, Hostile},
    lab::{self, Lab, variant},
    play::{self, Act, Play},
};

/// A client that has the project's keys and no connection left.
async fn with_keys(settings: impl FnOnce(&Lab) -> Client, update: Play) -> (Client, Lab) {
    let keys =
        |request: &_, before| [lab::successful_jwks(request, before), vec![Act::Close]].concat();
    let lab = Lab::scripted(keys, lab::successful_authenticate, move |_, _| update.clone()).await;
    let client = settings(&lab);
    client.warm_up().await.unwrap();
    (client, lab)
}

#[tokio::test]
async fn a_closed_port_applies_nothing() {
    for (policy, attempts) in [(lab::retry(), 3), (RetryPolicy::disabled(), 1)] {
        let settings = |lab: &Lab| lab.builder().retry(policy).build().unwrap();
        let (client, lab) = with_keys(settings, vec![]).await;
        lab.server.stop().await;
        let began = Instant::now();
        let error = lab::update(&client).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(3));
        assert_eq!(variant(&error), "Transport");
        assert_eq!((error.status(), error.request_id()), (None, None));
        assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
        assert_eq!((error.attempts(), error.is_retryable()), (attempts, true));
    }
}

#[tokio::test]
async fn unreachable_host_applies_nothing() {
    let silent = hostile::nobody().await;
    for base_url in [&*silent, "https://does-not-exist.invalid"] {
        for session in [lab::session(), Session::token(lab::TOKEN)] {
            let builder = lab::builder(base_url).retry(lab::retry().max_attempts(2));
            let builder = builder.configure_http(|http| http.dns_resolver(Arc::new(NoSuchHost)));
            let client = builder.build().unwrap();
            let error = lab::update_as(&client, session).await.unwrap_err();
            assert_eq!(variant(&error), "Transport", "{base_url}");
            assert_eq!((error.status(), error.request_id()), (None, None), "{base_url}");
            assert_eq!(error.outcome(), Outcome::NotApplied, "{base_url}");
            assert_eq!(error.attempts(), 2, "{base_url}");
        }
    }
}

/// A resolver that finds no host. The network's own might.
struct NoSuchHost;

impl Resolve for NoSuchHost {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err("no such host".into()) })
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn timeout_while_connecting_applies_nothing() {
    const SHORT: Duration = Duration::from_millis(100);
    type Settings = fn(&Lab) -> Client;
    let settings: [(&str, Settings); 3] = [
        ("timeout", |lab| lab.builder().attempt_timeout(SHORT).build().unwrap()),
        ("connect timeout", |lab| lab.builder().connect_timeout(SHORT).build().unwrap()),
        ("deadline", |lab| lab.builder().operation_timeout(SHORT * 3).build().unwrap()),
    ];
    for (what, settings) in settings {
        let (client, mut lab) = with_keys(settings, vec![]).await;
        let _queue = lab.server.stall().await;
        let began = Instant::now();
        let error = lab::update(&client).await.unwrap_err();
        let took = began.elapsed();
        assert!(took < SHORT * 3 + Duration::from_secs(3), "{what} took {took:?}");
        assert_eq!(variant(&error), "Transport", "{what}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{what}: {error:?}");
        assert!(error.to_string().contains("connecting"), "{what}: {error}");
        assert!(error.is_retryable(), "{what}");
    }
}

#[tokio::test]
async fn a_tls_handshake_without_a_response_applies_nothing() {
    const SHORT: Duration = Duration::from_millis(100);
    type Settings = fn(ClientBuilder) -> ClientBuilder;
    // Whichever time ends the attempt.
    let settings: [(&str, Settings); 2] = [
        ("timeout", |builder| builder.attempt_timeout(SHORT)),
        ("connect timeout", |builder| builder.connect_timeout(SHORT)),
    ];
    for (what, settings) in settings {
        let server = Hostile::start_mute().await;
        let client = settings(lab::builder(&server.url_at("https", "127.0.0.1"))).build().unwrap();
        let error = lab::update_as(&client, Session::token(lab::TOKEN)).await.unwrap_err();
        assert_eq!(
            (variant(&error), error.outcome()),
            ("Transport".into(), Outcome::NotApplied),
            "{what}"
        );
        assert_eq!((error.attempts(), server.connections()), (3, 3), "{what}");
    }
}

#[tokio::test]
async fn bindings_end_with_the_attempt_timeout() {
    let server = Hostile::start_mute().await;
    let client =
        lab::builder(&server.url()).attempt_timeout(Duration::from_millis(100)).build().unwrap();
    let began = Instant::now();
    let error = client.bindings().get_jwks(lab::PROJECT).await.unwrap_err();
    assert!(
        matches!(&error, bindings::Error::CommunicationError(error) if error.is_timeout()),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn reset_of_authenticate_is_not_applied() {
    let server = Hostile::start_resetting().await;
    let client = lab::builder(&server.url()).build().unwrap();
    let error = lab::update_as(&client, Session::token(lab::TOKEN)).await.unwrap_err();
    assert_eq!((variant(&error), error.outcome()), ("Transport".into(), Outcome::NotApplied));
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn pooled_connection_that_was_closed_is_replaced() {
    let lab = Lab::start(|_, _| [play::json(200, &lab::updated()), vec![Act::Close]].concat());
    let lab = lab.await;
    let client = lab.builder().retry(RetryPolicy::disabled()).build().unwrap();
    for _ in 0..20 {
        lab::update(&client).await.unwrap();
    }
    assert_eq!(lab.updates(), 20);
}

#[tokio::test]
async fn warm_up_opens_the_connection_of_the_first_update() {
    let lab = Lab::responding(play::json(200, &lab::updated())).await;
    let client = lab.client();
    client.warm_up().await.unwrap();
    assert_eq!(lab.server.connections(), 1);
    lab::update(&client).await.unwrap();
    assert_eq!((lab.updates(), lab.server.connections()), (1, 1));
}
