//! Base URLs that would leak credentials, and extreme settings.

use std::time::Duration;

use stytch_sso_external::{BuildError, Client, RetryPolicy, Session};

use crate::support::{
    capture,
    scripted_project::{self, ScriptedProject},
    steps,
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
        let error = scripted_project::builder(url).build().unwrap_err();
        assert!(matches!(error, BuildError::InvalidBaseUrl { .. }), "{url}: {error:?}");
        capture::inspect(&error);
    }
}

#[tokio::test]
async fn base_url_keeps_its_path_prefix() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
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
        let client =
            scripted_project::builder(&format!("{}{given}", project.server.url())).build().unwrap();
        scripted_project::update_as(&client, Session::token(scripted_project::TOKEN))
            .await
            .unwrap();
        let mut seen = project.server.requests();
        let (update, authenticate) = (seen.pop().unwrap(), seen.pop().unwrap());
        let path =
            format!("{prefix}/v1/b2b/sso/external/{}/connections/", scripted_project::ORGANIZATION);
        assert_eq!(update.target, path + scripted_project::CONNECTION, "{given}");
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
        let error = Client::builder(id, scripted_project::SECRET).build().unwrap_err();
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
    let most = |project: &ScriptedProject| {
        let policy = RetryPolicy::default()
            .max_attempts(u32::MAX)
            .initial_backoff(forever)
            .max_backoff(forever)
            .max_retry_after(forever);
        let builder = project
            .builder()
            .connect_timeout(forever)
            .attempt_timeout(forever)
            .operation_timeout(forever);
        let builder =
            builder.retry(policy).jwks_max_stale(forever).jwks_min_refetch_interval(forever);
        let builder = builder.session_cache_ttl(forever).leeway(forever);
        builder.max_response_bytes(usize::MAX).max_in_flight(usize::MAX >> 3)
    };
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = most(&project).build().unwrap();
    for session in [scripted_project::session(), Session::token(scripted_project::TOKEN)] {
        scripted_project::update_as(&client, session.clone()).await.unwrap();
        scripted_project::update_as(&client, session).await.unwrap();
    }
    assert_eq!((project.authenticate_requests(), project.updates()), (1, 4));
    // Every JWT counts as expired, so the client calls `sessions/authenticate`.
    let client = most(&project).expiry_margin(forever).build().unwrap();
    scripted_project::update(&client).await.unwrap();
    assert_eq!((project.authenticate_requests(), project.updates()), (2, 5));
}

#[tokio::test]
async fn max_in_flight_of_usize_max_does_not_panic() {
    let project = ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await;
    let client = project.builder().max_in_flight(usize::MAX).build().unwrap();
    scripted_project::update(&client).await.unwrap();
}
