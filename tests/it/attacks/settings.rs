//! Base URLs that would leak credentials, and extreme settings.

use std::time::Duration;

use stytch_sso_external::{BuildError, Client, RetryPolicy, Session};

use crate::support::{
    capture,
    lab::{self, Lab},
    play,
};

#[tokio::test]
async fn invalid_base_urls_are_rejected() {
    let wrong = [
        "https://user@example.com",
        "https://user:the-secret-of-the-project@example.com",
        "https://:the-secret-of-the-project@example.com",
        "https://example.com?x",
        "https://example.com/?",
        "https://example.com/#",
        "https://example.com#fragment",
        "ftp://example.com",
        "file:///etc/passwd",
        "ws://127.0.0.1",
        "data:,x",
        "example.com",
        "//example.com",
        "",
        "https://",
        "https://exa mple.com",
        "https://[::1",
        "https://example.com:99999",
    ];
    for url in wrong {
        let error = lab::builder(url).build().unwrap_err();
        assert!(matches!(error, BuildError::InvalidBaseUrl { .. }), "{url}: {error:?}");
        capture::inspect(&error);
    }
}

#[tokio::test]
async fn base_url_keeps_its_path_prefix() {
    let lab = Lab::responding(play::json(200, &lab::updated())).await;
    let prefixes = [
        ("", ""),
        ("/", ""),
        ("///", ""),
        ("/stytch", "/stytch"),
        ("/stytch/", "/stytch"),
        ("/a/b//", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("\\b", "/b"),
    ];
    for (given, prefix) in prefixes {
        let client = lab::builder(&format!("{}{given}", lab.server.url())).build().unwrap();
        lab::update_as(&client, Session::token(lab::TOKEN)).await.unwrap();
        let mut seen = lab.server.requests();
        let (update, authenticate) = (seen.pop().unwrap(), seen.pop().unwrap());
        let path = format!("{prefix}/v1/b2b/sso/external/{}/connections/", lab::ORGANIZATION);
        assert_eq!(update.target, path + lab::CONNECTION, "{given}");
        assert_eq!(
            authenticate.target,
            format!("{prefix}/v1/b2b/sessions/authenticate"),
            "{given}"
        );
    }
}

#[tokio::test]
async fn project_ids_that_change_a_path_or_the_credentials_are_rejected() {
    for id in ["", ".", "..", "a:b", "a\\b", "a\r\nb", "a\0b", &"x".repeat(1025)] {
        let error = Client::builder(id, lab::SECRET).build().unwrap_err();
        capture::inspect(&error);
        let is_rejected = matches!(
            error,
            BuildError::EmptyProjectId
                | BuildError::InvalidProjectId
                | BuildError::Whitespace { .. }
        );
        assert!(is_rejected, "{id:?}: {error:?}");
    }
}

#[tokio::test]
async fn extreme_settings_neither_panic_nor_hang() {
    let forever = Duration::MAX;
    let most = |lab: &Lab| {
        let policy = RetryPolicy::default()
            .max_attempts(u32::MAX)
            .initial_backoff(forever)
            .max_backoff(forever)
            .max_retry_after(forever);
        let builder = lab
            .builder()
            .connect_timeout(forever)
            .attempt_timeout(forever)
            .operation_timeout(forever);
        let builder =
            builder.retry(policy).jwks_max_stale(forever).jwks_min_refetch_interval(forever);
        let builder = builder.session_cache_ttl(forever).leeway(forever);
        builder.max_response_bytes(usize::MAX).max_in_flight(usize::MAX >> 3)
    };
    let lab = Lab::responding(play::json(200, &lab::updated())).await;
    let client = most(&lab).build().unwrap();
    for session in [lab::session(), Session::token(lab::TOKEN)] {
        lab::update_as(&client, session.clone()).await.unwrap();
        lab::update_as(&client, session).await.unwrap();
    }
    assert_eq!((lab.authenticate_requests(), lab.updates()), (1, 4));
    // Every JWT counts as expired, so the client calls `sessions/authenticate`.
    let client = most(&lab).expiry_margin(forever).build().unwrap();
    lab::update(&client).await.unwrap();
    assert_eq!((lab.authenticate_requests(), lab.updates()), (2, 5));
}

#[tokio::test]
async fn max_in_flight_of_usize_max_does_not_panic() {
    let lab = Lab::responding(play::json(200, &lab::updated())).await;
    let client = lab.builder().max_in_flight(usize::MAX).build().unwrap();
    lab::update(&client).await.unwrap();
}
