//! No credential appears in `Debug`, `Display`, error sources, events or panic messages.
//!
//! `support/capture.rs` searches every event of the process at every level. These tests check
//! that it finds credentials, and call a server that echoes the credentials of its caller.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use stytch_sso_external::{
    Client, RetryPolicy, Session,
    bindings::{ClientInfo, Credential},
    testing::Clock,
    types,
};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{
    capture::{self, Capture},
    child,
    scripted_project::{self, SECRET, ScriptedProject, TOKEN, claims},
    scripted_server::Request,
    steps::{self, Step, Steps},
};

const LEAK: &str = "TEST_LEAK";

#[tokio::test]
async fn a_credential_in_any_event_ends_the_process() {
    if let Some(way) = child::variable(LEAK) {
        return leak(&way);
    }
    let name = "secrets::a_credential_in_any_event_ends_the_process";
    let ways = ["event", "error", "span", "record", "log", "panic", "jwt", "secret", "basic"];
    let ways_of_a_thread = ["layer event", "layer span", "layer record"];
    for way in ways.into_iter().chain(ways_of_a_thread) {
        let output = child::run(name, &[(LEAK, way)]).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(capture::LEAKED), "{way}: {stderr}");
    }
    assert!(child::run(name, &[(LEAK, "nothing")]).await.status.success());
}

fn leak(way: &str) {
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
}

#[tokio::test]
async fn capture_receives_events_of_the_client_and_its_http_library() {
    let test = "secrets::capture_receives_events_of_the_client_and_its_http_library";
    if !child::is_alone(test).await {
        return;
    }
    let before = ["stytch_sso_external", "reqwest"].map(capture::seen);
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    scripted_project::update(&project.client()).await.unwrap();
    let after = ["stytch_sso_external", "reqwest"].map(capture::seen);
    assert!(after[0] > before[0] && after[1] > before[1], "{before:?} {after:?}");
}

/// `Debug` of the whole public API.
#[tokio::test]
async fn no_debug_shows_a_credential() {
    let jwt = scripted_project::sign(&claims());
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let builder = project.builder();
    capture::inspect_debug(&builder);
    let client = builder.build().unwrap();
    capture::inspect_debug(&client);
    for session in [Session::jwt(jwt.clone()), Session::token(TOKEN)] {
        capture::inspect_debug(&session);
        let member = client.as_member(session);
        capture::inspect_debug(&member);
        let response = member
            .update_connection(scripted_project::CONNECTION, &scripted_project::rename("x"))
            .await
            .unwrap();
        capture::inspect_debug(&response);
        capture::inspect_debug(&member.session());
    }
    capture::inspect_debug(client.bindings());
    capture::inspect_debug(&client.bindings().client());
    let credential = || Some(Credential::new(TOKEN));
    let request =
        types::AuthenticateSessionRequest { session_token: credential(), session_jwt: None };
    capture::inspect_debug(&request);
    let response = client.bindings().authenticate_session(&request).await.unwrap();
    capture::inspect_debug(&response);
    let update = scripted_project::rename("x");
    let bindings = client.bindings();
    let (organization, connection) = (scripted_project::ORGANIZATION, scripted_project::CONNECTION);
    let updated = bindings
        .update_external_connection(organization, connection, Some(TOKEN), Some(&jwt), &update)
        .await;
    capture::inspect_debug(&updated);
}

#[tokio::test]
async fn undecodable_responses_to_the_bindings_are_not_printed() {
    let secret = "cLiEnT-sEcReT-oF-aN-oIdC-cOnNeCtIoN-aT-sTyTcH";
    let bodies = [
        format!(r#"{{"external_connections": 7, "member_session": "{secret}"}}"#),
        // As an error of Stytch, as far as that can be decoded.
        format!(r#"{{"request_id": "r", "error_type": {{}}, "member_session": "{secret}"}}"#),
    ];
    let responses = [200, 400, 502].map(|status| bodies.each_ref().map(|body| (status, body)));
    for (status, body) in responses.into_iter().flatten() {
        let steps = steps::http(status, steps::JSON, body.clone());
        let respond = || {
            let steps = steps.clone();
            move |_: &Request, _: usize| steps.clone()
        };
        let project = ScriptedProject::scripted(respond(), respond(), respond()).await;
        let client = project.client();
        let listed =
            client.bindings().get_connections(scripted_project::ORGANIZATION, None, None).await;
        let request = types::AuthenticateSessionRequest {
            session_token: Some(Credential::new(TOKEN)),
            session_jwt: None,
        };
        let authenticated = client.bindings().authenticate_session(&request).await;
        let (listed, authenticated) = (listed.unwrap_err(), authenticated.unwrap_err());
        let printed = format!("{listed:?} {listed} {authenticated:?} {authenticated}");
        assert!(!printed.contains(secret), "{status}: {printed}");
    }
    // An operation without secrets keeps the body.
    let undecodable = |_: &Request, _: usize| steps::http(200, steps::JSON, "{7}");
    let project = ScriptedProject::scripted(undecodable, undecodable, undecodable).await;
    let error = project.client().bindings().get_rbac_policy().await.unwrap_err();
    assert!(format!("{error:?}").contains("{7}"), "{error:?}");
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
    let mut updated = scripted_project::updated();
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

/// A client and the next response of its server, to updates or to all other requests.
struct EchoServer {
    project: ScriptedProject,
    client: Client,
    clock: Clock,
    next: Arc<Mutex<Steps>>,
}

impl EchoServer {
    async fn new(of_updates: bool) -> Self {
        let next = Arc::new(Mutex::new(Steps::new()));
        let response = Arc::clone(&next);
        let respond = move |_: &Request, _| response.lock().unwrap().clone();
        let project = if of_updates {
            ScriptedProject::start(respond).await
        } else {
            ScriptedProject::scripted(respond.clone(), respond, |_, _| vec![]).await
        };
        // Two attempts, since retries are logged.
        let policy = RetryPolicy::default().max_attempts(2).initial_backoff(Duration::ZERO);
        let clock = Clock::stopped();
        let client = project.builder().retry(policy).clock(clock.clone()).build().unwrap();
        Self { project, client, clock, next }
    }

    fn respond(&self, steps: &Steps) -> &Client {
        self.next.lock().unwrap().clone_from(steps);
        &self.client
    }
}

#[tokio::test]
async fn credential_echoed_by_the_server_is_not_printed() {
    let jwt = scripted_project::sign(&claims());
    let updates = EchoServer::new(true).await;
    let other_requests = EchoServer::new(false).await;
    let statuses = [200, 302, 403, 429, 500, 503];
    for (status, credential) in
        statuses.into_iter().flat_map(|status| [SECRET, TOKEN, &jwt].map(|text| (status, text)))
    {
        for (n, steps) in echo(status, credential).into_iter().enumerate() {
            // `update_as` inspects errors, the capture inspects events. A server knows only
            // what it received, so it can't echo a session that the request didn't carry.
            let before = updates.project.updates();
            let client = updates.respond(&steps);
            if credential != TOKEN {
                let _ = scripted_project::update_as(client, Session::jwt(jwt.clone())).await;
            }
            let _ = scripted_project::update_as(client, Session::token(TOKEN)).await;
            let expected = if credential == TOKEN { 1 } else { 2 };
            assert!(updates.project.updates() >= before + expected, "HTTP {status}, response {n}");

            let project = &other_requests.project;
            let before = (project.jwks_requests(), project.authenticate_requests());
            let client = other_requests.respond(&steps);
            if credential == SECRET {
                // Beyond the backoff after the last failure.
                other_requests.clock.advance(Duration::from_secs(30));
                capture::inspect(&client.warm_up().await.unwrap_err());
                assert_eq!(project.jwks_requests(), before.0 + 1, "HTTP {status}, response {n}");
            }
            let _ = scripted_project::update_as(client, Session::token(TOKEN)).await;
            assert!(project.authenticate_requests() > before.1, "HTTP {status}, response {n}");
        }
    }
}

#[tokio::test]
async fn accessors_return_what_display_redacts() {
    let body = json!({"request_id": TOKEN, "error_type": "new_type", "error_message": SECRET});
    let project = ScriptedProject::responding(steps::json(403, &body)).await;
    let session = Session::token(TOKEN);
    let error = scripted_project::update_as(&project.client(), session).await.unwrap_err();
    assert_eq!(error.request_id(), Some(TOKEN));
    assert_eq!(error.error_message(), Some(SECRET));
    assert_eq!(error.error_details(), None::<&Value>);
}
