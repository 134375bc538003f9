//! Failures that no retry would change: certificates, TLS, bytes that aren't HTTP,
//! too many headers. One attempt, and a reason that names the cause.

use tokio_rustls::rustls::ServerConfig;

use crate::support::prelude::*;

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
    builder(base_url)
        .configure_http(move |http| backend(http).tls_certs_only([tls::authority()]))
        .build()
        .unwrap()
}

async fn error_of(url: &str, backend: Backend) -> Error {
    let client = client(url, backend);
    update_as(&client, token()).await.unwrap_err()
}

/// The error of an update over a connection of its own, after `sessions/authenticate` over a good
/// one.
async fn error_of_the_update(config: ServerConfig, backend: Backend) -> Error {
    let script = |request: &Request, before: usize| {
        let last = if request.method == "POST" { vec![Step::Close] } else { vec![] };
        [successful(request, before), last].concat()
    };
    let server = ScriptedServer::start_tls([tls::good(), config], script).await;
    let error = error_of(&server.url(), backend).await;
    assert_eq!(error.operation(), UPDATE, "{error:?}");
    assert_eq!((server.connections(), server.count("PUT")), (2, 0), "{error:?}");
    error
}

#[track_caller]
fn assert_permanent(what: &str, error: &Error, outcome: Outcome, reason: &str) {
    capture::inspect(error);
    assert_error(what, error, Transport, outcome);
    assert!(error.reason().contains(reason), "{what}: {error:?}");
    assert_eq!((error.is_retryable(), error.attempts()), (false, 1), "{what}: {error:?}");
}

#[tokio::test]
async fn a_wrong_certificate_is_permanent_and_named() {
    let ca = "TLS: certificate is a CA certificate, not a server certificate";
    for (backend_name, backend) in BACKENDS {
        for (certificate, reason) in [
            ("unknown-issuer", "TLS: certificate has an unknown issuer"),
            ("self-signed", "TLS: certificate has an unknown issuer"),
            ("expired", "TLS: certificate has expired"),
            ("not-yet-valid", "TLS: certificate is not yet valid"),
            ("other-host", "TLS: certificate is for another host name"),
            ("authority", ca),
        ] {
            let what = format!("{backend_name}, {certificate}");
            let error = error_of_the_update(tls::with_certificate(certificate), *backend).await;
            // The causes are distinguished for rustls only.
            let reason = if *backend_name == "rustls" { reason } else { HANDSHAKE_FAILED };
            assert_permanent(&what, &error, NotApplied, reason);
            assert_eq!(error.reason(), reason, "{what}");
        }
        // The same authority, and nothing wrong.
        let server = ScriptedServer::start_tls([tls::good()], successful).await;
        let good = client(&server.url(), *backend);
        update_as(&good, token()).await.unwrap();
    }
}

#[tokio::test]
async fn a_rejected_tls_negotiation_is_permanent() {
    for (name, backend) in BACKENDS {
        // A server of plain HTTP.
        let bad_request = Step::Send("HTTP/1.1 400 Bad Request\r\n\r\n".into());
        let server = ScriptedServer::start_greeting(bad_request).await;
        let error = error_of(&server.url_at("https", "127.0.0.1"), *backend).await;
        assert_permanent(name, &error, NotApplied, HANDSHAKE_FAILED);
        assert_eq!(server.connections(), 1, "{name}");

        // One that has no certificate to show and sends an alert.
        let error = error_of_the_update(tls::without_certificate(), *backend).await;
        assert_permanent(name, &error, NotApplied, HANDSHAKE_FAILED);

        // One that requires a client certificate. In TLS 1.3 the alert comes after the client's
        // side of the handshake, when the update may have been written.
        let error = error_of_the_update(tls::requiring_a_client_certificate(), *backend).await;
        assert_permanent(name, &error, Unknown, HANDSHAKE_FAILED);
    }
}

#[tokio::test]
async fn an_io_error_or_a_failure_of_the_server_inside_the_handshake_is_retried() {
    // A record of the type alert, TLS 1.2, two bytes: fatal, internal_error. A server sends it for
    // a failure of its own, for example while its certificate is replaced.
    let alert = "\x15\x03\x03\0\x02\x02\x50";
    for (backend_name, backend) in BACKENDS {
        for step in [Step::Reset, Step::Close, Step::Send(alert.into())] {
            let what = format!("{backend_name}, {step:?}");
            let server = ScriptedServer::start_greeting(step).await;
            let error = error_of(&server.url_at("https", "127.0.0.1"), *backend).await;
            assert_not_applied(&what, &error, Transport);
            assert_eq!((error.is_retryable(), error.attempts()), (true, 3), "{what}: {error:?}");
        }
    }
}

#[tokio::test]
async fn bytes_that_are_not_http_are_permanent() {
    let banner = |request: &Request, before: usize| match request.method.as_str() {
        "POST" => successful(request, before),
        _ => vec![Step::Send("SSH-2.0-OpenSSH_9.6\r\n".into()), Step::Close],
    };
    for (name, backend) in BACKENDS {
        let server = ScriptedServer::start_tls([tls::good()], banner).await;
        let error = error_of(&server.url(), *backend).await;
        assert_permanent(name, &error, Unknown, "the response is not HTTP/1");
        assert_eq!(server.count("PUT"), 1, "{name}");
    }
}

#[tokio::test]
async fn up_to_256_headers_are_read() {
    let read = [(101, 200), (256, 200), (101, 403), (256, 403)];
    for (count, status) in read.into_iter().chain([(257, 200), (257, 403), (10_000, 200)]) {
        // With content-type and content-length, which this and `steps::http` add.
        let headers = format!("{JSON}{}", "x-many: y\r\n".repeat(count - 2));
        let denied = rejected(403, "session_authorization_error");
        let body = if status == 200 { updated() } else { denied }.to_string();
        let project = ScriptedProject::responding(steps::http(status, &headers, body)).await;
        let updated = update(&project.client()).await;
        match (count, status) {
            (..=256, 200) => drop(updated.unwrap()),
            (..=256, _) => assert_denied(count, &updated.unwrap_err(), "update"),
            _ => {
                let error = updated.unwrap_err();
                assert_error(count, &error, UnexpectedResponse, Unknown);
                assert_eq!((error.status(), error.is_retryable()), (None, false), "{error:?}");
                assert!(error.reason().contains("over 256 headers"), "{error:?}");
                assert_eq!((error.attempts(), project.updates()), (1, 1));
            }
        }
    }
}

#[tokio::test]
async fn unexpected_encodings_and_statuses_are_named() {
    let gzip = "content-encoding: gzip\r\n";
    let cases = [
        (steps::http(200, gzip, [0x1f, 0x8b, 0]), "Content-Encoding"),
        (steps::http(502, gzip, [0x1f, 0x8b, 0]), "Content-Encoding"),
        (steps::http(304, "", ""), "304 Not Modified"),
        (steps::redirect(307, "/x"), "redirects are not followed"),
        (html(502), "expected JSON, got text/html"),
        (steps::http(500, "", ""), "expected JSON, got an empty body"),
    ];
    for (steps, reason) in cases {
        let project = ScriptedProject::responding(steps).await;
        let error = update(&project.client()).await.unwrap_err();
        assert_eq!(error.kind(), UnexpectedResponse, "{error:?}");
        assert!(error.reason().contains(reason), "{error:?}");
    }
}
