//! Why a request got no response, whether it was sent, and whether a retry could help.
//!
//! reqwest hides the cause in the sources of its error. The types below are those of the HTTP
//! and TLS libraries that reqwest uses; tests fail when it moves to other versions of them.

use std::{
    error::Error as StdError,
    io, iter, mem,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{client::MAX_HEADERS, destination::Proxy, hooks::Attempt};
use crate::error::{Error, ErrorKind, response};

/// Converts the error of an attempt, all but its source. A proxy that rejected `CONNECT` is asked
/// for its status, within this time.
pub(super) async fn classify(
    error: &reqwest::Error,
    attempt: &Attempt,
    proxy: Option<&Proxy>,
    remaining: Duration,
) -> Error {
    // A timeout error doesn't show what it ended, but a request that was never sent was still
    // connecting.
    let has_started = attempt.body_started.as_ref().is_none_or(|it| it.load(Ordering::SeqCst));
    let sent = has_started && !error.is_connect() && !error.is_builder();
    // The type of this cause is private to the HTTP library.
    let is_tunnel = |cause: &String| error.is_connect() && cause.starts_with("tunnel error: ");
    let tunnel = causes(error).map(ToString::to_string).find(is_tunnel);
    let is_tunnel = |text: &str| tunnel.as_ref().is_some_and(|cause| cause.ends_with(text));
    // A response to `CONNECT` with another status than 200 and 407.
    let is_rejected = is_tunnel(": unsuccessful");
    let status = match proxy {
        Some(proxy) if is_rejected => proxy.status(remaining).await,
        _ => None,
    };
    response::no_response(attempt.operation, sent, error.is_timeout()).amend(|context| {
        let head_too_large = causes(error).any(is_head_too_large);
        (context.reason, context.retryable) = match (permanent_cause(error), status) {
            _ if head_too_large => {
                let limit = format!("over {MAX_HEADERS} headers, or too many bytes");
                (format!("the response head is too large: {limit}").into(), false)
            }
            (Some(reason), _) => (reason.into(), false),
            _ if is_tunnel(": proxy authorization required") => {
                ("HTTP 407 Proxy Authentication Required".into(), false)
            }
            (None, Some(status)) => {
                (format!("HTTP {status} in response to CONNECT").into(), status.is_server_error())
            }
            _ if is_rejected => ("CONNECT was rejected".into(), true),
            _ if error.is_dns() => ("the host name can't be resolved".into(), true),
            _ => (mem::take(&mut context.reason), true),
        };
        if head_too_large {
            context.kind = ErrorKind::UnexpectedResponse;
        }
        if tunnel.is_some() {
            let address = proxy.map(|proxy| format!(" ({})", proxy.address)).unwrap_or_default();
            context.reason = format!("proxy: {}{address}", context.reason).into();
        }
    })
}

fn permanent_cause(error: &reqwest::Error) -> Option<&'static str> {
    if error.is_builder() {
        return Some(CANNOT_BE_BUILT);
    }
    causes(error).find_map(|cause| {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            return hyper.is_parse().then_some("the response is not HTTP/1");
        }
        tls_cause(cause, error.is_connect())
    })
}

fn is_head_too_large(cause: &(dyn StdError + 'static)) -> bool {
    // The method for it exists only with hyper's feature `server`.
    let hyper = cause.downcast_ref::<hyper::Error>();
    hyper.is_some_and(|error| error.is_parse() && error.to_string() == "message head is too large")
}

/// In TLS 1.3 a server rejects the client's certificate after the client's side of the handshake is
/// complete: then only an alert counts.
fn tls_cause(cause: &(dyn StdError + 'static), is_connect: bool) -> Option<&'static str> {
    #[cfg(feature = "rustls")]
    if let Some(error) = cause.downcast_ref()
        && (is_connect || matches!(error, rustls::Error::AlertReceived(_)))
    {
        return rustls_cause(error);
    }
    let text = cause.to_string().to_lowercase();
    let has_failed = if is_connect {
        #[cfg(feature = "native-tls")]
        let is_tls = cause.is::<native_tls::Error>();
        #[cfg(not(feature = "native-tls"))]
        let is_tls = false;
        // OpenSSL reports an I/O error of the handshake as an error of its own, which is transient.
        let is_io = || causes(cause).any(<dyn StdError>::is::<io::Error>);
        is_tls && !text.contains("unexpected eof") && !is_io()
    } else {
        // An error of OpenSSL, whose type native-tls doesn't export.
        text.contains("ssl routines") && text.contains("alert")
    };
    // How OpenSSL names the alert of a server's own failure.
    (has_failed && !text.contains("internal error")).then_some(HANDSHAKE_FAILED)
}

#[cfg(feature = "rustls")]
fn rustls_cause(error: &rustls::Error) -> Option<&'static str> {
    use rustls::{AlertDescription, CertificateError as Certificate, Error as Tls};

    Some(match error {
        // A server's own failure.
        Tls::AlertReceived(AlertDescription::InternalError) => return None,
        Tls::InvalidCertificate(certificate) => match certificate {
            Certificate::Expired | Certificate::ExpiredContext { .. } => {
                "TLS: certificate has expired"
            }
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
                "TLS: certificate is not yet valid"
            }
            Certificate::UnknownIssuer => "TLS: certificate has an unknown issuer",
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                "TLS: certificate is for another host name"
            }
            // The name of an error of the `webpki` crate.
            Certificate::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                "TLS: certificate is a CA certificate, not a server certificate"
            }
            _ => "TLS: certificate is invalid",
        },
        _ => HANDSHAKE_FAILED,
    })
}

/// An error and its sources. What an `io::Error` wraps isn't its source.
pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// A request's body that records when it is handed to a connection.
///
/// A timeout error of the HTTP client doesn't show whether the attempt was still connecting. The
/// client polls the body once it has a connection and before the first byte goes out, so an attempt
/// whose body was never polled was never sent. `hooks.rs` decides which attempts need this.
pub(super) struct Watched {
    pub(super) body: reqwest::Body,
    pub(super) started: Arc<AtomicBool>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        self.started.store(true, Ordering::SeqCst);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        let is_empty = self.body.is_end_stream();
        // An empty body is asked for this instead of polled.
        if is_empty {
            self.started.store(true, Ordering::SeqCst);
        }
        is_empty
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pub(super) const CANNOT_BE_BUILT: &str = "the request can't be built";
const HANDSHAKE_FAILED: &str = "TLS: the handshake failed";
