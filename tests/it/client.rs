//! The configuration of a client, and the errors of `build`.

use crate::support::prelude::*;

const SECRET: &str = "secret-test-hidden";

fn builder() -> ClientBuilder {
    Client::builder("project-test-1", SECRET)
}

#[test]
fn project_id_decides_the_environment() {
    assert_base_url(Client::builder("project-live-1", SECRET), "https://api.stytch.com");
    assert_base_url(Client::builder("project-test-1", SECRET), "https://test.stytch.com");
}

#[test]
fn loopback_may_be_plain_http() {
    for url in ["http://127.0.0.1:8080", "http://127.8.8.8", "http://localhost:8080"] {
        assert_base_url(builder().base_url(url), url);
    }
    assert_base_url(builder().base_url("http://[::1]:8080/"), "http://[::1]:8080");
    let with_path = "https://sso.example.com:8443/a/b";
    assert_base_url(builder().base_url(format!("{with_path}//")), with_path);
}

fn assert_base_url(builder: ClientBuilder, used: &str) {
    let client = builder.build().unwrap_or_else(|error| panic!("{used}: {error}"));
    assert!(format!("{client:?}").contains(&format!("base_url: \"{used}\"")), "{client:?}");
}

#[tokio::test]
async fn path_of_the_base_url_precedes_the_path_of_each_request() {
    let project = ScriptedProject::successful().await;
    for (given, prefix) in [
        ("", ""),
        ("/", ""),
        ("///", ""),
        ("/stytch", "/stytch"),
        ("/stytch/", "/stytch"),
        ("/a/b//", "/a/b"),
        ("/a%20b/c", "/a%20b/c"),
        ("/a/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("\\b", "/b"),
    ] {
        let base_url = format!("{}{given}", project.server.url());
        let client = scripted_project::builder(&base_url).build().unwrap();
        update(&client).await.unwrap();
        update_as(&client, token()).await.unwrap();
        let update = format!("/v1/b2b/sso/external/{ORGANIZATION}/connections/{CONNECTION}");
        let jwks = format!("/v1/b2b/sessions/jwks/{PROJECT}");
        let paths = [&*jwks, &update, "/v1/b2b/sessions/authenticate", &update];
        let sent: Vec<_> = project.server.take().into_iter().map(|it| it.target).collect();
        assert_eq!(sent, paths.map(|path| format!("{prefix}{path}")), "{given}");
    }
}

#[test]
fn base_url_that_would_leak_credentials_is_rejected() {
    let (user, plain) = ("contains a user name or password", "is plain http");
    let rejected: [(&str, &str, &[&str]); 10] = [
        ("is not a URL", "", &["", "sso.example.com", "//sso.example.com", "/v1"]),
        ("is not a URL", "https://", &["", "sso.example.com:99999", "sso exa mple.com", "[::1"]),
        ("does not start with https://", "", &["file:///etc", "ws://[::1]", "data:,x"]),
        ("does not start with https://", "ftp://", &["a.example"]),
        (user, "https://", &["user@a.example", "u:hunter2@a.example", ":hunter2@a.example"]),
        (user, "http://", &["localhost@a.example"]),
        ("contains a query or fragment", "https://", &["a?b=c", "a/?", "a/#", "a#b"]),
        (plain, "http://", &["a.example", "10.0.0.1", "[::2]", "localhost.", "0.0.0.0:1"]),
        (plain, "http://", &["localhost.a.example", "127.0.0.1.a.example", "evil.localhost"]),
        (plain, "http://", &["[::ffff:127.0.0.1]", "[2001:db8::1]", "notlocalhost"]),
    ];
    let urls = rejected.iter().flat_map(|(message, scheme, rests)| {
        rests.iter().map(move |rest| (*message, format!("{scheme}{rest}")))
    });
    for (message, base_url) in urls {
        let error = builder().base_url(&*base_url).build().unwrap_err();
        capture::inspect(&error);
        let (shown, is_insecure) = (format!("{base_url}: {error} {error:?}"), message == plain);
        assert!(error.to_string().starts_with(&format!("the base URL {message}")), "{shown}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{shown}");
        assert_eq!(matches!(error, BuildError::InsecureBaseUrl), is_insecure, "{shown}");
        assert_eq!(matches!(error, BuildError::InvalidBaseUrl { .. }), !is_insecure, "{shown}");
    }
}

/// The error of a client with these credentials, whatever its host.
fn error_of(project_id: &str, secret: &str) -> BuildError {
    let with_base_url = with_base_url(project_id, secret).build().unwrap_err();
    let error = Client::builder(project_id, secret).build().unwrap_err();
    assert_eq!(format!("{error:?}"), format!("{with_base_url:?}"), "{project_id:?}");
    error
}

fn with_base_url(project_id: &str, secret: &str) -> ClientBuilder {
    Client::builder(project_id, secret).base_url("https://sso.example.com")
}

#[test]
fn empty_and_invalid_credentials_are_rejected() {
    assert!(matches!(error_of("", SECRET), BuildError::EmptyProjectId));
    assert!(matches!(error_of("project-test-1", ""), BuildError::EmptySecret));
    let long = "x".repeat(1025);
    for id in [".", "..", "a:b", "a\\b", "a\0b", "project-test-1;", "project-test-ä", "a b", &long]
    {
        let error = error_of(id, SECRET);
        assert!(matches!(error, BuildError::InvalidProjectId), "{id:?}: {error}");
    }
    for secret in ["secret\0", "secret\u{7f}", "secret\u{1}x", "sécret", "a\u{200b}b"] {
        let error = error_of("project-test-1", secret);
        assert!(matches!(error, BuildError::InvalidSecret), "{secret:?}: {error}");
        assert!(!format!("{error} {error:?}").contains(secret));
    }
    // Its characters have no meaning in Basic auth.
    Client::builder("project-test-1", "a:b \"c\" d").build().unwrap();
}

#[test]
fn credentials_in_quotes_or_with_white_space_or_a_line_break_are_rejected_by_name() {
    for around in ["\"", "'", "`", " ", "\n", "\r\n", "\t"] {
        let spoil = |text: &str| {
            [
                format!("{around}{text}{around}"),
                format!("{around}{text}"),
                format!("{text}{around}"),
            ]
        };
        let ids = spoil("project-live-1").map(|id| (error_of(&id, SECRET), "project id"));
        let secrets = spoil(SECRET).map(|it| (error_of("project-test-1", &it), "project secret"));
        for (error, expected) in ids.into_iter().chain(secrets) {
            let (named, is_quote) = match &error {
                BuildError::Quoted { setting, .. } => (*setting, true),
                BuildError::Whitespace { setting, .. } => (*setting, false),
                _ => panic!("{around:?}: {error:?}"),
            };
            let what = (named, is_quote);
            assert_eq!(what, (expected, !around.trim().is_empty()), "{around:?}: {error:?}");
            assert!(error.to_string().starts_with(&format!("the {expected} ")), "{error}");
            assert!(!format!("{error} {error:?}").contains("hidden"));
        }
    }
    for (id, secret) in [("project\ntest-1", SECRET), ("project-test-1", "secret\rtest")] {
        let error = error_of(id, secret);
        assert!(matches!(error, BuildError::Whitespace { .. }), "{error:?}");
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

#[tokio::test]
async fn empty_base_url_of_the_environment_counts_as_absent() {
    let other = "https://sso.example.com";
    for (variable, expected) in [("", "https://test.stytch.com"), (other, other)] {
        let variables = [
            ("STYTCH_PROJECT_ID", "project-test-1"),
            ("STYTCH_SECRET", SECRET),
            ("STYTCH_BASE_URL", variable),
        ];
        let client = async || format!("{:?}", Client::from_env().unwrap());
        let client = child::result_of(&variables, client).await;
        assert!(client.contains(&format!("{expected:?}")), "{client}");
    }
}

/// `SSL_CERT_FILE` is read only on Linux, and only by rustls when the client is built.
#[cfg(all(target_os = "linux", feature = "rustls"))]
#[tokio::test]
async fn certificates_that_cannot_be_loaded_are_named() {
    let [file, dir] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
    for (set, other) in [(file, dir), (dir, file)] {
        let variables = [(set, "/does/not/exist"), (other, "")];
        let error = child::result_of(&variables, async || builder().build().unwrap_err()).await;
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
        let error = builder.build().unwrap_err();
        assert_eq!(error.to_string(), format!("{setting} must be greater than zero"));
    }
}

#[test]
fn timeouts_have_defaults() {
    let shown = format!("{:?}", builder());
    let timeouts = ["connect_timeout: 5s", "attempt_timeout: 10s", "operation_timeout: 25s"];
    for setting in timeouts.into_iter().chain(["max_attempts: 5"]) {
        assert!(shown.contains(setting), "{setting} isn't in {shown}");
    }
    assert!(!shown.contains(SECRET));
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

/// Those that a service keeps for each call in flight or queued, in bytes.
#[test]
fn futures_and_errors_stay_small() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    let member = builder().build().unwrap().as_member(Session::jwt("a.b.c"));
    let update = UpdateExternalConnectionRequest::default();
    let edit = |_: &mut ConnectionEdit| {};
    let sizes = [
        ("update_connection", size_of_val(&member.update_connection("id", &update)), 2200),
        ("connections", size_of_val(&member.connections()), 2050),
        ("connection", size_of_val(&member.connection("id")), 2350),
        ("edit_connection", size_of_val(&member.edit_connection("id", edit)), 2600),
        ("check_permissions", size_of_val(&member.check_permissions([UPDATE])), 2250),
        ("organization_id", size_of_val(&member.organization_id()), 200),
    ];
    let too_large: Vec<_> = sizes.into_iter().filter(|(_, size, limit)| size > limit).collect();
    assert!(too_large.is_empty(), "future, bytes, limit: {too_large:?}");
}
