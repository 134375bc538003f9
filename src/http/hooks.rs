//! The hooks of the generated client, which every request passes.
//!
//! A request gets the project's Basic auth and, acting for a member, exactly one session
//! header. `decode.rs` takes the response.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, HOST},
};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};

use super::{
    body_progress::BodyProgress,
    failure,
    proxy::Proxy,
    transport::BindingsResult,
    url::{BaseUrl, NOT_BELOW_THE_BASE_URL},
};
use crate::{
    error::{Error, ErrorContext, ErrorKind, RawResponse, Success, response},
    sync::Clock,
    wire::{JWT_HEADER, Operation, SessionHeader, TOKEN_HEADER, generated},
};

/// What all requests of a client share.
pub(crate) struct TransportConfig {
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
    body_progress: Option<BodyProgress>,
    /// Set unless the response was decoded. Boxed, because it is rarely set.
    pub(super) failed_response: OnceLock<Box<RawResponse>>,
    /// The status with which a proxy rejected `CONNECT`.
    connect_status: OnceLock<StatusCode>,
}

impl RequestContext {
    pub(super) fn for_project(config: Arc<TransportConfig>) -> Self {
        Self { config, attempt: None }
    }

    /// The context of one attempt, for which this much time remains.
    pub(super) fn for_attempt(
        &self,
        operation: Operation,
        session: Option<SessionHeader>,
        remaining: Duration,
    ) -> Self {
        let config = &self.config;
        let timeout = remaining.min(config.attempt_timeout);
        let attempt = Attempt {
            operation,
            session,
            timeout,
            // Connecting has a timeout of its own, with an error of its own. Only an attempt with no
            // more time than that can end without showing whether it was connected.
            body_progress: (timeout <= config.connect_timeout).then(BodyProgress::default),
            failed_response: OnceLock::new(),
            connect_status: OnceLock::new(),
        };
        Self { config: Arc::clone(config), attempt: Some(attempt) }
    }

    /// Converts the result of the generated client into a success or an error.
    pub(super) fn conclude<T>(
        &self,
        operation: Operation,
        result: BindingsResult<T>,
    ) -> Result<Success<T>, Error> {
        let error = match result {
            Ok(success) => {
                return Ok(Success { status: success.status(), body: success.into_inner() });
            }
            Err(error) => error,
        };
        let attempt = self.attempt.as_ref();
        let failed_response = attempt.and_then(|attempt| attempt.failed_response.get());
        let connect_status = attempt.and_then(|attempt| attempt.connect_status.get());
        Err(match (failed_response, error) {
            (Some(response), _) => response.to_error(operation, self.config.clock.now()),
            (None, generated::Error::CommunicationError(error)) => {
                let progress = attempt.and_then(|attempt| attempt.body_progress.as_ref());
                let started = progress.is_none_or(BodyProgress::has_started);
                let (status, proxy) = (connect_status.copied(), self.config.proxy.as_ref());
                response::no_response(operation, failure::classify(error, started, status, proxy))
            }
            // Only a header that can't be built gets here, and ours are built before.
            (None, _) => {
                let reason = "the request can't be built";
                ErrorContext::new(ErrorKind::Transport, operation, reason).into_error(Some(false))
            }
        })
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let acts_for = if self.attempt.as_ref().is_some_and(|it| it.session.is_some()) {
            "member"
        } else {
            "project"
        };
        f.debug_struct("RequestContext").field("acts_for", &acts_for).finish_non_exhaustive()
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
        if let Some(Attempt { session, timeout, body_progress, .. }) = attempt {
            if let Some(session) = session {
                headers.insert(session.name.clone(), session.value.clone());
            }
            // The HTTP client has the whole attempt timeout.
            if *timeout < config.attempt_timeout {
                *request.timeout_mut() = Some(*timeout);
            }
            if let Some(progress) = body_progress {
                progress.watch(request.body_mut().get_or_insert_default());
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
            if let (Err(error), Some(attempt), Some(proxy)) =
                (&response, &context.attempt, &context.config.proxy)
                && failure::is_rejected_connect(error)
            {
                let remaining = attempt.timeout.saturating_sub(began.elapsed());
                // Boxed, because it is rare.
                if let Some(status) = Box::pin(proxy.status(remaining)).await {
                    attempt.connect_status.get_or_init(|| status);
                }
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

/// `Accept`, `Content-Type`, `Authorization`, `Host`, the session, and the HTTP library's
/// `User-Agent` and `Content-Length`. Without room for all of them, the library's copy of the map
/// would be rebuilt for the last one.
const HEADERS: usize = 7;
