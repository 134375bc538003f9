//! What leaves the process and what comes back: the hooks of the generated client, and the
//! only file that touches HTTP.
//!
//! Every request carries the project's Basic auth and, acting for a member, exactly one
//! session header. Every answer is taken before the decoder sees it: its status, its
//! `Retry-After` and a body read up to a bound survive whatever the body holds.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::ResponseBuilderExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    deadline::Deadline,
    error::{Error, Known, Outcome, Said},
    generated::{self, ResponseValue, types},
    rbac::{self, UPDATE},
    segment::Segment,
    sent::Sent,
    session::{JWT_HEADER, Session, SessionHeader, SessionKind, TOKEN_HEADER},
};

/// The wire's words, for those who may not name the generated module.
pub(crate) use crate::generated::{
    Client as Bindings,
    types::{AuthenticateSessionResponse, Jwk},
};

/// Sends the operations of the document, each once.
pub(crate) struct Wire {
    bindings: generated::Client,
    project_id: Segment,
    updates: Semaphore,
    sessions: Semaphore,
}

impl Wire {
    pub(crate) fn new(
        base_url: &str,
        http: reqwest::Client,
        seam: Seam,
        project_id: Segment,
        max_in_flight: usize,
    ) -> Self {
        let max_in_flight = max_in_flight.min(Semaphore::MAX_PERMITS);
        let project =
            Caller { seam: Arc::new(seam), session: None, time: None, sent: None, answer: None };
        Self {
            bindings: generated::Client::new_with_client(base_url, http, project),
            project_id,
            updates: Semaphore::new(max_in_flight),
            // Updates that wait must not starve what they wait for.
            sessions: Semaphore::new(max_in_flight),
        }
    }

    pub(crate) fn project_id(&self) -> &str {
        &self.project_id
    }

    pub(crate) fn bindings(&self) -> &generated::Client {
        &self.bindings
    }

    /// Sends an update as the member.
    pub(crate) async fn update(
        &self,
        session: SessionHeader,
        organization: &Segment,
        connection: &Segment,
        update: &types::UpdateExternalConnectionRequest,
        deadline: Deadline,
    ) -> Result<types::UpdateExternalConnectionResponse, Error> {
        let _turn = turn(&self.updates, deadline).await?;
        let client = self.once(Some(session), deadline)?;
        // The two `None`s are the session headers: the hook sets the one, marked sensitive.
        let result =
            client.update_external_connection(organization, connection, None, None, update).await;
        client.inner.conclude(UPDATE, result)
    }

    /// Asks Stytch about a session.
    pub(crate) async fn authenticate(
        &self,
        session: &Session,
        deadline: Deadline,
    ) -> Result<AuthenticateSessionResponse, Error> {
        let credential = Some(session.credential().clone());
        let request = match session.kind() {
            SessionKind::Token => {
                types::AuthenticateSessionRequest { session_token: credential, session_jwt: None }
            }
            SessionKind::Jwt => {
                types::AuthenticateSessionRequest { session_token: None, session_jwt: credential }
            }
        };
        let _turn = turn(&self.sessions, deadline).await?;
        let client = self.once(None, deadline)?;
        let result = client.authenticate_session(&request).await;
        client.inner.conclude("authenticate_session", result)
    }

    /// Fetches the project's keys.
    pub(crate) async fn jwks(&self, deadline: Deadline) -> Result<types::GetJwksResponse, Error> {
        let client = self.once(None, deadline)?;
        let result = client.get_jwks(&self.project_id).await;
        client.inner.conclude("get_jwks", result)
    }

    /// A client for one attempt, which keeps the answer.
    fn once(
        &self,
        session: Option<SessionHeader>,
        deadline: Deadline,
    ) -> Result<generated::Client, Error> {
        let project = &self.bindings.inner;
        let time = project.seam.timeout.min(deadline.left());
        if time.is_zero() {
            return Err(Error::out_of_time("before anything was sent"));
        }
        // Of an update only: a copy of its body holds no credential.
        let sent = session.is_some().then(Sent::default);
        Ok(generated::Client {
            baseurl: self.bindings.baseurl.clone(),
            client: self.bindings.client.clone(),
            inner: Caller {
                seam: Arc::clone(&project.seam),
                session,
                time: Some(time),
                sent,
                answer: Some(OnceLock::new()),
            },
        })
    }
}

async fn turn(semaphore: &Semaphore, deadline: Deadline) -> Result<SemaphorePermit<'_>, Error> {
    let permit = deadline
        .wait("while waiting for its turn among the requests in flight", semaphore.acquire());
    // It is never closed.
    permit.await?.map_err(|_| Error::out_of_time("while the client was shut down"))
}

/// What all requests of a client share.
pub(crate) struct Seam {
    /// The project's Basic auth, marked sensitive.
    pub(crate) authorization: HeaderValue,
    /// The time for one attempt.
    pub(crate) timeout: Duration,
    pub(crate) max_response_bytes: usize,
}

/// Who a request of the [`bindings`](crate::bindings) runs as. It can't be made outside of
/// this crate: [`Client::bindings`](crate::Client::bindings) has one that acts for the
/// project.
#[derive(Clone)]
pub struct Caller {
    seam: Arc<Seam>,
    session: Option<SessionHeader>,
    time: Option<Duration>,
    sent: Option<Sent>,
    answer: Option<OnceLock<Answer>>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.session.is_some() { "Caller(member)" } else { "Caller(project)" })
    }
}

impl ClientHooks<Caller> for generated::Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _info: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        let Caller { seam, session, time, sent, .. } = self.inner();
        *request.timeout_mut() = Some(time.unwrap_or(seam.timeout));
        if let (Some(sent), Some(body)) = (sent, request.body_mut().as_mut()) {
            sent.watch(body);
        }
        let headers = request.headers_mut();
        // The generator adds it; no SDK of Stytch's sends one.
        headers.remove("api-version");
        headers.insert(AUTHORIZATION, seam.authorization.clone());
        if let Some(session) = session {
            headers.insert(session.name.clone(), session.value.clone());
        }
        // A caller of the bindings may have set them.
        for name in [TOKEN_HEADER, JWT_HEADER] {
            if let Some(value) = headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        Ok(())
    }

    async fn exec(
        &self,
        request: reqwest::Request,
        info: &OperationInfo,
    ) -> reqwest::Result<reqwest::Response> {
        let caller = self.inner();
        let began = Instant::now();
        let mut response = self.client().execute(request).await?;
        let (status, url) = (response.status(), response.url().clone());
        let headers = std::mem::take(response.headers_mut());
        let (body, cut) = read(response, caller.seam.max_response_bytes).await;
        tracing::debug!(
            operation = info.operation_id,
            status = status.as_u16(),
            elapsed = ?began.elapsed(),
            "Stytch answered"
        );
        // A body that broke off isn't shown to the decoder, which might like what is left.
        let shown = if cut.is_some() { Bytes::new() } else { body.clone() };
        let mut decoded = reqwest::Response::from(
            http::Response::builder().url(url).status(status).body(shown).unwrap_or_default(),
        );
        match &caller.answer {
            Some(kept) => {
                let retry_after = headers.get(RETRY_AFTER).cloned();
                let _ = kept.set(Answer { status, retry_after, body, cut });
            }
            None => *decoded.headers_mut() = headers,
        }
        Ok(decoded)
    }
}

/// An answer as it came, before anybody made sense of it.
#[derive(Clone)]
struct Answer {
    status: StatusCode,
    retry_after: Option<HeaderValue>,
    body: Bytes,
    cut: Option<Cut>,
}

/// Why a body isn't whole.
#[derive(Clone)]
enum Cut {
    TooLong(usize),
    Broken(Arc<reqwest::Error>),
}

async fn read(mut response: reqwest::Response, limit: usize) -> (Bytes, Option<Cut>) {
    let mut body = match response.chunk().await {
        Ok(first) => first.unwrap_or_default(),
        Err(error) => {
            return (Bytes::new(), Some(Cut::Broken(Arc::new(error.without_url()))));
        }
    };
    // Nearly every answer is one chunk, which is passed on as it is.
    let mut rest = BytesMut::new();
    loop {
        if body.len() + rest.len() > limit {
            body.truncate(limit);
            return (body, Some(Cut::TooLong(limit)));
        }
        match response.chunk().await {
            Ok(Some(chunk)) => rest.extend_from_slice(&chunk),
            Ok(None) if rest.is_empty() => return (body, None),
            Ok(None) => return ([body, rest.freeze()].concat().into(), None),
            Err(error) => return (body, Some(Cut::Broken(Arc::new(error.without_url())))),
        }
    }
}

type Result_<T> = Result<ResponseValue<T>, generated::Error<types::Error>>;

impl Caller {
    fn conclude<T>(&self, operation_id: &'static str, result: Result_<T>) -> Result<T, Error> {
        let error = match result {
            Ok(value) => return Ok(value.into_inner()),
            Err(error) => error,
        };
        Err(match self.answer.as_ref().and_then(OnceLock::get) {
            Some(answer) => answer.error(operation_id, &error),
            None => no_answer(operation_id, self.sent.as_ref().is_none_or(Sent::is_sent), error),
        })
    }
}

impl Answer {
    fn error(
        &self,
        operation_id: &'static str,
        decoding: &generated::Error<types::Error>,
    ) -> Error {
        let read = if self.cut.is_none() { Said::read(&self.body) } else { None };
        let is_stytch = read.is_some();
        let said = read.unwrap_or_else(|| Said::salvage(&self.body));
        let mut known = Known {
            outcome: if operation_id == UPDATE {
                outcome(self.status)
            } else {
                Outcome::NotApplied
            },
            retryable: is_retryable(self.status),
            status: Some(self.status),
            retry_after: self.retry_after.as_ref().and_then(wait),
            excerpt: (!is_stytch && !self.body.is_empty()).then(|| excerpt(&self.body)),
            said,
            ..Known::never_sent("")
        };
        if self.status.is_success() {
            if known.said.is_error && known.outcome == Outcome::Applied {
                known.outcome = Outcome::Unknown;
            }
            known.reason = self.why_unusable(decoding, known.said.is_error);
            known.source = self.broken();
            return Error::UnexpectedResponse(known.into());
        }
        if is_stytch || self.status == StatusCode::TOO_MANY_REQUESTS {
            return rbac::refusal(operation_id, self.status, known);
        }
        known.reason = if self.status.is_redirection() {
            "the answer is a redirect, which isn't followed: credentials go to the configured host only"
        } else {
            "the answer isn't Stytch's JSON"
        }
        .into();
        known.source = self.broken();
        Error::UnexpectedResponse(known.into())
    }

    fn why_unusable(
        &self,
        decoding: &generated::Error<types::Error>,
        says_error: bool,
    ) -> Cow<'static, str> {
        match (&self.cut, decoding) {
            (Some(Cut::TooLong(limit)), _) => {
                format!("the answer is longer than {limit} bytes").into()
            }
            (Some(Cut::Broken(_)), _) => "the answer broke off".into(),
            _ if says_error => "the answer is an error under a status of success".into(),
            // Not the decoder's own words, which quote what it read.
            (None, generated::Error::InvalidResponsePayload(_, error)) => format!(
                "the answer isn't the JSON that was expected, from line {} column {}",
                error.line(),
                error.column()
            )
            .into(),
            _ => "the answer has a status that isn't documented".into(),
        }
    }

    fn broken(&self) -> Option<Arc<dyn std::error::Error + Send + Sync>> {
        match &self.cut {
            Some(Cut::Broken(error)) => Some(Arc::clone(error) as _),
            _ => None,
        }
    }
}

/// The error where nothing came back.
fn no_answer(
    operation_id: &'static str,
    sent: bool,
    error: generated::Error<types::Error>,
) -> Error {
    let generated::Error::CommunicationError(error) = error else {
        // Only a header that can't be built gets here, and ours are built before.
        return Error::Transport(Known::never_sent("the request can't be built").into());
    };
    // A timeout doesn't tell what it cut off, but where nothing was sent it was connecting.
    let never_sent = !sent || error.is_connect() || error.is_builder();
    let known = Known {
        outcome: if never_sent || operation_id != UPDATE {
            Outcome::NotApplied
        } else {
            Outcome::Unknown
        },
        retryable: !error.is_builder(),
        source: Some(Arc::new(error.without_url())),
        ..Known::never_sent("")
    };
    let reason = match &known.source {
        _ if known.retryable && never_sent => "no connection to Stytch could be made",
        _ if !known.retryable => "the request can't be built",
        _ => "no answer came",
    };
    Error::Transport(Known { reason: reason.into(), ..known }.into())
}

fn outcome(status: StatusCode) -> Outcome {
    match status {
        status if status.is_success() => Outcome::Applied,
        // Whoever says it may have passed the request on.
        StatusCode::REQUEST_TIMEOUT => Outcome::Unknown,
        status if status.is_client_error() => Outcome::NotApplied,
        _ => Outcome::Unknown,
    }
}

fn is_retryable(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Reads a `Retry-After`, in seconds or as an HTTP date.
fn wait(retry_after: &HeaderValue) -> Option<Duration> {
    let text = retry_after.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large is a very long time, not nonsense.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}

fn excerpt(body: &Bytes) -> String {
    String::from_utf8_lossy(body.get(..EXCERPT_BYTES).unwrap_or(body)).into_owned()
}

const EXCERPT_BYTES: usize = 512;
