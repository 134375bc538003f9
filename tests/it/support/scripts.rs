//! Scripts of responses that several tests use, and a client of a project that follows them.

use super::prelude::*;

pub(crate) fn hang(_: &Request, _: usize) -> Steps {
    vec![Step::Hang]
}

/// The same response to each request.
pub(crate) fn always(steps: Steps) -> impl Script {
    move |_: &Request, _: usize| steps.clone()
}

/// These responses one after the other, and then those of the script.
pub(crate) fn first<const N: usize>(responses: [Steps; N], then: impl Script) -> impl Script {
    move |request: &Request, before: usize| match responses.get(before) {
        Some(steps) => steps.clone(),
        None => then(request, before),
    }
}

/// Responds by the script after this time.
pub(crate) fn after(wait: Duration, script: impl Script) -> impl Script {
    move |request: &Request, before: usize| {
        [vec![Step::Wait(wait)], script(request, before)].concat()
    }
}

/// Ada's claims, as Stytch made them so many seconds ago.
pub(crate) fn claims_since(seconds: i64) -> Value {
    let mut claims = claims();
    for claim in ["iat", "nbf", "exp"] {
        claims[claim] = json!(claims[claim].as_i64().unwrap() - seconds);
    }
    claims
}

/// A resolver that finds no host. The network's own might.
pub(crate) struct NoDns;

impl reqwest::dns::Resolve for NoDns {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(std::future::ready(Err("no such host".into())))
    }
}

/// The builder of a client of the project without its key, which takes up to a second to generate:
/// for a child process that sends no JWT.
pub(crate) fn keyless_builder(base_url: &str) -> ClientBuilder {
    for credential in [SECRET, TOKEN] {
        capture::register(credential);
    }
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
    Client::builder(PROJECT, SECRET).base_url(base_url).retry(policy)
}

/// A project that responds by script to requests of the JWKS and of sessions, and to updates with a
/// success; a client of it with these settings; and the client's stopped clock.
pub(crate) async fn scripted(
    jwks: impl Script,
    authenticate: impl Script,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (ScriptedProject, Client, Clock) {
    let project = ScriptedProject::scripted(jwks, authenticate, successful).await;
    let clock = Clock::stopped();
    let client = settings(project.builder().clock(clock.clone())).build().unwrap();
    (project, client, clock)
}
