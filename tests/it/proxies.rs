//! The proxy for https: which variables of the environment are accepted, and the reasons of
//! failures that are the proxy's.

use crate::support::prelude::*;

const HOST: &str = "https://does-not-exist.invalid";

/// The error of a call to a host that doesn't resolve, through this proxy.
async fn error_through(proxy: Option<&str>) -> Error {
    let proxy = proxy.map(|url| reqwest::Proxy::https(url).unwrap());
    let builder = builder(HOST).configure_http(move |http| {
        let http = http.dns_resolver(NoDns);
        proxy.iter().cloned().fold(http, reqwest::ClientBuilder::proxy)
    });
    error_of(&builder.build().unwrap()).await
}

async fn error_of(client: &Client) -> Error {
    let member = client.as_member(token());
    let error = member.organization_id().await.unwrap_err();
    capture::inspect(&error);
    assert_not_applied(HOST, &error, Transport);
    error
}

#[tokio::test]
async fn a_proxy_that_rejects_connect_is_named_with_its_status() {
    for status in [201, 301, 400, 403, 404, 407, 500, 502, 503, 504] {
        let is_transient = status >= 500;
        let proxy = ScriptedServer::start(move |_, _| html(status)).await;
        let error = error_through(Some(&proxy.url())).await;
        let address = proxy.url().replace("http://", "");
        assert!(error.reason().starts_with(&format!("proxy: HTTP {status} ")), "{error:?}");
        assert!(error.reason().ends_with(&format!(" ({address})")), "{error:?}");
        assert_eq!(error.is_retryable(), is_transient, "{error:?}");
        assert_eq!(error.attempts(), if is_transient { 3 } else { 1 }, "{error:?}");
    }
}

/// Denies what it is asked for, to whom it knows.
fn denying_proxy(request: &Request, _: usize) -> Steps {
    // The Basic auth of `user:hunter2`.
    let is_known = request.header("proxy-authorization") == Some("Basic dXNlcjpodW50ZXIy");
    html(if is_known { 403 } else { 407 })
}

/// The credentials of `configure_http` aren't known to the second `CONNECT`.
#[tokio::test]
async fn a_rejection_whose_status_is_unknown_is_transient() {
    let proxy = ScriptedServer::start(denying_proxy).await;
    let error = error_through(Some(&proxy.url().replace("//", "//user:hunter2@"))).await;
    assert!(error.reason().starts_with("proxy: CONNECT was rejected"), "{error:?}");
    assert!(error.is_retryable() && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_proxy_of_the_environment_gets_its_credentials_with_each_connect() {
    let proxy = ScriptedServer::start(denying_proxy).await;
    let url = proxy.url().replace("//", "//user:hunter2@");
    let reason = async || {
        let error = error_of(&keyless_builder(HOST).build().unwrap()).await;
        assert!(!format!("{error:?}").contains("hunter2"));
        error.reason().to_owned()
    };
    let reason = child::result_of(&[("HTTPS_PROXY", &*url)], reason).await;
    assert!(reason.starts_with("proxy: HTTP 403 Forbidden in response to CONNECT"), "{reason}");
    assert_eq!(proxy.count("CONNECT"), 2);
}

#[tokio::test]
async fn failures_of_the_proxy_and_of_the_host_differ() {
    let unresolvable = "the host name can't be resolved";
    let nobody = scripted_server::nobody().await;
    let closing = ScriptedServer::start_greeting(Step::Close).await;
    let failed = |url: &str| format!("proxy: connecting failed ({})", url.replace("http://", ""));
    let of_the_proxy = format!("proxy: {unresolvable} (no-proxy.invalid:3128)");
    for (proxy, reason) in [
        (None, unresolvable),
        (Some("http://no-proxy.invalid:3128"), &*of_the_proxy),
        (Some(&*nobody), &failed(&nobody)),
        (Some(&closing.url()), &failed(&closing.url())),
    ] {
        let error = error_through(proxy).await;
        assert_eq!((error.reason(), error.attempts()), (reason, 3));
    }
}

/// The results of building clients for an https host, for the same one with `configure_http`, and
/// for plain http.
fn build_results() -> String {
    let https = || keyless_builder("https://test.stytch.com");
    let plain = keyless_builder("http://127.0.0.1:1");
    let results =
        [https(), https().configure_http(|http| http), plain].map(|it| match it.build() {
            Ok(_) => "ok".to_owned(),
            Err(error) => {
                assert!(!format!("{error} {error:?}").contains("hunter2"));
                assert!(matches!(error, BuildError::InvalidProxy { .. }), "{error:?}");
                error.to_string()
            }
        });
    results.join(", ")
}

type Variables = &'static [(&'static str, &'static str)];

/// Each row: the variables, and the one that is named as unusable.
const VARIABLES: &[(Variables, Option<&str>)] = &[
    (&[], None),
    (&[("HTTPS_PROXY", "http://proxy.example.com:3128")], None),
    (&[("HTTPS_PROXY", "proxy.example.com:3128")], None),
    (&[("HTTPS_PROXY", "hunter2 is no proxy")], Some("HTTPS_PROXY")),
    (&[("HTTPS_PROXY", "garbage")], Some("HTTPS_PROXY")),
    (&[("https_proxy", "http://")], Some("https_proxy")),
    (&[("https_proxy", "socks5://hunter2:x@proxy:1080")], Some("https_proxy")),
    (&[("HTTPS_PROXY", "http://user:hunter2@x@proxy:3128")], Some("HTTPS_PROXY")),
    (&[("HTTPS_PROXY", "http://user:hunter2#x@proxy:3128")], Some("HTTPS_PROXY")),
    (&[("HTTPS_PROXY", "http://user:hunter2%40x@proxy:3128")], None),
    (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "ftp://x")], Some("ALL_PROXY")),
    (&[("HTTPS_PROXY", ""), ("https_proxy", "ftp://x")], None),
    (&[("HTTPS_PROXY", "http://p:1"), ("ALL_PROXY", "ftp://x")], None),
    (&[("all_proxy", "ftp://x")], Some("all_proxy")),
    (&[("HTTP_PROXY", "ftp://x")], None),
    (&[("HTTPS_PROXY", "ftp://x"), ("REQUEST_METHOD", "GET")], None),
    (&[("ALL_PROXY", "socks5://p:1"), ("NO_PROXY", "*")], None),
    (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "test.stytch.com")], None),
    (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "a.example, .Stytch.com")], None),
    (&[("HTTPS_PROXY", "garbage"), ("no_proxy", "stytch.com")], None),
    (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "api.stytch.com")], Some("HTTPS_PROXY")),
    (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "ytch.com")], Some("HTTPS_PROXY")),
    // Forms that reqwest doesn't know.
    (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "*.stytch.com")], Some("HTTPS_PROXY")),
    (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", "test.stytch.com:443")], Some("HTTPS_PROXY")),
    (&[("HTTPS_PROXY", "garbage"), ("NO_PROXY", ""), ("no_proxy", "*")], Some("HTTPS_PROXY")),
];

#[tokio::test]
async fn proxy_variables_are_checked() {
    for (variables, unusable) in VARIABLES {
        // One certificate: those of the system take most of the time.
        let certificates = ("SSL_CERT_FILE", tls::AUTHORITY_FILE);
        let all = [*variables, &[certificates]].concat();
        let result = child::result_of(&all, async || build_results()).await;
        // Neither a client whose proxies the service configures nor one of plain http cares.
        let https =
            result.strip_suffix(", ok, ok").unwrap_or_else(|| panic!("{variables:?}: {result}"));
        let expected = unusable.map_or("ok".into(), |name| {
            format!("the environment variable {name} is not a usable proxy")
        });
        assert_eq!(https.split(':').next(), Some(&*expected), "{variables:?}");
    }
}
