//! Credentials go to the configured host over https and nowhere else: no redirect, no
//! proxy, no other certificate.

use crate::support::prelude::*;

const STATUSES: [u16; 7] = [300, 301, 302, 303, 304, 307, 308];

#[tokio::test]
async fn a_redirect_of_an_update_is_not_followed() {
    let other = ScriptedServer::start(successful).await;
    let elsewhere = [other.url(), other.url_at("http", "localhost"), "/v1/elsewhere".into()];
    let (project, client) = ScriptedProject::successful().await.with_client();
    client.warm_up().await.unwrap();
    for (location, status) in elsewhere.iter().flat_map(|l| STATUSES.map(|status| (l, status))) {
        project.respond(UPDATE, steps::redirect(status, location));
        let before = project.server.requests().len();
        let error = update(&client).await.unwrap_err();
        assert_error(location, &error, UnexpectedResponse, Unknown);
        assert_eq!(error.status().unwrap(), status, "{location}");
        let named = if status == 304 { "304 Not Modified" } else { "redirect" };
        assert!(error.to_string().contains(named), "{error}");
        let requests = project.server.requests().len() - before;
        assert_eq!(requests, 1, "{status} {location}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_redirect_of_keys_or_a_session_is_not_followed() {
    let other = ScriptedServer::start(successful).await;
    let [jwks, authenticate] =
        [308, 307].map(|status| always(steps::redirect(status, &other.url())));
    let project = ScriptedProject::scripted(jwks, authenticate, successful).await;
    // The keys redirect, so `sessions/authenticate` is called, which redirects too.
    let error = update(&project.client()).await.unwrap_err();
    assert_not_applied("redirect", &error, UnexpectedResponse);
    assert_eq!(error.status().unwrap(), 307);
    assert_eq!((project.counts(), other.connections()), ([1, 1, 0], 0));
}

const URL: &str = "TEST_BASE_URL";

/// The result of an update at the base URL of the child.
async fn update_in_the_child() -> String {
    let client = keyless_builder(&std::env::var(URL).unwrap()).build().unwrap();
    capture::inspect_debug(&client);
    match update_as(&client, token()).await {
        Ok(response) => response.connection.display_name.clone(),
        Err(error) => format!("{:?} {}", facts(&error), error.attempts()),
    }
}

#[tokio::test]
async fn invalid_certificate_gets_no_request() {
    let rejected = ("(Transport, None, NotApplied) 1", (0, 1));
    let mut cases = ["expired", "other-host", "self-signed"].map(|it| (it, rejected)).to_vec();
    // The same authority with a valid certificate succeeds, so the cases above fail only because
    // of their own certificate. `SSL_CERT_FILE` is read only on Linux.
    if cfg!(target_os = "linux") {
        cases.push(("good", ("Acme", (2, 1))));
    }
    for (what, expected) in cases {
        let server = ScriptedServer::start_tls([tls::with_certificate(what)], successful).await;
        let variables = [(URL, &*server.url()), ("SSL_CERT_FILE", tls::AUTHORITY_FILE)];
        let result = child::result_of(&variables, async || update_in_the_child().await).await;
        let seen = (server.requests().len(), server.connections());
        assert_eq!((&*result, seen), expected, "{what}");
    }
}

#[tokio::test]
async fn a_proxy_never_sees_a_request_in_the_clear() {
    let proxy = ScriptedServer::start(|_, _| html(502)).await;
    let server = ScriptedServer::start(successful).await;
    let (proxy_url, server_url) = (proxy.url(), server.url());
    let update = async |base_url: &str| {
        let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"];
        let mut variables = proxies.map(|name| (name, &*proxy_url)).to_vec();
        variables.push((URL, base_url));
        child::result_of(&variables, async || update_in_the_child().await).await
    };
    assert_eq!(update(&server_url).await, "Acme");
    assert_eq!((server.requests().len(), proxy.connections()), (2, 0));

    // To an https host the client requests a tunnel of a proxy, in which it sees nothing.
    let result = update("https://does-not-exist.invalid").await;
    assert!(result.starts_with("(Transport, None, NotApplied)"), "{result}");
    let seen = proxy.requests();
    assert!(!seen.is_empty());
    for request in seen {
        assert_eq!((&*request.method, request.header("authorization")), ("CONNECT", None));
        assert!(!capture::shows_credential(&format!("{request:?}")));
    }
}
