//! What leaves the process and what comes back: the hooks of the generated client, and the
//! only file that touches HTTP.
//!
//! Every request carries the project's Basic auth and, acting for a member, exactly one
//! session header. Every answer is taken before the decoder sees it: its status, its
//! `Retry-After` and a body read up to a bound survive whatever the body holds.

use std::{
    fmt, mem,
    pin::pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderValue,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::ResponseBuilderExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    answer::{Answer, Cut, no_answer},
    deadline::Deadline,
    error::{Error, Known},
    generated::{self, ResponseValue, types},
    rbac::UPDATE,
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
    pub(crate) fn new(seam: Seam, project_id: Segment, max_in_flight: usize) -> Self {
        // The semaphore panics beyond, and nobody has as many connections.
        let max_in_flight = max_in_flight.min(Semaphore::MAX_PERMITS);
        let seam = Arc::new(seam);
        let (base_url, http) = (seam.base_url.clone(), seam.http.clone());
        let project = Caller { seam, session: None, time: None, sent: None, answer: None };
        Self {
            bindings: generated::Client::new_with_client(&base_url, http, project),
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
        // Pinned where it is made, because it is large and would be moved to be awaited.
        let attempt =
            pin!(client.update_external_connection(organization, connection, None, None, update));
        let result = attempt.await;
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
        let left = deadline.left();
        if left.is_zero() {
            return Err(Error::out_of_time("before anything was sent"));
        }
        // Connecting has a time of its own, whose end is an error of its own. Only an attempt
        // with no more time than that can end without telling whether it was connected.
        let seam = &project.seam;
        let watch = session.is_some() && left.min(seam.timeout) <= seam.connect_timeout;
        Ok(generated::Client {
            baseurl: self.bindings.baseurl.clone(),
            client: self.bindings.client.clone(),
            inner: Caller {
                seam: Arc::clone(seam),
                session,
                time: (left < seam.timeout).then_some(left),
                sent: watch.then(Sent::default),
                answer: Some(OnceLock::new()),
            },
        })
    }
}

async fn turn(semaphore: &Semaphore, deadline: Deadline) -> Result<SemaphorePermit<'_>, Error> {
    // Nobody who waits is passed by: as long as there is one, no permit is free.
    if let Ok(permit) = semaphore.try_acquire() {
        return Ok(permit);
    }
    let permit = deadline
        .wait("while waiting for its turn among the requests in flight", semaphore.acquire());
    // It is never closed.
    permit.await?.map_err(|_| Error::out_of_time("while the client was shut down"))
}

/// What all requests of a client share.
pub(crate) struct Seam {
    /// What all requests go through, whatever client the bindings were made with. Gives an
    /// attempt the time that `timeout` says.
    pub(crate) http: reqwest::Client,
    /// What all URLs begin with, without a slash at the end.
    pub(crate) base_url: String,
    /// The project's Basic auth, marked sensitive.
    pub(crate) authorization: HeaderValue,
    /// The time for one attempt.
    pub(crate) timeout: Duration,
    /// The time in which an attempt must be connected.
    pub(crate) connect_timeout: Duration,
    pub(crate) max_response_bytes: usize,
}

/// Who a request of the [`bindings`](crate::bindings) runs as. It can't be made outside of
/// this crate: [`Client::bindings`](crate::Client::bindings) has one that acts for the
/// project. Bindings made anew with it send nothing to another base URL.
#[derive(Clone)]
pub struct Caller {
    seam: Arc<Seam>,
    session: Option<SessionHeader>,
    /// Less than the time for one attempt, where less is left.
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
        let path = request.url().as_str().strip_prefix(&seam.base_url);
        if !path.is_some_and(|path| path.starts_with('/')) {
            // Bindings made with this caller and another base URL, or an id that climbs.
            let reason = "the URL isn't below the base URL that the client was made with";
            return Err(progenitor_client::Error::InvalidRequest(reason.to_owned()));
        }
        if let Some(time) = time {
            *request.timeout_mut() = Some(*time);
        }
        if let (Some(sent), Some(body)) = (sent, request.body_mut().as_mut()) {
            sent.watch(body);
        }
        let headers = request.headers_mut();
        // The generator adds it; no SDK of Stytch's sends one.
        headers.remove("api-version");
        headers.insert(AUTHORIZATION, seam.authorization.clone());
        if let Some(session) = session {
            headers.insert(session.name.clone(), session.value.clone());
            return Ok(());
        }
        // A caller of the bindings may have set them.
        for name in [TOKEN_HEADER, JWT_HEADER] {
            if let Some(value) = headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        Ok(())
    }

    // Not an `async fn`: its future would keep room for the request until the answer is there.
    fn exec(
        &self,
        request: reqwest::Request,
        info: &OperationInfo,
    ) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
        let caller = self.inner();
        let began = tracing::enabled!(tracing::Level::DEBUG).then(Instant::now);
        let answer = caller.seam.http.execute(request);
        async move {
            let mut response = answer.await?;
            if let Some(began) = began {
                tracing::debug!(
                    operation = info.operation_id,
                    status = response.status().as_u16(),
                    elapsed = ?began.elapsed(),
                    "Stytch answered"
                );
            }
            let limit = caller.seam.max_response_bytes;
            let fits = response.content_length().is_some_and(|length| length <= limit as u64);
            if fits && caller.answer.is_none() {
                // Nobody asks afterwards what it was: the HTTP library holds it to its length.
                return Ok(response);
            }
            let (body, cut) = read(&mut response, limit).await;
            Ok(caller.keep(response, body, cut))
        }
    }
}

async fn read(response: &mut reqwest::Response, limit: usize) -> (Bytes, Option<Cut>) {
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

type Answered<T> = Result<ResponseValue<T>, generated::Error<types::Error>>;

impl Caller {
    /// Keeps an answer for whoever asks afterwards what it was, and makes one of it for the
    /// decoder.
    fn keep(
        &self,
        mut response: reqwest::Response,
        body: Bytes,
        cut: Option<Cut>,
    ) -> reqwest::Response {
        let status = response.status();
        let headers = mem::take(response.headers_mut());
        // A body that broke off isn't shown to the decoder, which might like what is left.
        let shown = if cut.is_some() { Bytes::new() } else { body.clone() };
        let decoded = http::Response::builder().url(response.url().clone()).status(status);
        let mut decoded = reqwest::Response::from(decoded.body(shown).unwrap_or_default());
        match &self.answer {
            Some(kept) => {
                let retry_after = headers.get(RETRY_AFTER).cloned();
                let _ = kept.set(Answer { status, retry_after, body, cut });
            }
            None => *decoded.headers_mut() = headers,
        }
        decoded
    }

    fn conclude<T>(&self, operation_id: &'static str, result: Answered<T>) -> Result<T, Error> {
        let error = match result {
            Ok(value) => return Ok(value.into_inner()),
            Err(error) => error,
        };
        Err(match (self.answer.as_ref().and_then(OnceLock::get), error) {
            // Not the decoder's own words, which quote what it read.
            (Some(answer), generated::Error::InvalidResponsePayload(_, error)) => {
                answer.error(operation_id, Some((error.line(), error.column())))
            }
            (Some(answer), _) => answer.error(operation_id, None),
            (None, generated::Error::CommunicationError(error)) => {
                no_answer(operation_id, self.sent.as_ref().is_none_or(Sent::is_sent), error)
            }
            // Only a header that can't be built gets here, and ours are built before.
            (None, _) => Error::Transport(Known::never_sent("the request can't be built").into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire() -> Wire {
        let mut authorization = HeaderValue::from_static("Basic secret");
        authorization.set_sensitive(true);
        let seam = Seam {
            http: reqwest::Client::new(),
            base_url: "http://127.0.0.1:1/stytch".to_owned(),
            authorization,
            timeout: Duration::from_secs(7),
            connect_timeout: Duration::from_secs(7),
            max_response_bytes: 1,
        };
        Wire::new(seam, Segment::new("project-test-1").unwrap(), 1)
    }

    async fn pre(wire: &Wire, url: &str) -> Result<reqwest::Request, generated::Error<()>> {
        let mut request = reqwest::Client::new()
            .put(url)
            .header(TOKEN_HEADER, "token")
            .header(JWT_HEADER, "jwt")
            .build()
            .unwrap();
        wire.bindings().pre(&mut request, &OperationInfo { operation_id: UPDATE }).await?;
        Ok(request)
    }

    #[tokio::test]
    async fn credentials_are_sensitive() {
        let request = pre(&wire(), "http://127.0.0.1:1/stytch/v1").await.unwrap();
        for name in [AUTHORIZATION, TOKEN_HEADER, JWT_HEADER] {
            assert!(request.headers()[&name].is_sensitive(), "{name}");
        }
    }

    #[tokio::test]
    async fn nothing_leaves_for_another_base_url() {
        for url in [
            "http://127.0.0.1:2/stytch/v1",
            "http://127.0.0.1:1/other",
            "http://127.0.0.1:1/stytchy",
            "https://127.0.0.1:1/stytch/v1",
            "http://127.0.0.1:1/stytch/../v1",
        ] {
            assert!(pre(&wire(), url).await.is_err(), "{url}");
        }
    }
}
