//! Why a request got no response, and whether a retry could help.
//!
//! reqwest hides the cause in the sources of its error. The types below are those of the HTTP
//! and TLS libraries that reqwest uses; tests fail when it moves to other versions of them.

use std::{borrow::Cow, error::Error, io, iter, sync::Arc};

use super::client::MAX_HEADERS;
use crate::error::Failure;

/// Classifies an error of reqwest. `body_started` is false if the request's body was never
/// handed to a connection.
pub(super) fn classify(error: reqwest::Error, body_started: bool) -> Failure {
    // A timeout error doesn't show what it ended, but a request that was never sent was still
    // connecting.
    let sent = body_started && !error.is_connect() && !error.is_builder();
    let head_too_large =
        causes(&error).any(|cause| cause.downcast_ref().is_some_and(is_head_too_large));
    let permanent_reason = permanent_cause(&error);
    let transient = Failure::transient(sent, error.is_timeout());
    Failure {
        head_too_large,
        permanent: permanent_reason.is_some(),
        reason: permanent_reason.unwrap_or(transient.reason),
        source: Some(Arc::new(error.without_url())),
        sent,
    }
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
            return late_alert(cause);
        }
        // The type of this error is private to the HTTP library.
        if cause.to_string().ends_with("proxy authorization required") {
            return Some("proxy: HTTP 407 Proxy Authentication Required".into());
        }
        tls_cause(cause)
    })
}

/// In TLS 1.3 a server rejects the client's certificate after the client's side of the
/// handshake is complete.
fn late_alert(cause: &(dyn Error + 'static)) -> Option<Cow<'static, str>> {
    #[cfg(feature = "rustls")]
    if let Some(alert @ rustls::Error::AlertReceived(_)) = cause.downcast_ref() {
        return rustls_cause(alert);
    }
    // An error of OpenSSL, whose type native-tls doesn't export.
    let text = cause.to_string().to_lowercase();
    let is_alert = text.contains("ssl routines") && text.contains("alert");
    (is_alert && !text.contains("internal error")).then(|| "TLS: the server sent an alert".into())
}

fn is_head_too_large(error: &hyper::Error) -> bool {
    // The method for it exists only with hyper's feature `server`.
    error.is_parse() && error.to_string() == "message head is too large"
}

fn tls_cause(cause: &(dyn Error + 'static)) -> Option<Cow<'static, str>> {
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
fn rustls_cause(error: &rustls::Error) -> Option<Cow<'static, str>> {
    use rustls::{AlertDescription, CertificateError as Certificate, Error as Tls};

    let date = |time: &rustls::pki_types::UnixTime| {
        let since_epoch = std::time::Duration::from_secs(time.as_secs());
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + since_epoch)
    };
    Some(match error {
        Tls::InvalidCertificate(Certificate::Expired) => EXPIRED.into(),
        Tls::InvalidCertificate(Certificate::ExpiredContext { not_after, .. }) => {
            format!("{EXPIRED} ({})", date(not_after)).into()
        }
        Tls::InvalidCertificate(Certificate::NotValidYet) => NOT_YET_VALID.into(),
        Tls::InvalidCertificate(Certificate::NotValidYetContext { not_before, .. }) => {
            format!("{NOT_YET_VALID} (before {})", date(not_before)).into()
        }
        Tls::InvalidCertificate(Certificate::UnknownIssuer) => UNKNOWN_ISSUER.into(),
        Tls::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => WRONG_NAME.into(),
        Tls::InvalidCertificate(_) => "TLS: certificate is invalid".into(),
        // A server's own failure.
        Tls::AlertReceived(AlertDescription::InternalError) => return None,
        Tls::AlertReceived(alert) => format!("TLS: the server sent the alert {alert:?}").into(),
        Tls::InvalidMessage(_) => "TLS: the server does not speak TLS".into(),
        Tls::PeerIncompatible(_) => "TLS: no protocol version or cipher suite in common".into(),
        _ => HANDSHAKE_FAILED.into(),
    })
}

/// OpenSSL reports the cause as text, without a date. An I/O error inside the handshake is one
/// of its errors too.
#[cfg(feature = "native-tls")]
fn native_tls_cause(error: &native_tls::Error) -> Option<Cow<'static, str>> {
    let text = error.to_string().to_lowercase();
    let is_io = causes(error).any(<dyn Error>::is::<io::Error>) || text.contains("unexpected eof");
    if is_io {
        return None;
    }
    let known = [
        ("certificate has expired", EXPIRED),
        ("not yet valid", NOT_YET_VALID),
        ("hostname mismatch", WRONG_NAME),
        ("ip address mismatch", WRONG_NAME),
        ("issuer certificate", UNKNOWN_ISSUER),
        ("self-signed certificate", UNKNOWN_ISSUER),
        ("self signed certificate", UNKNOWN_ISSUER),
    ];
    let found = known.into_iter().find(|(pattern, _)| text.contains(pattern));
    Some(found.map_or(HANDSHAKE_FAILED, |(_, reason)| reason).into())
}

/// An error and its sources. What an `io::Error` wraps isn't its source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod reasons {
    pub(super) const EXPIRED: &str = "TLS: certificate has expired";
    pub(super) const NOT_YET_VALID: &str = "TLS: certificate is not yet valid";
    pub(super) const UNKNOWN_ISSUER: &str = "TLS: certificate has an unknown issuer";
    pub(super) const WRONG_NAME: &str = "TLS: certificate is for another host name";
    pub(super) const HANDSHAKE_FAILED: &str = "TLS: the handshake failed";
}
#[cfg(any(feature = "rustls", feature = "native-tls"))]
use reasons::{EXPIRED, HANDSHAKE_FAILED, NOT_YET_VALID, UNKNOWN_ISSUER, WRONG_NAME};
