//! Base URLs that would send credentials astray, and settings at their extremes.

use std::time::Duration;

use stytch_sso_external::{BuildError, Client, RetryPolicy, Session};

use crate::support::{
    capture,
    lab::{self, Lab},
    play,
};

#[tokio::test]
async fn a_base_url_that_cannot_take_a_path_is_refused() {
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
async fn slashes_and_a_path_prefix_lead_where_they_say() {
    let lab = Lab::answering(play::json(200, &lab::updated())).await;
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
        let (update, asked) = (seen.pop().unwrap(), seen.pop().unwrap());
        let path = format!("{prefix}/v1/b2b/sso/external/{}/connections/", lab::ORGANIZATION);
        assert_eq!(update.target, path + lab::CONNECTION, "{given}");
        assert_eq!(asked.target, format!("{prefix}/v1/b2b/sessions/authenticate"), "{given}");
    }
}

#[tokio::test]
async fn a_project_id_that_would_change_a_path_or_the_credentials_is_refused() {
    for id in ["", ".", "..", "a:b", "a\\b", "a\r\nb", "a\0b", &"x".repeat(1025)] {
        let error = Client::builder(id, lab::SECRET).build().unwrap_err();
        capture::inspect(&error);
        let refused = matches!(error, BuildError::EmptyProjectId | BuildError::InvalidProjectId);
        assert!(refused, "{id:?}: {error:?}");
    }
}

#[tokio::test]
async fn settings_at_their_extremes_neither_panic_nor_hang() {
    let forever = Duration::MAX;
    let most = |lab: &Lab| {
        let policy = RetryPolicy::default()
            .attempts(u32::MAX)
            .base(forever)
            .cap(forever)
            .retry_after_cap(forever);
        let builder = lab.builder().connect_timeout(forever).timeout(forever).deadline(forever);
        let builder = builder.retry(policy).keys_max_age(forever).keys_cooldown(forever);
        let builder = builder.token_ttl(forever).clock_skew(forever);
        builder.max_response_bytes(usize::MAX).max_in_flight(usize::MAX >> 3)
    };
    let lab = Lab::answering(play::json(200, &lab::updated())).await;
    let client = most(&lab).build().unwrap();
    for session in [lab::session(), Session::token(lab::TOKEN)] {
        lab::update_as(&client, session.clone()).await.unwrap();
        lab::update_as(&client, session).await.unwrap();
    }
    assert_eq!((lab.asked(), lab.updates()), (1, 4));
    // Every JWT counts as expired, so Stytch is asked.
    let client = most(&lab).expiry_margin(forever).build().unwrap();
    lab::update(&client).await.unwrap();
    assert_eq!((lab.asked(), lab.updates()), (2, 5));
}

#[tokio::test]
async fn a_number_of_requests_beyond_all_bounds_is_no_panic() {
    let lab = Lab::answering(play::json(200, &lab::updated())).await;
    let client = lab.builder().max_in_flight(usize::MAX).build().unwrap();
    lab::update(&client).await.unwrap();
}
