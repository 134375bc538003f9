//! The hooks of the generated client, which every request passes.
//!
//! A request gets the project's Basic auth and, acting for a member, exactly one session
//! header. `result.rs` takes the response.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    HeaderValue,
    header::{AUTHORIZATION, HOST},
};
use http_body::{Body, Frame, SizeHint};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};

use super::{
    destination::{BaseUrl, NOT_BELOW_THE_BASE_URL, Proxy},
    result::classify,
};
use crate::{
    error::Error,
    sync::{Clock, Deadline},
    wire::{JWT_HEADER, Operation, PathSegment, SessionHeader, TOKEN_HEADER, generated},
};

/// What all requests of a client share.
pub(crate) struct TransportConfig {
    pub(crate) project_id: PathSegment,
    pub(crate) base_url: BaseUrl,
    /// The project's Basic auth, marked sensitive.
    pub(crate) authorization: HeaderValue,
    pub(crate) attempt_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    /// Used for all requests, whatever HTTP client the bindings were constructed with.
    pub(crate) http: reqwest::Client,
    pub(crate) placeholder: reqwest::Client,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) clock: Clock,
}

/// The credentials, session and limits of requests of the [`bindings`](crate::bindings).
///
/// Obtained only through [`Client::bindings`](crate::Client::bindings), whose context acts for
/// the project. Bindings constructed with it and another base URL send nothing.
#[derive(Clone)]
pub struct RequestContext {
    pub(super) config: Arc<TransportConfig>,
    /// `None` in the bindings of a caller.
    pub(super) attempt: Option<Attempt>,
}

/// One attempt of this crate's own calls.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) operation: Operation,
    session: Option<SessionHeader>,
    /// The attempt timeout, or what remains of the call if that is less.
    timeout: Duration,
    /// Whether the body was handed to a connection, if nothing else shows that.
    pub(super) body_started: Option<Arc<AtomicBool>>,
    /// Set unless the response was decoded.
    pub(super) failure: OnceLock<Error>,
}

impl generated::Client {
    /// The client for one attempt, which keeps its error.
    pub(super) fn attempt(
        &self,
        operation: Operation,
        session: Option<SessionHeader>,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let remaining = deadline.remaining();
        if remaining.is_zero() {
            return Err(deadline.elapsed("preparing the request"));
        }
        let config = Arc::clone(&self.inner.config);
        let timeout = remaining.min(config.attempt_timeout);
        // Connecting has a timeout of its own, with an error of its own. Only an attempt with no more
        // time than that can end without showing whether it was connected.
        let body_started = (timeout <= config.connect_timeout).then(Arc::default);
        let failure = OnceLock::new();
        let attempt = Some(Attempt { operation, session, timeout, body_started, failure });
        Ok(Self {
            // Not read: the context of an attempt has the URLs.
            baseurl: String::new(),
            client: self.client.clone(),
            inner: RequestContext { config, attempt },
        })
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext").finish_non_exhaustive()
    }
}

impl ClientHooks<RequestContext> for generated::Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _info: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        let RequestContext { config, attempt } = self.inner();
        let invalid = |reason: &str| progenitor_client::Error::InvalidRequest(reason.to_owned());
        let path = request.url().as_str().strip_prefix(&*config.base_url.text);
        if !path.is_some_and(|path| path.starts_with('/')) {
            // The hook is public: a caller can pass any request.
            return Err(invalid(NOT_BELOW_THE_BASE_URL));
        }
        let headers = request.headers_mut();
        // The version of the document, which no SDK of Stytch's sends.
        headers.remove("api-version");
        headers.reserve(HEADERS.saturating_sub(headers.len()));
        headers.insert(AUTHORIZATION, config.authorization.clone());
        // Otherwise the library formats it for each request.
        headers.insert(HOST, config.base_url.host_header.clone());
        if let Some(Attempt { session, timeout, body_started, .. }) = attempt {
            if let Some((name, value)) = session {
                headers.insert(name.clone(), value.clone());
            }
            // The HTTP client has the whole attempt timeout.
            if *timeout < config.attempt_timeout {
                *request.timeout_mut() = Some(*timeout);
            }
            if let Some(started) = body_started {
                let body = request.body_mut().take().unwrap_or_default();
                let watched = Watched { body, started: Arc::clone(started) };
                *request.body_mut() = Some(reqwest::Body::wrap(watched));
            }
            return Ok(());
        }
        // A caller of the bindings may have set them.
        let mut count = 0;
        for name in [TOKEN_HEADER, JWT_HEADER] {
            let Some(value) = headers.get_mut(name) else { continue };
            value.set_sensitive(true);
            count += 1;
            if value.as_bytes().trim_ascii().is_empty() {
                // Stytch takes it for absent, and the request for one of the project.
                return Err(invalid("a session header is empty"));
            }
        }
        if count > 1 {
            return Err(invalid("the request has both a session token and a session JWT"));
        }
        Ok(())
    }

    // Not an `async fn`: its future would keep room for the request until the response is
    // there.
    fn exec(
        &self,
        request: reqwest::Request,
        info: &OperationInfo,
    ) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
        let context = self.inner();
        let began = Instant::now();
        let response = context.config.http.execute(request);
        async move {
            let response = response.await;
            if let (Err(error), Some(attempt)) = (&response, &context.attempt) {
                let remaining = attempt.timeout.saturating_sub(began.elapsed());
                let proxy = context.config.proxy.as_ref();
                // Boxed, because it is rare.
                let failure = Box::pin(classify(error, attempt, proxy, remaining)).await;
                attempt.failure.get_or_init(|| failure);
            }
            tracing::debug!(
                operation = info.operation_id,
                status = response.as_ref().ok().map(|response| response.status().as_u16()),
                elapsed = ?began.elapsed(),
                "attempt completed"
            );
            response
        }
    }
}

/// A request's body that records when it is handed to a connection.
///
/// A timeout error of the HTTP client doesn't show whether the attempt was still connecting. The
/// client polls the body once it has a connection and before the first byte goes out, so an attempt
/// whose body was never polled was never sent. `attempt` decides which attempts need this.
struct Watched {
    body: reqwest::Body,
    started: Arc<AtomicBool>,
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
        self.started.fetch_or(is_empty, Ordering::SeqCst);
        is_empty
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// `Accept`, `Content-Type`, `Authorization`, `Host`, the session, and the HTTP library's
/// `User-Agent` and `Content-Length`. Without room for all of them, the library's copy of the map
/// would be rebuilt for the last one.
const HEADERS: usize = 7;
