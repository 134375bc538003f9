//! Settings of the HTTP client: which ones `configure_http` can change, which ones the crate
//! overrides, and extreme ones.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::support::prelude::*;

#[test]
fn a_default_header_with_credentials_is_a_build_error() {
    let forbidden = [
        ("authorization", "Authorization"),
        ("cookie", "Cookie"),
        ("x-stytch-member-session", "X-Stytch-…"),
        ("x-stytch-member-sessionjwt", "X-Stytch-…"),
        ("x-stytch-anything", "X-Stytch-…"),
    ];
    for (name, named) in forbidden {
        let builder = builder("https://test.stytch.com")
            .configure_http(move |http| http.default_headers(headers_of(&[(name, "hunter2")])));
        // If this fails, reqwest no longer shows default headers in its `Debug` output.
        let error = builder.build().unwrap_err();
        capture::inspect(&error);
        assert!(matches!(error, BuildError::CredentialHeader { name, .. } if name == named));
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn other_default_headers_are_sent() {
    let project = ScriptedProject::successful().await;
    let value = r#", "authorization": {"cookie": "x-stytch-"#;
    let headers = headers_of(&[("x-acme", value)]);
    let builder = project.builder();
    let builder = builder.configure_http(move |http| http.default_headers(headers.clone()));
    let client = builder.build().unwrap();
    update(&client).await.unwrap();
    let requests = project.server.requests();
    assert!(requests.iter().all(|request| request.header("x-acme") == Some(value)));
}

/// Settings that would break the crate's promises, all at once.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method's type is private")]
fn hostile_settings(http: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    http.redirect(reqwest::redirect::Policy::limited(10))
        .referer(true)
        .timeout(Duration::from_secs(3_600))
        .connect_timeout(Duration::from_secs(3_600))
        .read_timeout(Duration::from_millis(1))
        .http1_max_headers(1)
        .connection_verbose(true)
        .user_agent("other/1.0")
        .default_headers(headers_of(&[("host", "other.example.com")]))
        .retry(reqwest::retry::for_host("127.0.0.1").classify_fn(|request| request.retryable()))
        .proxy(reqwest::Proxy::all("http://127.0.0.1:1").unwrap())
}

#[tokio::test]
async fn the_crates_own_settings_win() {
    let other = ScriptedServer::start(successful).await;
    // Longer than the caller's read timeout.
    let wait = vec![Step::Wait(Duration::from_millis(50))];
    let late = [wait, steps::json(200, &updated())].concat();
    let responses = first([late, steps::redirect(307, &other.url())], hang);
    let project = ScriptedProject::start(responses).await;
    let timeout = Duration::from_secs(1);
    let builder = project.builder().attempt_timeout(timeout).configure_http(hostile_settings);
    let client = builder.app_name("acme-admin/2.1").build().unwrap();
    accelerate();

    update(&client).await.unwrap();
    let request = project.server.requests().pop().unwrap();
    let user_agent = format!("stytch-sso-external/{} acme-admin/2.1", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(&*user_agent));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("host"), project.server.url().strip_prefix("http://"));
    assert_eq!(request.header("accept-encoding"), None);
    assert_eq!(request.header("referer"), None);

    let error = update(&client).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 307);
    assert_eq!(other.connections(), 0);

    let error = update(&client).await.unwrap_err();
    assert_eq!((error.attempts(), error.outcome()), (3, Unknown));
    assert_eq!(project.updates(), 2 + 3, "reqwest retried");
}

#[tokio::test]
async fn a_custom_ca_is_trusted_and_no_redirect_is_followed() {
    let other = ScriptedServer::start_tls([tls::good()], successful).await;
    let elsewhere = steps::redirect(307, &other.url());
    let server = ScriptedServer::start_tls([tls::good()], move |request, before| {
        let is_update = request.method == "PUT";
        if is_update { elsewhere.clone() } else { successful(request, before) }
    });
    let server = server.await;
    let build = |headers: HeaderMap| {
        let builder = builder(&server.url());
        builder.configure_http(move |http| {
            http.tls_certs_merge([tls::authority()])
                .redirect(reqwest::redirect::Policy::limited(10))
                .default_headers(headers.clone())
        })
    };
    let error = build(headers_of(&[("x-stytch-member-session", "token")])).build().unwrap_err();
    assert!(matches!(error, BuildError::CredentialHeader { .. }), "{error:?}");

    let client = build(HeaderMap::new()).build().unwrap();
    let error = update(&client).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 307, "{error:?}");
    assert_eq!((server.count("PUT"), other.connections()), (1, 0));
}

#[test]
fn an_app_name_that_no_header_can_carry_is_a_build_error() {
    let build = |name: &str| builder("https://test.stytch.com").app_name(name).build();
    for name in ["", " ", "a\r\nx-evil: 1", "a\0", "ä", " a", "a "] {
        assert!(matches!(build(name), Err(BuildError::InvalidAppName)), "{name:?}");
    }
    build("acme-admin/2.1 (sso; eu-west-1)").unwrap();
}

/// Resolves every name to an address that nothing listens on.
struct Elsewhere;

impl reqwest::dns::Resolve for Elsewhere {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let elsewhere: reqwest::dns::Addrs = Box::new([ELSEWHERE].into_iter());
        Box::pin(std::future::ready(Ok(elsewhere)))
    }
}

#[tokio::test]
async fn localhost_is_loopback_whatever_it_resolves_to() {
    let project = ScriptedProject::successful().await;
    let url = project.server.url_at("http", "localhost");
    let builder = || builder(&url);
    for builder in [
        builder(),
        builder().configure_http(|http| http.dns_resolver(Elsewhere)),
        builder().configure_http(|http| http.resolve("localhost", ELSEWHERE)),
    ] {
        update(&builder.build().unwrap()).await.unwrap();
    }
    assert_eq!(project.updates(), 3);
}

/// Of the block that documentation uses.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 0);

/// Every setting at its maximum but the one that lets JWTs expire.
fn most(project: &ScriptedProject) -> ClientBuilder {
    let forever = Duration::MAX;
    let policy = RetryPolicy::default()
        .max_attempts(u32::MAX)
        .initial_backoff(forever)
        .max_backoff(forever)
        .max_retry_after(forever);
    let builder = project.builder().retry(policy).leeway(forever).session_cache_ttl(forever);
    let builder = builder.connect_timeout(forever).attempt_timeout(forever);
    let builder = builder.operation_timeout(forever).max_response_bytes(usize::MAX);
    builder.jwks_max_stale(forever).jwks_min_refetch_interval(forever)
}

#[tokio::test]
async fn extreme_settings_neither_panic_nor_hang() {
    for max_in_flight in [usize::MAX >> 3, usize::MAX] {
        let project = ScriptedProject::successful().await;
        let most = || most(&project).max_in_flight(max_in_flight);
        let client = most().build().unwrap();
        for session in [session(), token()] {
            update_as(&client, session.clone()).await.unwrap();
            update_as(&client, session).await.unwrap();
        }
        assert_eq!(project.counts()[1..], [1, 4]);
        // Every JWT counts as expired, so the client calls `sessions/authenticate`.
        let client = most().expiry_margin(Duration::MAX).build().unwrap();
        update(&client).await.unwrap();
        assert_eq!(project.counts()[1..], [2, 5]);
    }
}
