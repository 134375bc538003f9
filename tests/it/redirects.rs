//! Credentials go to the configured host over https and nowhere else: no redirect, no
//! proxy, no other certificate.

use stytch_sso_external::{BuildError, Client, Error, Outcome, Session};

use crate::support::{
    capture, child,
    scripted_project::{self, ScriptedProject, UPDATE, variant},
    scripted_server::ScriptedServer,
    steps::{self, Steps},
    tls,
};

const STATUSES: [u16; 7] = [300, 301, 302, 303, 304, 307, 308];

fn redirect(status: u16, location: &str) -> Steps {
    steps::http(status, &format!("location: {location}\r\n"), "")
}

#[tokio::test]
async fn a_redirect_of_an_update_is_not_followed() {
    let other = ScriptedServer::start(|_, _| steps::json(200, &scripted_project::updated())).await;
    let elsewhere = [other.url(), other.url_at("http", "localhost"), "/v1/elsewhere".into()];
    let project = ScriptedProject::successful().await;
    let client = project.client();
    client.warm_up().await.unwrap();
    for (location, status) in elsewhere.iter().flat_map(|l| STATUSES.map(|status| (l, status))) {
        project.respond(UPDATE, redirect(status, location));
        let before = project.server.requests().len();
        let error = scripted_project::update(&client).await.unwrap_err();
        assert_eq!(variant(&error), "UnexpectedResponse", "{status} {location}");
        assert_eq!(error.status().unwrap(), status, "{location}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{status} {location}");
        let named = if status == 304 { "304 Not Modified" } else { "redirect" };
        assert!(error.to_string().contains(named), "{error}");
        let requests = project.server.requests().len() - before;
        assert_eq!(requests, 1, "{status} {location}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_redirect_of_keys_or_a_session_is_not_followed() {
    let other = ScriptedServer::start(scripted_project::successful_authenticate).await;
    let target = other.url();
    let again = target.clone();
    let project = ScriptedProject::scripted(
        move |_, _| redirect(308, &target),
        move |_, _| redirect(307, &again),
        |_, _| steps::json(200, &scripted_project::updated()),
    );
    let project = project.await;
    // The keys redirect, so `sessions/authenticate` is called, which redirects too.
    let error = scripted_project::update(&project.client()).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 307);
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(
        (project.jwks_requests(), project.authenticate_requests(), project.updates()),
        (1, 1, 0)
    );
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn plain_http_beyond_loopback_is_rejected() {
    let hosts = [
        "http://test.stytch.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0:1",
        "http://10.0.0.1",
        "http://[::ffff:127.0.0.1]",
        "http://[2001:db8::1]",
        "http://localhost@example.com",
        "http://notlocalhost",
        "http://evil.localhost",
    ];
    for host in hosts {
        let error = scripted_project::builder(host).build().unwrap_err();
        let rejected =
            matches!(error, BuildError::InsecureBaseUrl | BuildError::InvalidBaseUrl { .. });
        assert!(rejected, "{host}: {error:?}");
        capture::inspect(&error);
    }
}

/// What the child prints about its update.
const RESULT: &str = "RESULT";
const URL: &str = "TEST_BASE_URL";

async fn update_in_the_child(base_url: &str) {
    let client = scripted_project::builder(base_url).build().unwrap();
    let result =
        scripted_project::update_as(&client, Session::token(scripted_project::TOKEN)).await;
    match result {
        Ok(response) => println!("{RESULT} {}", response.connection.display_name),
        Err(error) => println!("{RESULT} {}", describe(&client, &error)),
    }
}

fn describe(client: &Client, error: &Error) -> String {
    capture::inspect_debug(client);
    format!("{} {:?} {:?} {}", variant(error), error.status(), error.outcome(), error.attempts())
}

fn successful(request: &crate::support::scripted_server::Request, before: usize) -> Steps {
    match request.method.as_str() {
        "POST" => scripted_project::successful_authenticate(request, before),
        _ => steps::json(200, &scripted_project::updated()),
    }
}

#[tokio::test]
async fn invalid_certificate_gets_no_request() {
    if let Some(base_url) = child::variable(URL) {
        return update_in_the_child(&base_url).await;
    }
    let trusted = ("SSL_CERT_FILE", tls::AUTHORITY_FILE);
    let wrong = [
        ("expired", tls::expired()),
        ("another host", tls::for_another_host()),
        ("self-signed", tls::self_signed()),
    ];
    let name = "redirects::invalid_certificate_gets_no_request";
    for (what, config) in wrong {
        let server = ScriptedServer::start_tls(config, successful).await;
        let output = child::run(name, &[(URL, &server.url()), trusted]).await;
        assert_eq!(child::value_of(&output, RESULT), "Transport None NotApplied 1", "{what}");
        assert_eq!((server.requests().len(), server.connections()), (0, 1), "{what}");
    }
    // The same authority with a valid certificate succeeds, so the cases above fail only because
    // of their own certificate. `SSL_CERT_FILE` is read only on Linux.
    if cfg!(target_os = "linux") {
        let server = ScriptedServer::start_tls(tls::good(), successful).await;
        let output = child::run(name, &[(URL, &server.url()), trusted]).await;
        assert_eq!(child::value_of(&output, RESULT), "Acme");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_proxy_never_sees_a_request_in_the_clear() {
    if let Some(base_url) = child::variable(URL) {
        return update_in_the_child(&base_url).await;
    }
    let proxy = ScriptedServer::start(|_, _| steps::html(502)).await;
    let server = ScriptedServer::start(successful).await;
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"];
    let proxy_url = proxy.url();
    let mut variables = vec![(URL, server.url())];
    variables.extend(proxies.map(|name| (name, proxy_url.clone())));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
    let name = "redirects::a_proxy_never_sees_a_request_in_the_clear";
    let output = child::run(name, &variables).await;
    assert_eq!(child::value_of(&output, RESULT), "Acme");
    assert_eq!((server.requests().len(), proxy.connections()), (2, 0));

    // To an https host the client requests a tunnel of a proxy, in which it sees nothing.
    let mut variables = variables;
    variables[0].1 = "https://does-not-exist.invalid";
    let output = child::run(name, &variables).await;
    assert!(child::value_of(&output, RESULT).starts_with("Transport None NotApplied"));
    let seen = proxy.requests();
    assert!(!seen.is_empty());
    for request in seen {
        assert_eq!(request.method, "CONNECT");
        assert_eq!(request.header("authorization"), None);
        assert!(!capture::shows_credential(&format!("{request:?}")));
    }
}
