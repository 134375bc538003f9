//! The proxy for https: which variables of the environment are accepted, and the reasons of
//! failures that are the proxy's.

use stytch_sso_external::{BuildError, Client, ClientBuilder, Error, Outcome, Session, reqwest};

use crate::support::{
    capture, child,
    scripted_project::{self, TOKEN, variant},
    scripted_server::{self, ScriptedServer},
    steps,
};

/// What a child prints.
const RESULT: &str = "RESULT";
const IN_CHILD: &str = "TEST_CASE";
const HOST: &str = "https://does-not-exist.invalid";

/// Resolves no name.
struct NoDns;

impl reqwest::dns::Resolve for NoDns {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(std::future::ready(Err("no such host".into())))
    }
}

/// The error of a call to a host that doesn't resolve, through this proxy.
async fn error_through(proxy: Option<&str>) -> Error {
    let proxy = proxy.map(|url| reqwest::Proxy::https(url).unwrap());
    let builder = scripted_project::builder(HOST).configure_http(move |http| {
        let http = http.dns_resolver(NoDns);
        proxy.iter().cloned().fold(http, reqwest::ClientBuilder::proxy)
    });
    error_of(&builder.build().unwrap()).await
}

async fn error_of(client: &Client) -> Error {
    let member = client.as_member(Session::token(TOKEN));
    let error = member.organization_id().await.unwrap_err();
    capture::inspect(&error);
    assert_eq!((&*variant(&error), error.outcome()), ("Transport", Outcome::NotApplied));
    error
}

#[tokio::test]
async fn a_proxy_that_rejects_connect_is_named_with_its_status() {
    for (status, is_transient) in [
        (201, false),
        (301, false),
        (400, false),
        (403, false),
        (404, false),
        (407, false),
        (500, true),
        (502, true),
        (503, true),
        (504, true),
    ] {
        let proxy = ScriptedServer::start(move |_, _| steps::html(status)).await;
        let error = error_through(Some(&proxy.url())).await;
        let address = proxy.url().replace("http://", "");
        assert!(error.reason().starts_with(&format!("proxy: HTTP {status} ")), "{error:?}");
        assert!(error.reason().ends_with(&format!(" ({address})")), "{error:?}");
        assert_eq!(error.is_retryable(), is_transient, "{error:?}");
        assert_eq!(error.attempts(), if is_transient { 3 } else { 1 }, "{error:?}");
    }
}

/// The credentials of `configure_http` aren't known to the second `CONNECT`.
#[tokio::test]
async fn a_rejection_whose_status_is_unknown_is_transient() {
    let proxy = ScriptedServer::start(|request, _| {
        let is_authorized = request.header("proxy-authorization").is_some();
        steps::html(if is_authorized { 403 } else { 407 })
    });
    let proxy = proxy.await;
    let error = error_through(Some(&proxy.url().replace("//", "//user:hunter2@"))).await;
    assert!(error.reason().starts_with("proxy: CONNECT was rejected"), "{error:?}");
    assert!(error.is_retryable() && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_proxy_of_the_environment_gets_its_credentials_with_each_connect() {
    if child::variable(IN_CHILD).is_some() {
        let error = error_of(&scripted_project::builder(HOST).build().unwrap()).await;
        assert!(!format!("{error:?}").contains("hunter2"));
        return println!("{RESULT} {}", error.reason());
    }
    let proxy = ScriptedServer::start(|request, _| {
        let is_authorized = request.header("proxy-authorization") == Some(USER_HUNTER2);
        steps::html(if is_authorized { 403 } else { 407 })
    });
    let proxy = proxy.await;
    let url = proxy.url().replace("//", "//user:hunter2@");
    let name = "proxies::a_proxy_of_the_environment_gets_its_credentials_with_each_connect";
    let output = child::run(name, &[(IN_CHILD, "1"), ("HTTPS_PROXY", &url)]).await;
    let reason = child::value_of(&output, RESULT);
    assert!(reason.starts_with("proxy: HTTP 403 Forbidden in response to CONNECT"), "{reason}");
    assert_eq!(proxy.count("CONNECT"), 2);
}

#[tokio::test]
async fn failures_of_the_proxy_and_of_the_host_differ() {
    let unresolvable = "the host name can't be resolved";
    let error = error_through(None).await;
    assert_eq!((error.reason(), error.attempts()), (unresolvable, 3));
    let error = error_through(Some("http://no-proxy.invalid:3128")).await;
    let expected = format!("proxy: {unresolvable} (no-proxy.invalid:3128)");
    assert_eq!((error.reason(), error.attempts()), (&*expected, 3));

    let closing = ScriptedServer::start_closing().await;
    for proxy in [scripted_server::nobody().await, closing.url()] {
        let error = error_through(Some(&proxy)).await;
        let expected = format!("proxy: connecting failed ({})", proxy.replace("http://", ""));
        assert_eq!((error.reason(), error.attempts()), (&*expected, 3));
    }
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[tokio::test]
async fn proxy_variables_are_checked() {
    if child::variable(IN_CHILD).is_some() {
        let https = || scripted_project::builder("https://test.stytch.com");
        let kinds: [(&str, ClientBuilder); 3] = [
            ("https", https()),
            ("configured", https().configure_http(|http| http)),
            ("plain", scripted_project::builder("http://127.0.0.1:1")),
        ];
        let shown =
            kinds.map(|(kind, builder)| format!("{kind} {}", build_result(builder.build())));
        return println!("{RESULT} {}", shown.join(", "));
    }
    let bad =
        |variable: &str| format!("https {variable} is not a usable proxy, configured ok, plain ok");
    let ok = "https ok, configured ok, plain ok".to_owned();
    let cases: &[(&[(&str, &str)], String)] = &[
        (&[], ok.clone()),
        (&[("HTTPS_PROXY", "http://proxy.example.com:3128")], ok.clone()),
        (&[("HTTPS_PROXY", "proxy.example.com:3128")], ok.clone()),
        (&[("HTTPS_PROXY", "hunter2 is no proxy")], bad("HTTPS_PROXY")),
        (&[("HTTPS_PROXY", "garbage")], bad("HTTPS_PROXY")),
        (&[("https_proxy", "http://")], bad("https_proxy")),
        (&[("https_proxy", "socks5://hunter2:x@proxy:1080")], bad("https_proxy")),
        (&[("HTTPS_PROXY", "http://user:hunter2@x@proxy:3128")], bad("HTTPS_PROXY")),
        (&[("HTTPS_PROXY", "http://user:hunter2#x@proxy:3128")], bad("HTTPS_PROXY")),
        (&[("HTTPS_PROXY", "http://user:hunter2%40x@proxy:3128")], ok.clone()),
        (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "ftp://x")], bad("ALL_PROXY")),
        (&[("HTTPS_PROXY", ""), ("https_proxy", "ftp://x")], ok.clone()),
        (&[("HTTPS_PROXY", "http://p:1"), ("ALL_PROXY", "ftp://x")], ok.clone()),
        (&[("all_proxy", "ftp://x")], bad("all_proxy")),
        (&[("HTTP_PROXY", "ftp://x")], ok.clone()),
        (&[("HTTPS_PROXY", "ftp://x"), ("REQUEST_METHOD", "GET")], ok.clone()),
        (&[("ALL_PROXY", "socks5://p:1"), ("NO_PROXY", "*")], ok.clone()),
        (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "test.stytch.com")], ok.clone()),
        (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "a.example, .Stytch.com")], ok.clone()),
        (&[("HTTPS_PROXY", "garbage"), ("no_proxy", "stytch.com")], ok.clone()),
        (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "api.stytch.com")], bad("HTTPS_PROXY")),
        (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "ytch.com")], bad("HTTPS_PROXY")),
        // Forms that reqwest doesn't know.
        (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "*.stytch.com")], bad("HTTPS_PROXY")),
        (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "test.stytch.com:443")], bad("HTTPS_PROXY")),
        (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", ""), ("no_proxy", "*")], bad("HTTPS_PROXY")),
    ];
    for (variables, expected) in cases {
        let all: Vec<_> = variables.iter().copied().chain([(IN_CHILD, "yes")]).collect();
        let output = child::run("proxies::proxy_variables_are_checked", &all).await;
        assert_eq!(child::value_of(&output, RESULT), *expected, "{variables:?}");
    }
}

fn build_result(built: Result<Client, BuildError>) -> String {
    match built {
        Ok(_) => "ok".to_owned(),
        Err(error @ BuildError::InvalidProxy { .. }) => {
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            let text = error.to_string();
            let text = text.strip_prefix("the environment variable ").unwrap();
            text.split(':').next().unwrap().to_owned()
        }
        Err(other) => other.to_string(),
    }
}

/// The Basic auth of `user:hunter2`.
const USER_HUNTER2: &str = "Basic dXNlcjpodW50ZXIy";
