//! How a client is configured, and what is refused before it is made.

use std::time::Duration;

use stytch_sso_external::{
    BuildError, Client, ClientBuilder, Error, MemberClient, Session,
    bindings::{self, ClientInfo},
    testing::Stytch,
    types::UpdateExternalConnectionRequest,
};

const SECRET: &str = "secret-test-hidden";

fn builder() -> ClientBuilder {
    Client::builder("project-test-1", SECRET)
}

#[test]
fn project_id_decides_the_environment() {
    let base_url =
        |project_id: &str| format!("{:?}", Client::builder(project_id, SECRET).build().unwrap());
    assert!(base_url("project-live-1").contains("\"https://api.stytch.com\""));
    assert!(base_url("project-test-1").contains("\"https://test.stytch.com\""));
    assert!(base_url("anything-else").contains("\"https://test.stytch.com\""));
}

#[test]
fn base_url_is_taken_without_slashes_at_its_end() {
    for (given, taken) in [
        ("https://sso.example.com", "https://sso.example.com"),
        ("https://sso.example.com/", "https://sso.example.com"),
        ("https://sso.example.com/stytch//", "https://sso.example.com/stytch"),
        ("https://sso.example.com:8443/a/b", "https://sso.example.com:8443/a/b"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
    ] {
        let client =
            builder().base_url(given).build().unwrap_or_else(|error| panic!("{given}: {error}"));
        assert!(format!("{client:?}").contains(&format!("base_url: \"{taken}\"")), "{client:?}");
    }
}

#[test]
fn base_url_that_would_leak_credentials_is_refused() {
    let cases = [
        ("", "the base URL isn't a URL"),
        ("sso.example.com", "the base URL isn't a URL"),
        ("/v1", "the base URL isn't a URL"),
        ("ftp://sso.example.com", "the base URL isn't https"),
        ("file:///etc", "the base URL isn't https"),
        ("https://user@sso.example.com", "the base URL has a user name or password"),
        ("https://user:hunter2@sso.example.com", "the base URL has a user name or password"),
        ("https://sso.example.com?a=b", "the base URL has a query or fragment"),
        ("https://sso.example.com#a", "the base URL has a query or fragment"),
        ("http://sso.example.com", "the base URL is plain http"),
        ("http://10.0.0.1", "the base URL is plain http"),
        ("http://localhost.example.com", "the base URL is plain http"),
        ("http://127.0.0.1.example.com", "the base URL is plain http"),
        ("http://[::2]", "the base URL is plain http"),
    ];
    for (base_url, said) in cases {
        let error = builder().base_url(base_url).build().unwrap_err();
        assert!(error.to_string().starts_with(said), "{base_url}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn credentials_that_are_none_are_refused() {
    assert!(matches!(Client::builder("", SECRET).build(), Err(BuildError::EmptyProjectId)));
    assert!(matches!(Client::builder("project-test-1", "").build(), Err(BuildError::EmptySecret)));
    // A colon would move the border between user name and password.
    for project_id in ["..", "a:b", "a\nb", "a\\b"] {
        let error = Client::builder(project_id, SECRET).build().unwrap_err();
        assert!(matches!(error, BuildError::InvalidProjectId), "{project_id:?}: {error}");
    }
}

#[test]
fn setting_of_zero_is_refused_by_name() {
    let zero = Duration::ZERO;
    let cases = [
        (builder().connect_timeout(zero), "connect_timeout"),
        (builder().timeout(zero), "timeout"),
        (builder().deadline(zero), "deadline"),
        (builder().max_in_flight(0), "max_in_flight"),
        (builder().max_response_bytes(0), "max_response_bytes"),
        (builder().max_sessions(0), "max_sessions"),
    ];
    for (builder, setting) in cases {
        assert_eq!(builder.build().unwrap_err().to_string(), format!("{setting} is zero"));
    }
}

#[test]
fn times_are_bounded_unless_set_otherwise() {
    let shown = format!("{:?}", builder());
    for setting in ["connect_timeout: 5s", "timeout: 15s", "deadline: 30s", "attempts: 3"] {
        assert!(shown.contains(setting), "{setting} isn't in {shown}");
    }
    assert!(!shown.contains(SECRET));
}

#[tokio::test]
async fn bindings_made_with_another_base_url_send_nothing() {
    let (stytch, other) = (Stytch::start(), Stytch::start());
    let client = stytch.client();
    let caller = client.bindings().inner().clone();
    let elsewhere = bindings::Client::new(&other.base_url(), caller);
    elsewhere.get_jwks(stytch.project_id()).await.unwrap_err();
    assert_eq!(other.requests(), []);
    client.bindings().get_jwks(stytch.project_id()).await.unwrap();
}

#[tokio::test]
async fn longest_durations_and_bounds_are_taken() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let longest = || {
        let builder = stytch.client_builder().connect_timeout(Duration::MAX).timeout(Duration::MAX);
        let builder =
            builder.deadline(Duration::MAX).max_in_flight(usize::MAX).clock_skew(Duration::MAX);
        builder.token_ttl(Duration::MAX).keys_max_age(Duration::MAX).keys_cooldown(Duration::MAX)
    };
    for session in [Session::jwt(ada.jwt()), Session::token(ada.token())] {
        for client in [longest(), longest().expiry_margin(Duration::MAX)] {
            let member = client.build().unwrap().as_member(session.clone());
            assert_eq!(member.organization_id().await.unwrap(), acme.id());
        }
    }
}

#[test]
fn client_and_its_futures_cross_threads() {
    fn crosses_threads<T: Send + Sync>() {}
    fn is_send<T: Send>(_: &T) {}
    crosses_threads::<Client>();
    crosses_threads::<MemberClient>();
    crosses_threads::<Session>();
    crosses_threads::<Error>();
    let member = builder().build().unwrap().as_member(Session::token("token"));
    let update = UpdateExternalConnectionRequest::default();
    is_send(&member.update_connection("external-connection-test-1", &update));
    is_send(&member.organization_id());
}
