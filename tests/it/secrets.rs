//! No credential appears in `Debug`, `Display`, error sources, events or panic messages.
//!
//! `support/capture.rs` searches every event of the process at every level. These tests check
//! that it finds credentials, and call a server that echoes the credentials of its caller.

use stytch_sso_external::bindings::{ClientInfo, Credential};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{capture::Capture, prelude::*};

const LEAK: &str = "TEST_LEAK";

#[tokio::test]
async fn a_credential_in_any_event_ends_the_process() {
    let ways = ["event", "error", "span", "record", "log", "panic", "jwt", "secret", "basic"];
    let ways_of_a_thread = ["layer event", "layer span", "layer record"];
    for way in ways.into_iter().chain(ways_of_a_thread).chain(["nothing"]) {
        let leak = async || leak(&std::env::var(LEAK).unwrap());
        let output = child::output_of(&[(LEAK, way)], leak).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let (is_leak, succeeds) = (stderr.contains(capture::LEAKED), output.status.success());
        assert_eq!((is_leak, succeeds), (way != "nothing", way == "nothing"), "{way}: {stderr}");
    }
}

/// Returns the way, unless it ends the process.
fn leak(way: &str) -> String {
    capture::register(SECRET);
    if let Some(way) = way.strip_prefix("layer ") {
        let subscriber = tracing_subscriber::registry().with(Capture);
        return tracing::subscriber::with_default(subscriber, || leak(way));
    }
    match way {
        "event" => tracing::trace!("{SECRET}"),
        "error" => {
            let error: Box<dyn std::error::Error> = SECRET.into();
            tracing::warn!(error = &*error);
        }
        "span" => drop(tracing::trace_span!("call", secret = SECRET)),
        "record" => {
            let span = tracing::info_span!("call", secret = tracing::field::Empty);
            span.record("secret", SECRET);
        }
        "log" => log::trace!("{SECRET}"),
        "panic" => drop(std::panic::catch_unwind(|| panic!("{SECRET}"))),
        // Not registered, but looks like a credential.
        "jwt" => tracing::debug!("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJwcm9qZWN0In0.c2ln"),
        "secret" => tracing::debug!("secret-live-x"),
        "basic" => log::debug!("Basic cHJvamVjdDpzZWNyZXQ="),
        _ => tracing::error!("nothing to see"),
    }
    way.to_owned()
}

#[tokio::test]
async fn capture_receives_events_of_the_client_and_its_http_library() {
    if !child::is_alone(capture_receives_events_of_the_client_and_its_http_library).await {
        return;
    }
    let before = ["stytch_sso_external", "reqwest"].map(capture::seen);
    let project = ScriptedProject::successful().await;
    update(&project.client()).await.unwrap();
    let after = ["stytch_sso_external", "reqwest"].map(capture::seen);
    assert!(after[0] > before[0] && after[1] > before[1], "{before:?} {after:?}");
}

/// `Debug` of the whole public API.
#[tokio::test]
async fn no_debug_shows_a_credential() {
    let jwt = sign(&claims());
    let project = ScriptedProject::successful().await;
    capture::inspect_debug(&project.builder());
    let client = project.client();
    let (id, update) = (CONNECTION, rename("x"));
    for session in [Session::jwt(jwt.clone()), token()] {
        let member = client.as_member(session.clone());
        let response = member.update_connection(id, &update).await.unwrap();
        capture::inspect_debug(&(session, &member, response, member.session()));
    }
    let bindings = client.bindings();
    capture::inspect_debug(&(&client, bindings, bindings.client()));
    let session_token = Some(Credential::new(TOKEN));
    let request = types::AuthenticateSessionRequest { session_token, session_jwt: None };
    let response = bindings.authenticate_session(&request).await.unwrap();
    capture::inspect_debug(&(request, response));
    let updated =
        bindings.update_external_connection(ORGANIZATION, id, Some(TOKEN), Some(&jwt), &update);
    capture::inspect_debug(&updated.await);
}

/// Responses that echo a credential in every place.
fn echo(status: u16, credential: &str) -> Vec<Steps> {
    let error = json!({
        "status_code": status,
        "request_id": credential,
        "error_type": credential,
        "error_message": credential,
        "error_url": credential,
        "error_details": {"echo": credential},
        credential: credential,
    });
    let mut inside = error.clone();
    inside["request_id"] = json!(format!("request-id-test-{credential}"));
    inside["error_type"] = json!(format!("not_{credential}_"));
    let mut updated = updated();
    updated["request_id"] = json!(credential);
    let mut foreign = updated.clone();
    foreign["connection"]["connection_id"] = json!(credential);
    let headers = format!("location: http://{credential}/\r\nretry-after: {credential}\r\n");
    vec![
        steps::json(status, &error),
        steps::json(status, &inside),
        steps::json(status, &json!([error])),
        steps::json(status, &updated),
        steps::json(status, &foreign),
        steps::http(status, &headers, format!("<p>{credential}</p>")),
        vec![
            Step::Send(format!("HTTP/1.1 {status} {credential}\r\n{credential}: ").into()),
            Step::Close,
        ],
        vec![Step::Send(format!("{credential}\r\n\r\n").into()), Step::Close],
    ]
}

#[tokio::test]
async fn credential_echoed_by_the_server_is_not_printed() {
    let jwt = sign(&claims());
    let updates = ScriptedProject::successful().await;
    let others = ScriptedProject::successful().await;
    let clock = Clock::stopped();
    let client_of = |project: &ScriptedProject| {
        // Two attempts, since retries are logged.
        let policy = RetryPolicy::default().max_attempts(2).initial_backoff(Duration::ZERO);
        project.builder().retry(policy).clock(clock.clone()).build().unwrap()
    };
    let clients = [client_of(&updates), client_of(&others)];
    let statuses = [200, 302, 403, 429, 500, 503];
    let rows = statuses.iter().flat_map(|status| [SECRET, TOKEN, &jwt].map(|it| (*status, it)));
    for (status, credential) in rows {
        for (n, steps) in echo(status, credential).into_iter().enumerate() {
            let requests =
                || [updates.updates(), others.authenticate_requests(), others.jwks_requests()];
            let before = requests();
            updates.respond(UPDATE, steps.clone());
            others.respond(AUTHENTICATE, steps.clone());
            others.respond(JWKS, steps);
            // `update_as` inspects errors, the capture inspects events. A server knows only
            // what it received, so it can't echo a session that the request didn't carry.
            if credential != TOKEN {
                let _ = update_as(&clients[0], Session::jwt(&jwt)).await;
            }
            let _ = update_as(&clients[0], token()).await;
            let _ = update_as(&clients[1], token()).await;
            if credential == SECRET {
                // Beyond the backoff after the last failure.
                clock.advance(Duration::from_secs(30));
                capture::inspect(&clients[1].warm_up().await.unwrap_err());
            }
            let [updates, authenticate, jwks] = [0, 1, 2].map(|of| requests()[of] - before[of]);
            let is_enough = updates > usize::from(credential != TOKEN) && authenticate > 0;
            assert!(is_enough, "HTTP {status}, {n}: {updates} updates, {authenticate} others");
            assert_eq!(jwks, usize::from(credential == SECRET), "HTTP {status}, {n}");
        }
    }
}

#[tokio::test]
async fn accessors_return_what_display_redacts() {
    let body = json!({"request_id": TOKEN, "error_type": "new_type", "error_message": SECRET});
    let project = ScriptedProject::responding(steps::json(403, &body)).await;
    let error = update_as(&project.client(), token()).await.unwrap_err();
    assert_eq!(error.request_id(), Some(TOKEN));
    assert_eq!(error.error_message(), Some(SECRET));
    assert_eq!(error.error_details(), None::<&Value>);
}
