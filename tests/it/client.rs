//! The configuration of a client, and the errors of `build`.

use std::time::Duration;

use stytch_sso_external::{
    BuildError, Client, ClientBuilder, Error, MemberClient, Session, testing::Stytch,
    types::UpdateExternalConnectionRequest,
};

use crate::support::{
    child,
    scripted_project::{self, ScriptedProject},
    steps,
};

const SECRET: &str = "secret-test-hidden";

const IN_CHILD: &str = "TEST_FROM_ENV";

fn builder() -> ClientBuilder {
    Client::builder("project-test-1", SECRET)
}

#[test]
fn project_id_decides_the_environment() {
    let base_url =
        |project_id: &str| format!("{:?}", Client::builder(project_id, SECRET).build().unwrap());
    assert!(base_url("project-live-1").contains("\"https://api.stytch.com\""));
    assert!(base_url("project-test-1").contains("\"https://test.stytch.com\""));
}

#[test]
fn base_url_loses_trailing_slashes() {
    for (given, used) in [
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
        assert!(format!("{client:?}").contains(&format!("base_url: \"{used}\"")), "{client:?}");
    }
}

#[tokio::test]
async fn path_of_the_base_url_precedes_the_path_of_each_request() {
    let updated = steps::json(200, &scripted_project::updated());
    for (given, prefix) in [("/", ""), ("/stytch/", "/stytch"), ("/a%20b/c", "/a%20b/c")] {
        let project = ScriptedProject::responding(updated.clone()).await;
        let base_url = format!("{}{given}", project.server.url());
        let client = scripted_project::builder(&base_url).build().unwrap();
        scripted_project::update(&client).await.unwrap();
        let (organization, connection) =
            (scripted_project::ORGANIZATION, scripted_project::CONNECTION);
        let expected = [
            format!("{prefix}/v1/b2b/sessions/jwks/{}", scripted_project::PROJECT),
            format!("{prefix}/v1/b2b/sso/external/{organization}/connections/{connection}"),
        ];
        let requests = project.server.requests().into_iter();
        assert_eq!(requests.map(|request| request.target).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn base_url_that_would_leak_credentials_is_rejected() {
    let cases = [
        ("", "the base URL is not a URL"),
        ("sso.example.com", "the base URL is not a URL"),
        ("/v1", "the base URL is not a URL"),
        ("ftp://sso.example.com", "the base URL does not start with https://"),
        ("file:///etc", "the base URL does not start with https://"),
        ("https://user@sso.example.com", "the base URL contains a user name or password"),
        ("https://user:hunter2@sso.example.com", "the base URL contains a user name or password"),
        ("https://sso.example.com?a=b", "the base URL contains a query or fragment"),
        ("https://sso.example.com#a", "the base URL contains a query or fragment"),
        ("http://sso.example.com", "the base URL is plain http"),
        ("http://10.0.0.1", "the base URL is plain http"),
        ("http://localhost.example.com", "the base URL is plain http"),
        ("http://127.0.0.1.example.com", "the base URL is plain http"),
        ("http://[::2]", "the base URL is plain http"),
        ("http://notlocalhost", "the base URL is plain http"),
        ("http://evil.localhost", "the base URL is plain http"),
        ("http://localhost.", "the base URL is plain http"),
    ];
    for (base_url, message) in cases {
        let error = builder().base_url(base_url).build().unwrap_err();
        assert!(error.to_string().starts_with(message), "{base_url}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn empty_and_invalid_credentials_are_rejected() {
    assert!(matches!(Client::builder("", SECRET).build(), Err(BuildError::EmptyProjectId)));
    assert!(matches!(Client::builder("project-test-1", "").build(), Err(BuildError::EmptySecret)));
    for project_id in ["..", "a:b", "a\\b", "project-test-1;", "project-test-ä", "project test-1"]
    {
        for builder in [Client::builder(project_id, SECRET), with_base_url(project_id, SECRET)] {
            let error = builder.build().unwrap_err();
            assert!(matches!(error, BuildError::InvalidProjectId), "{project_id:?}: {error}");
        }
    }
    for secret in ["secret\0", "secret\u{7f}", "secret\u{1}x", "sécret", "a\u{200b}b"] {
        let error = Client::builder("project-test-1", secret).build().unwrap_err();
        assert!(matches!(error, BuildError::InvalidSecret), "{secret:?}: {error}");
        assert!(!format!("{error} {error:?}").contains(secret));
    }
    // Its characters have no meaning in Basic auth.
    Client::builder("project-test-1", "a:b \"c\" d").build().unwrap();
}

fn with_base_url(project_id: &str, secret: &str) -> ClientBuilder {
    Client::builder(project_id, secret).base_url("https://sso.example.com")
}

#[test]
fn quoted_credentials_are_rejected_by_name() {
    let spoil = |text: &str| {
        let quotes = ['"', '\'', '`'].iter();
        let spoiled = quotes.flat_map(|it| {
            [format!("{it}{text}{it}"), format!("{it}{text}"), format!("{text}{it}")]
        });
        spoiled.collect::<Vec<_>>()
    };
    let ids = spoil("project-live-1").into_iter().map(|id| (id, SECRET.to_owned(), "project id"));
    let secrets = spoil(SECRET).into_iter();
    let secrets = secrets.map(|secret| ("project-test-1".to_owned(), secret, "project secret"));
    for (id, secret, expected) in ids.chain(secrets) {
        for builder in [Client::builder(&id, &secret), with_base_url(&id, &secret)] {
            let error = builder.build().unwrap_err();
            let BuildError::Quoted { setting, .. } = error else { panic!("{id:?}: {error:?}") };
            assert_eq!(setting, expected);
            assert!(!format!("{error} {error:?}").contains("hidden"));
        }
    }
}

#[test]
fn project_id_of_no_environment_needs_a_base_url() {
    for project_id in ["anything-else", "project-1", "Project-live-1", "project-live", "1"] {
        let error = Client::builder(project_id, SECRET).build().unwrap_err();
        assert!(matches!(error, BuildError::UnknownEnvironment), "{project_id}: {error}");
        with_base_url(project_id, SECRET).build().unwrap();
    }
}

#[test]
fn credentials_with_white_space_or_a_line_break_are_rejected_by_name() {
    let spoil = |text: &str| {
        [" ", "\n", "\r\n", "\t"]
            .iter()
            .flat_map(|space| [format!("{space}{text}"), format!("{text}{space}")])
            .chain([text.replacen('-', "\n", 1), text.replacen('-', "\r", 1)])
            .collect::<Vec<_>>()
    };
    let ids = spoil("project-test-1").into_iter().map(|id| (id, SECRET.to_owned(), "project id"));
    let secrets = spoil(SECRET).into_iter();
    let secrets = secrets.map(|secret| ("project-test-1".to_owned(), secret, "project secret"));
    for (id, secret, expected) in ids.chain(secrets) {
        let error = Client::builder(&id, &secret).build().unwrap_err();
        let BuildError::Whitespace { setting, .. } = error else { panic!("{id:?}: {error:?}") };
        assert_eq!(setting, expected);
        assert!(error.to_string().starts_with(&format!("the {expected} has ")), "{error}");
        assert!(!format!("{error} {error:?}").contains("hidden"));
    }
}

#[tokio::test]
async fn empty_base_url_of_the_environment_counts_as_absent() {
    if child::variable(IN_CHILD).is_some() {
        println!("base url: {:?}", Client::from_env().unwrap());
        return;
    }
    let test = "client::empty_base_url_of_the_environment_counts_as_absent";
    for (variable, expected) in [
        ("", "\"https://test.stytch.com\""),
        ("https://sso.example.com", "\"https://sso.example.com\""),
    ] {
        let variables = [
            (IN_CHILD, "1"),
            ("STYTCH_PROJECT_ID", "project-test-1"),
            ("STYTCH_SECRET", SECRET),
            ("STYTCH_BASE_URL", variable),
        ];
        let output = child::run(test, &variables).await;
        let client = child::value_of(&output, "base url:");
        assert!(client.contains(expected), "{client}");
    }
}

/// `SSL_CERT_FILE` is read only on Linux, and only by rustls when the client is built.
#[cfg(all(target_os = "linux", feature = "rustls"))]
#[tokio::test]
async fn certificates_that_cannot_be_loaded_are_named() {
    if child::variable(IN_CHILD).is_some() {
        let error = builder().build().unwrap_err();
        return println!("error: {error}");
    }
    let test = "client::certificates_that_cannot_be_loaded_are_named";
    let [file, dir] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
    for (set, other) in [(file, dir), (dir, file)] {
        let variables = [(IN_CHILD, "1"), (set, "/does/not/exist"), (other, "")];
        let output = child::run(test, &variables).await;
        let error = child::value_of(&output, "error:");
        assert!(error.contains("No CA certificates were loaded"), "{error}");
        assert!(error.contains(set) && !error.contains(other), "{error}");
    }
}

#[test]
fn zero_settings_are_rejected_by_name() {
    let zero = Duration::ZERO;
    let cases = [
        (builder().connect_timeout(zero), "connect_timeout"),
        (builder().attempt_timeout(zero), "attempt_timeout"),
        (builder().operation_timeout(zero), "operation_timeout"),
        (builder().max_in_flight(0), "max_in_flight"),
        (builder().max_response_bytes(0), "max_response_bytes"),
        (builder().session_cache_capacity(0), "session_cache_capacity"),
    ];
    for (builder, setting) in cases {
        assert_eq!(
            builder.build().unwrap_err().to_string(),
            format!("{setting} must be greater than zero")
        );
    }
}

#[test]
fn timeouts_have_defaults() {
    let shown = format!("{:?}", builder());
    for setting in
        ["connect_timeout: 5s", "attempt_timeout: 10s", "operation_timeout: 25s", "max_attempts: 5"]
    {
        assert!(shown.contains(setting), "{setting} isn't in {shown}");
    }
    assert!(!shown.contains(SECRET));
}

#[tokio::test]
async fn maximum_durations_and_limits_are_accepted() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let longest = || {
        let builder =
            stytch.client_builder().connect_timeout(Duration::MAX).attempt_timeout(Duration::MAX);
        let builder = builder
            .operation_timeout(Duration::MAX)
            .max_in_flight(usize::MAX)
            .leeway(Duration::MAX);
        builder
            .session_cache_ttl(Duration::MAX)
            .jwks_max_stale(Duration::MAX)
            .jwks_min_refetch_interval(Duration::MAX)
    };
    for session in [Session::jwt(ada.jwt()), Session::token(ada.token())] {
        for client in [longest(), longest().expiry_margin(Duration::MAX)] {
            let member = client.build().unwrap().as_member(session.clone());
            assert_eq!(member.organization_id().await.unwrap(), acme.id());
        }
    }
}

#[test]
fn client_is_sync_and_its_futures_are_send() {
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
