//! Connections that aren't made: nothing was sent, so nothing was applied.

use stytch_sso_external::bindings::ProjectClientError;

use crate::support::prelude::*;

type Settings = fn(ClientBuilder) -> ClientBuilder;
const SHORT: Duration = Duration::from_millis(100);

/// A client that has the project's keys and no connection left.
async fn with_keys(
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, ScriptedProject) {
    let keys = |request: &_, before| [successful(request, before), vec![Step::Close]].concat();
    let project = ScriptedProject::scripted(keys, successful, successful).await;
    let client = settings(project.builder()).build().unwrap();
    client.warm_up().await.unwrap();
    (client, project)
}

#[tokio::test]
async fn update_to_a_closed_port_is_not_applied() {
    for (policy, attempts) in [(retry(), 3), (RetryPolicy::disabled(), 1)] {
        let (client, project) = with_keys(|it| it.retry(policy)).await;
        project.server.stop().await;
        let began = Instant::now();
        let error = update(&client).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(3));
        assert_eq!(facts(&error), (Transport, None, NotApplied), "{attempts}: {error:?}");
        let about = (error.request_id(), error.attempts(), error.is_retryable());
        assert_eq!(about, (None, attempts, true));
    }
}

#[tokio::test]
async fn unreachable_host_applies_nothing() {
    let silent = scripted_server::nobody().await;
    for base_url in [&*silent, "https://does-not-exist.invalid"] {
        for session in [session(), token()] {
            let builder = builder(base_url).retry(retry().max_attempts(2));
            let builder = builder.configure_http(|http| http.dns_resolver(NoDns));
            let error = update_as(&builder.build().unwrap(), session).await.unwrap_err();
            assert_eq!(facts(&error), (Transport, None, NotApplied), "{base_url}");
            assert_eq!((error.request_id(), error.attempts()), (None, 2), "{base_url}");
        }
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn timeout_while_connecting_applies_nothing() {
    let settings: [(&str, Settings); 3] = [
        ("timeout", |builder| builder.attempt_timeout(SHORT)),
        ("connect timeout", |builder| builder.connect_timeout(SHORT)),
        ("deadline", |builder| builder.operation_timeout(SHORT * 3)),
    ];
    accelerate();
    for (what, settings) in settings {
        let (client, mut project) = with_keys(settings).await;
        let _queue = project.server.stall().await;
        let began = Instant::now();
        let error = update(&client).await.unwrap_err();
        let took = began.elapsed();
        assert!(took < SHORT * 3 + Duration::from_secs(3), "{what} took {took:?}");
        assert_eq!(facts(&error), (Transport, None, NotApplied), "{what}: {error:?}");
        assert!(error.to_string().contains("connecting"), "{what}: {error}");
        assert!(error.is_retryable(), "{what}");
    }
}

#[tokio::test]
async fn connection_that_is_reset_or_whose_handshake_hangs_applies_nothing() {
    accelerate();
    let rows: [(_, _, Settings); 3] = [
        // Whichever time ends the attempt.
        (Step::Hang, "https", |builder| builder.attempt_timeout(SHORT)),
        (Step::Hang, "https", |builder| builder.connect_timeout(SHORT)),
        (Step::Reset, "http", |builder| builder),
    ];
    for (step, scheme, settings) in rows {
        let server = ScriptedServer::start_greeting(step).await;
        let client = settings(builder(&server.url_at(scheme, "127.0.0.1"))).build().unwrap();
        let error = update_as(&client, token()).await.unwrap_err();
        assert_eq!(facts(&error), (Transport, None, NotApplied), "{error:?}");
        assert_eq!((error.attempts(), server.connections()), (3, 3), "{error:?}");
    }
}

#[tokio::test]
async fn bindings_end_with_the_attempt_timeout() {
    let server = ScriptedServer::start_greeting(Step::Hang).await;
    let client = builder(&server.url()).attempt_timeout(SHORT).build().unwrap();
    accelerate();
    let began = Instant::now();
    let error = client.bindings().get_jwks(PROJECT).await.unwrap_err();
    let ProjectClientError::CommunicationError(error) = error else { panic!("{error:?}") };
    assert!(error.is_timeout(), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn pooled_connection_that_was_closed_is_replaced() {
    let closing = [steps::json(200, &updated()), vec![Step::Close]].concat();
    let project = ScriptedProject::responding(closing).await;
    let client = project.client_without_retries();
    for _ in 0..20 {
        update(&client).await.unwrap();
    }
    assert_eq!(project.updates(), 20);
}

#[tokio::test]
async fn warm_up_opens_the_connection_of_the_first_update() {
    let (project, client) = ScriptedProject::successful().await.with_client();
    client.warm_up().await.unwrap();
    assert_eq!(project.server.connections(), 1);
    update(&client).await.unwrap();
    assert_eq!((project.updates(), project.server.connections()), (1, 1));
}
