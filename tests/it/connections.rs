//! Connections that aren't made: nothing was sent, so nothing was applied.

use std::{sync::Arc, time::Duration};

use reqwest::dns::{Name, Resolve, Resolving};
use stytch_sso_external::{Client, ClientBuilder, Outcome, RetryPolicy, Session, bindings};
use tokio::time::Instant;

use crate::support::{
    fast_time::accelerate,
    scripted_project::{self, ScriptedProject, variant},
    scripted_server::{self, ScriptedServer},
    steps::{self, Step, Steps},
};

/// A client that has the project's keys and no connection left.
async fn with_keys(
    settings: impl FnOnce(&ScriptedProject) -> Client,
    update: Steps,
) -> (Client, ScriptedProject) {
    let keys = |request: &_, before| {
        [scripted_project::successful_jwks(request, before), vec![Step::Close]].concat()
    };
    let project =
        ScriptedProject::scripted(keys, scripted_project::successful_authenticate, move |_, _| {
            update.clone()
        })
        .await;
    let client = settings(&project);
    client.warm_up().await.unwrap();
    (client, project)
}

#[tokio::test]
async fn update_to_a_closed_port_is_not_applied() {
    for (policy, attempts) in [(scripted_project::retry(), 3), (RetryPolicy::disabled(), 1)] {
        let settings = |project: &ScriptedProject| project.builder().retry(policy).build().unwrap();
        let (client, project) = with_keys(settings, vec![]).await;
        project.server.stop().await;
        let began = Instant::now();
        let error = scripted_project::update(&client).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(3));
        assert_eq!(variant(&error), "Transport");
        assert_eq!((error.status(), error.request_id()), (None, None));
        assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
        assert_eq!((error.attempts(), error.is_retryable()), (attempts, true));
    }
}

#[tokio::test]
async fn unreachable_host_applies_nothing() {
    let silent = scripted_server::nobody().await;
    for base_url in [&*silent, "https://does-not-exist.invalid"] {
        for session in [scripted_project::session(), Session::token(scripted_project::TOKEN)] {
            let builder = scripted_project::builder(base_url)
                .retry(scripted_project::retry().max_attempts(2));
            let builder = builder.configure_http(|http| http.dns_resolver(Arc::new(NoSuchHost)));
            let client = builder.build().unwrap();
            let error = scripted_project::update_as(&client, session).await.unwrap_err();
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
    type Settings = fn(&ScriptedProject) -> Client;
    let settings: [(&str, Settings); 3] = [
        ("timeout", |project| project.builder().attempt_timeout(SHORT).build().unwrap()),
        ("connect timeout", |project| project.builder().connect_timeout(SHORT).build().unwrap()),
        ("deadline", |project| project.builder().operation_timeout(SHORT * 3).build().unwrap()),
    ];
    accelerate();
    for (what, settings) in settings {
        let (client, mut project) = with_keys(settings, vec![]).await;
        let _queue = project.server.stall().await;
        let began = Instant::now();
        let error = scripted_project::update(&client).await.unwrap_err();
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
    accelerate();
    for (what, settings) in settings {
        let server = ScriptedServer::start_mute().await;
        let client = settings(scripted_project::builder(&server.url_at("https", "127.0.0.1")))
            .build()
            .unwrap();
        let error = scripted_project::update_as(&client, Session::token(scripted_project::TOKEN))
            .await
            .unwrap_err();
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
    let server = ScriptedServer::start_mute().await;
    let client = scripted_project::builder(&server.url())
        .attempt_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let began = Instant::now();
    let error = client.bindings().get_jwks(scripted_project::PROJECT).await.unwrap_err();
    assert!(
        matches!(&error, bindings::ProjectClientError::CommunicationError(error) if error.is_timeout()),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn reset_of_authenticate_is_not_applied() {
    let server = ScriptedServer::start_resetting().await;
    let client = scripted_project::builder(&server.url()).build().unwrap();
    let error = scripted_project::update_as(&client, Session::token(scripted_project::TOKEN))
        .await
        .unwrap_err();
    assert_eq!((variant(&error), error.outcome()), ("Transport".into(), Outcome::NotApplied));
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn pooled_connection_that_was_closed_is_replaced() {
    let project = ScriptedProject::start(|_, _| {
        [steps::json(200, &scripted_project::updated()), vec![Step::Close]].concat()
    });
    let project = project.await;
    let client = project.builder().retry(RetryPolicy::disabled()).build().unwrap();
    for _ in 0..20 {
        scripted_project::update(&client).await.unwrap();
    }
    assert_eq!(project.updates(), 20);
}

#[tokio::test]
async fn warm_up_opens_the_connection_of_the_first_update() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.client();
    client.warm_up().await.unwrap();
    assert_eq!(project.server.connections(), 1);
    scripted_project::update(&client).await.unwrap();
    assert_eq!((project.updates(), project.server.connections()), (1, 1));
}
