//! The result of an attempt: the decoded response, or why there is none, whether the request was
//! sent, and whether a retry could help.
//!
//! The status, the headers and a body read up to a limit survive whatever a body contains. reqwest
//! hides the cause of a failure in the sources of its error: the types below are those of the HTTP
//! and TLS libraries that it uses; tests fail when it moves to other versions of them.

use std::{
    error::Error as StdError,
    io, iter, mem,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use progenitor_client::{ClientInfo, OperationInfo, ResponseValue};
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{client::MAX_HEADERS, destination::Proxy, hooks::Attempt, transport::BindingsResult};
use crate::{
    error::{Attempted, BodyError, Error, ErrorKind, RawResponse, response},
    wire::{
        Operation,
        generated::{self, Error as BindingsError},
        json,
    },
};

impl generated::Client {
    /// Reads and decodes a response. `build/edits.rs` inserts the call.
    pub(crate) async fn decode<T: DeserializeOwned>(
        &self,
        mut response: Response,
        info: &OperationInfo,
    ) -> BindingsResult<T> {
        let context = self.inner();
        let limit = context.config.max_response_bytes;
        let Some(Attempt { operation, failure, .. }) = &context.attempt else {
            // Boxed, so that the futures of this crate's own calls have no room for it.
            return Box::pin(decode_for_caller(response, limit, info)).await;
        };
        let (body, body_error) = read_body(&mut response, limit).await;
        let (status, headers) = (response.status(), mem::take(response.headers_mut()));
        let raw = RawResponse { status, headers, body, body_error };
        match raw.into_result(*operation, || context.config.clock.now(), json::decode) {
            Ok(body) => Ok(ResponseValue::new(body, status, HeaderMap::new())),
            Err(error) => {
                // `conclude` reads it.
                failure.get_or_init(|| error);
                Err(BindingsError::UnexpectedResponse(response))
            }
        }
    }

    /// Converts the result of an attempt into a success or an error.
    pub(super) fn conclude<T>(
        &self,
        operation: Operation,
        result: BindingsResult<T>,
    ) -> Attempted<T> {
        let failure = self.inner.attempt.as_ref().and_then(|attempt| attempt.failure.get());
        result.map_err(|error| {
            // Before it is sent, only a header that can't be built fails, and ours are built before.
            let failure = failure.cloned().unwrap_or_else(|| {
                let error = Error::new(ErrorKind::Transport, operation, CANNOT_BE_BUILT);
                error.amend(|context| context.retryable = false)
            });
            match error {
                BindingsError::CommunicationError(error) => {
                    failure.amend(|context| context.source = Some(Arc::new(error.without_url())))
                }
                _ => failure,
            }
        })
    }
}

/// Decodes as the generated code would, from a body read up to the limit. A body that is incomplete,
/// or may carry secrets, is not part of an error, which keeps the status and the headers.
async fn decode_for_caller<T: DeserializeOwned>(
    mut response: Response,
    limit: usize,
    info: &OperationInfo,
) -> BindingsResult<T> {
    let (body, body_error) = read_body(&mut response, limit).await;
    let status = response.status();
    let headers = || response.headers().clone();
    let operation = Operation::ALL.iter().copied().find(|it| it.id() == info.operation_id);
    let shows_body = !operation.is_some_and(response::carries_secrets);
    let reports_error = operation.is_some_and(|it| response::is_error_body(it, &body));
    let is_error = (400..=599).contains(&status.as_u16());
    // Nothing of an incomplete body is decoded, which might succeed all the same.
    match body_error {
        None if status.is_success() && !reports_error => match serde_json::from_slice(&body) {
            Ok(decoded) => Ok(ResponseValue::new(decoded, status, headers())),
            Err(error) if shows_body => Err(BindingsError::InvalidResponsePayload(body, error)),
            Err(_) => Err(BindingsError::UnexpectedResponse(response)),
        },
        None if is_error && shows_body => Err(match serde_json::from_slice(&body) {
            Ok(error) => BindingsError::ErrorResponse(ResponseValue::new(error, status, headers())),
            Err(error) => BindingsError::InvalidResponsePayload(body, error),
        }),
        _ => Err(BindingsError::UnexpectedResponse(response)),
    }
}

async fn read_body(response: &mut Response, limit: usize) -> (Bytes, Option<BodyError>) {
    // Nearly every body is one chunk, which is passed on as it is.
    let (mut body, mut rest) = (Bytes::new(), BytesMut::new());
    let body_error = loop {
        match response.chunk().await {
            Ok(Some(first)) if body.is_empty() => body = first,
            Ok(Some(chunk)) => rest.extend_from_slice(&chunk),
            Ok(None) => break None,
            Err(error) => {
                let (reason, source) = ("the body was interrupted".into(), error.without_url());
                break Some(BodyError { reason, source: Some(Arc::new(source)) });
            }
        }
        if body.len() + rest.len() > limit {
            let reason = format!("the body is longer than {limit} bytes (max_response_bytes)");
            break Some(BodyError { reason: reason.into(), source: None });
        }
    };
    if !rest.is_empty() {
        body = [body, rest.freeze()].concat().into();
    }
    body.truncate(limit);
    (body, body_error)
}

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
    let is_of_tunnel = |cause: &String| error.is_connect() && cause.starts_with("tunnel error: ");
    let tunnel = causes(error).map(ToString::to_string).find(is_of_tunnel);
    let tunnel_ends_with = |text: &str| tunnel.as_ref().is_some_and(|cause| cause.ends_with(text));
    // A response to `CONNECT` with another status than 200 and 407.
    let is_rejected = tunnel_ends_with(": unsuccessful");
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
            _ if tunnel_ends_with(": proxy authorization required") => {
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

fn is_head_too_large(cause: &Cause) -> bool {
    // The method for it exists only with hyper's feature `server`.
    let hyper = cause.downcast_ref::<hyper::Error>();
    hyper.is_some_and(|error| error.is_parse() && error.to_string() == "message head is too large")
}

/// In TLS 1.3 a server rejects the client's certificate after the client's side of the handshake is
/// complete: then only an alert counts.
fn tls_cause(cause: &Cause, is_connect: bool) -> Option<&'static str> {
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
        let is_io = || causes(cause).any(<Cause>::is::<io::Error>);
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
pub(super) fn causes(error: &Cause) -> impl Iterator<Item = &Cause> {
    iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map_or_else(|| error.source(), |wrapped| Some(wrapped as _))
    })
}

type Cause = dyn StdError + 'static;

const CANNOT_BE_BUILT: &str = "the request can't be built";
const HANDSHAKE_FAILED: &str = "TLS: the handshake failed";
