//! Failures that no retry would change: certificates, TLS, bytes that aren't HTTP,
//! too many headers. One attempt, and a reason that names the cause.

use stytch_sso_external::{
    Client, Error, Operation,
    Outcome::{self, NotApplied, Unknown},
    Session, reqwest,
};
use tokio_rustls::rustls::ServerConfig;

use crate::support::{
    capture,
    scripted_project::{self, ScriptedProject, variant},
    scripted_server::{Request, ScriptedServer},
    steps::{self, JSON, Step, Steps},
    tls,
};

const HANDSHAKE_FAILED: &str = "TLS: the handshake failed";

type Backend = fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder;

/// The TLS backends of this build.
const BACKENDS: &[(&str, Backend)] = &[
    #[cfg(feature = "rustls")]
    ("rustls", |http| http.tls_backend_rustls()),
    #[cfg(feature = "native-tls")]
    ("native-tls", |http| http.tls_backend_native()),
];

fn client(base_url: &str, backend: Backend) -> Client {
    scripted_project::builder(base_url)
        .configure_http(move |http| backend(http).tls_certs_only([tls::authority()]))
        .build()
        .unwrap()
}

async fn error_of(client: &Client) -> Error {
    let result = scripted_project::update_as(client, Session::token(scripted_project::TOKEN)).await;
    let error = result.unwrap_err();
    capture::inspect(&error);
    error
}

/// The error of an update over a connection of its own, after `sessions/authenticate` over a good
/// one.
async fn error_of_the_update(config: ServerConfig, backend: Backend) -> Error {
    let script = |request: &Request, before: usize| match request.method.as_str() {
        "POST" => {
            [scripted_project::successful_authenticate(request, before), vec![Step::Close]].concat()
        }
        _ => steps::json(200, &scripted_project::updated()),
    };
    let server = ScriptedServer::start_tls_with([tls::good(), config], script).await;
    let error = error_of(&client(&server.url(), backend)).await;
    assert_eq!(error.operation(), Operation::UpdateExternalConnection, "{error:?}");
    assert_eq!((server.connections(), server.count("PUT")), (2, 0), "{error:?}");
    error
}

fn assert_permanent(what: &str, error: &Error, outcome: Outcome, reason: &str) {
    assert_eq!(variant(error), "Transport", "{what}: {error:?}");
    assert!(error.reason().contains(reason), "{what}: {error:?}");
    assert_eq!((error.is_retryable(), error.attempts()), (false, 1), "{what}: {error:?}");
    assert_eq!(error.outcome(), outcome, "{what}: {error:?}");
}

fn successful(request: &Request, before: usize) -> Steps {
    match request.method.as_str() {
        "POST" => scripted_project::successful_authenticate(request, before),
        _ => steps::json(200, &scripted_project::updated()),
    }
}

#[tokio::test]
async fn a_wrong_certificate_is_permanent_and_named() {
    for (backend_name, backend) in BACKENDS {
        let cases = [
            ("unknown CA", tls::of_an_unknown_issuer(), "TLS: certificate has an unknown issuer"),
            ("self-signed", tls::self_signed(), "TLS: certificate has an unknown issuer"),
            ("expired", tls::expired(), "TLS: certificate has expired"),
            ("not yet valid", tls::not_yet_valid(), "TLS: certificate is not yet valid"),
            ("wrong name", tls::for_another_host(), "TLS: certificate is for another host name"),
            (
                "CA",
                tls::with_a_ca_certificate(),
                "TLS: certificate is a CA certificate, not a server certificate",
            ),
        ];
        for (case, config, reason) in cases {
            let what = format!("{backend_name}, {case}");
            let error = error_of_the_update(config, *backend).await;
            // The causes are distinguished for rustls only.
            let reason = if *backend_name == "rustls" { reason } else { HANDSHAKE_FAILED };
            assert_permanent(&what, &error, NotApplied, reason);
            assert_eq!(error.reason(), reason, "{what}");
        }
        // The same authority, and nothing wrong.
        let server = ScriptedServer::start_tls(tls::good(), successful).await;
        let good = client(&server.url(), *backend);
        scripted_project::update_as(&good, Session::token(scripted_project::TOKEN)).await.unwrap();
    }
}

#[tokio::test]
async fn a_rejected_tls_negotiation_is_permanent() {
    for (backend_name, backend) in BACKENDS {
        // A server of plain HTTP.
        let server = ScriptedServer::start_writing("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let url = server.url_at("https", "127.0.0.1");
        let error = error_of(&client(&url, *backend)).await;
        assert_permanent(backend_name, &error, NotApplied, HANDSHAKE_FAILED);
        assert_eq!(server.connections(), 1, "{backend_name}");

        // One that has no certificate to show and sends an alert.
        let error = error_of_the_update(tls::without_certificate(), *backend).await;
        assert_permanent(backend_name, &error, NotApplied, HANDSHAKE_FAILED);
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_permanent() {
    for (backend_name, backend) in BACKENDS {
        let config = tls::requiring_a_client_certificate();
        let error = error_of_the_update(config, *backend).await;
        // In TLS 1.3 the alert comes after the client's side of the handshake, when the update may
        // have been written.
        assert_permanent(backend_name, &error, Unknown, HANDSHAKE_FAILED);
    }
}

#[tokio::test]
async fn an_io_error_inside_the_handshake_is_retried() {
    for (backend_name, backend) in BACKENDS {
        for server in
            [ScriptedServer::start_resetting().await, ScriptedServer::start_closing().await]
        {
            let url = server.url_at("https", "127.0.0.1");
            let error = error_of(&client(&url, *backend)).await;
            assert_eq!(variant(&error), "Transport", "{backend_name}: {error:?}");
            assert!(error.is_retryable(), "{backend_name}: {error:?}");
            assert_eq!((error.attempts(), error.outcome()), (3, NotApplied), "{backend_name}");
        }
    }
}

/// The alert of a server's own failure, for example while its certificate is replaced.
#[tokio::test]
async fn the_alert_internal_error_is_retried() {
    for (backend_name, backend) in BACKENDS {
        // A record of the type alert, TLS 1.2, two bytes: fatal, internal_error.
        let server = ScriptedServer::start_writing("\x15\x03\x03\0\x02\x02\x50").await;
        let url = server.url_at("https", "127.0.0.1");
        let error = error_of(&client(&url, *backend)).await;
        assert_eq!(variant(&error), "Transport", "{backend_name}: {error:?}");
        assert!(error.is_retryable(), "{backend_name}: {error:?}");
        assert_eq!((error.attempts(), error.outcome()), (3, NotApplied), "{backend_name}");
    }
}

#[tokio::test]
async fn bytes_that_are_not_http_are_permanent() {
    let banner = |request: &Request, before: usize| match request.method.as_str() {
        "POST" => scripted_project::successful_authenticate(request, before),
        _ => vec![Step::Send("SSH-2.0-OpenSSH_9.6\r\n".into()), Step::Close],
    };
    for (backend_name, backend) in BACKENDS {
        let server = ScriptedServer::start_tls(tls::good(), banner).await;
        let error = error_of(&client(&server.url(), *backend)).await;
        assert_permanent(backend_name, &error, Unknown, "the response is not HTTP/1");
        assert_eq!(server.count("PUT"), 1, "{backend_name}");
    }
}

fn headers(count: usize) -> String {
    // With content-type and content-length, which `steps::http` and this test add.
    format!("{JSON}{}", "x-many: y\r\n".repeat(count - 2))
}

#[tokio::test]
async fn up_to_256_headers_are_read() {
    for count in [101, 256] {
        let body = scripted_project::updated().to_string();
        let project = ScriptedProject::responding(steps::http(200, &headers(count), body)).await;
        scripted_project::update(&project.client()).await.unwrap();

        let body = scripted_project::rejected(403, "session_authorization_error").to_string();
        let project = ScriptedProject::responding(steps::http(403, &headers(count), body)).await;
        let error = scripted_project::update(&project.client()).await.unwrap_err();
        assert_eq!(variant(&error), "PermissionDenied", "{count}: {error:?}");
    }
}

#[tokio::test]
async fn more_headers_are_an_error_without_a_status() {
    for (count, status) in [(257, 200), (257, 403), (10_000, 200)] {
        let body = scripted_project::updated().to_string();
        let project = ScriptedProject::responding(steps::http(status, &headers(count), body)).await;
        let error = scripted_project::update(&project.client()).await.unwrap_err();
        assert_eq!(variant(&error), "UnexpectedResponse", "{error:?}");
        assert_eq!((error.status(), error.outcome()), (None, Unknown), "{error:?}");
        assert_eq!((error.is_retryable(), error.attempts()), (false, 1), "{error:?}");
        assert!(error.reason().contains("over 256 headers"), "{error:?}");
        assert_eq!(project.updates(), 1);
    }
}

#[tokio::test]
async fn unexpected_encodings_and_statuses_are_named() {
    let gzip = "content-encoding: gzip\r\n";
    let cases = [
        (steps::http(200, gzip, [0x1f, 0x8b, 0]), "Content-Encoding"),
        (steps::http(502, gzip, [0x1f, 0x8b, 0]), "Content-Encoding"),
        (steps::http(304, "", ""), "304 Not Modified"),
        (steps::http(307, "location: /x\r\n", ""), "redirects are not followed"),
        (steps::html(502), "expected JSON, got text/html"),
        (steps::http(500, "", ""), "expected JSON, got an empty body"),
    ];
    for (steps, reason) in cases {
        let project = ScriptedProject::responding(steps).await;
        let error = scripted_project::update(&project.client()).await.unwrap_err();
        assert_eq!(variant(&error), "UnexpectedResponse", "{error:?}");
        assert!(error.reason().contains(reason), "{error:?}");
    }
}
