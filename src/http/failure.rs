//! Why a request got no response, and whether a retry could help.
//!
//! reqwest hides the cause in the sources of its error. The types below are those of the HTTP
//! and TLS libraries that reqwest uses; tests fail when it moves to other versions of them.

use std::{borrow::Cow, error::Error, io, iter, sync::Arc};

use http::StatusCode;

use super::{client::MAX_HEADERS, proxy::Proxy};
use crate::error::Failure;

/// Classifies an error of reqwest. `body_started` is false if the request's body was never
/// handed to a connection. `connect_status` is that of a proxy that rejected `CONNECT`, if known.
pub(super) fn classify(
    error: reqwest::Error,
    body_started: bool,
    connect_status: Option<StatusCode>,
    proxy: Option<&Proxy>,
) -> Failure {
    // A timeout error doesn't show what it ended, but a request that was never sent was still
    // connecting.
    let sent = body_started && !error.is_connect() && !error.is_builder();
    let head_too_large =
        causes(&error).any(|cause| cause.downcast_ref().is_some_and(is_head_too_large));
    let permanent_reason = permanent_cause(&error);
    let is_server_error = connect_status.is_some_and(|status| status.is_server_error());
    let permanent = permanent_reason.is_some() || connect_status.is_some() && !is_server_error;
    let mut reason = match (permanent_reason, connect_status) {
        (Some(reason), _) => reason,
        (None, Some(status)) => format!("HTTP {status} in response to CONNECT").into(),
        (None, None) if is_rejected_connect(&error) => "CONNECT was rejected".into(),
        (None, None) if error.is_dns() => "the host name can't be resolved".into(),
        (None, None) => Failure::transient(sent, error.is_timeout()).reason,
    };
    if error.is_connect() && causes(&error).any(is_of_proxy) {
        let address = proxy.map(|proxy| format!(" ({})", proxy.address)).unwrap_or_default();
        reason = format!("proxy: {reason}{address}").into();
    }
    Failure { head_too_large, permanent, reason, source: Some(Arc::new(error.without_url())), sent }
}

fn permanent_cause(error: &reqwest::Error) -> Option<Cow<'static, str>> {
    if error.is_builder() {
        return Some("the request can't be built".into());
    }
    causes(error).find_map(|cause| {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if is_head_too_large(hyper) {
                let limit = format!(
                    "the response head is too large: over {MAX_HEADERS} headers, or too many bytes"
                );
                return Some(limit.into());
            }
            return hyper.is_parse().then(|| "the response is not HTTP/1".into());
        }
        if !error.is_connect() {
            return late_alert(cause).map(Into::into);
        }
        if is_of_proxy(cause) && cause.to_string().ends_with("proxy authorization required") {
            return Some("HTTP 407 Proxy Authentication Required".into());
        }
        tls_cause(cause).map(Into::into)
    })
}

/// Whether a proxy responded to `CONNECT` with another status than 200 and 407.
pub(super) fn is_rejected_connect(error: &reqwest::Error) -> bool {
    error.is_connect()
        && causes(error).any(|cause| cause.to_string() == "tunnel error: unsuccessful")
}

/// Whether an error is about the tunnel of a proxy. Its type is private to the HTTP library.
fn is_of_proxy(cause: &(dyn Error + 'static)) -> bool {
    cause.to_string().starts_with("tunnel error: ")
}

/// In TLS 1.3 a server rejects the client's certificate after the client's side of the
/// handshake is complete.
fn late_alert(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    #[cfg(feature = "rustls")]
    if let Some(alert @ rustls::Error::AlertReceived(_)) = cause.downcast_ref() {
        return rustls_cause(alert);
    }
    // An error of OpenSSL, whose type native-tls doesn't export.
    let text = cause.to_string().to_lowercase();
    let is_alert = text.contains("ssl routines") && text.contains("alert");
    (is_alert && !text.contains(INTERNAL_ERROR)).then_some(HANDSHAKE_FAILED)
}

fn is_head_too_large(error: &hyper::Error) -> bool {
    // The method for it exists only with hyper's feature `server`.
    error.is_parse() && error.to_string() == "message head is too large"
}

fn tls_cause(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    #[cfg(feature = "rustls")]
    if let Some(error) = cause.downcast_ref() {
        return rustls_cause(error);
    }
    #[cfg(feature = "native-tls")]
    if let Some(error) = cause.downcast_ref() {
        return native_tls_cause(error);
    }
    let _ = cause;
    None
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

/// OpenSSL reports an I/O error of the handshake as an error of its own, which is transient.
#[cfg(feature = "native-tls")]
fn native_tls_cause(error: &native_tls::Error) -> Option<&'static str> {
    let text = error.to_string().to_lowercase();
    let is_transient = causes(error).any(<dyn Error>::is::<io::Error>)
        || ["unexpected eof", INTERNAL_ERROR].iter().any(|transient| text.contains(transient));
    (!is_transient).then_some(HANDSHAKE_FAILED)
}

/// An error and its sources. What an `io::Error` wraps isn't its source.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

const HANDSHAKE_FAILED: &str = "TLS: the handshake failed";
/// How OpenSSL names the alert of a server's own failure.
const INTERNAL_ERROR: &str = "internal error";
