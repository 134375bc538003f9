//! Resolves sessions to organizations: from a JWT that is verified locally, or by calling
//! `sessions/authenticate`.
//!
//! Results are cached under a digest of the credential, never under the credential. Caching is
//! safe: a session belongs to one member and a member to one organization for its whole life
//! (moving to another organization makes a new session), and Stytch checks the session again
//! with every request. A session that Stytch rejects is removed from the cache.

mod cache;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, SystemTime},
};

use quick_cache::sync::Cache;
use tracing::Instrument;

use super::{
    jwks::{JwksCache, KeyError},
    jwt::ValidationResult,
};
use crate::{
    call::CallContext,
    error::{Error, ErrorKind, Repeat},
    sync::{Abandoned, Deadline, SingleFlight, Waiters},
    wire::{MemberRoles, Operation, PathSegment, Session, SessionDigest, SessionKind},
};

/// A resolved session.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) organization: PathSegment,
    /// The session to act with in place of the one that was presented, if its JWT had to be
    /// renewed.
    pub(crate) renewed: Option<Session>,
    /// Those at the time of `resolved`, or of the JWT.
    pub(crate) roles: Arc<MemberRoles>,
    pub(crate) resolved: SystemTime,
    /// Grows with each result of `sessions/authenticate`; [`VERIFIED`] for a JWT that was verified.
    pub(crate) sequence: u64,
    valid_until: SystemTime,
}

impl Member {
    /// Whether this is the result of verifying a JWT, without `sessions/authenticate`.
    pub(crate) fn is_verified_locally(&self) -> bool {
        self.sequence == VERIFIED
    }

    fn is_newer_than(&self, sequence: Option<u64>) -> bool {
        sequence.is_none_or(|sequence| self.sequence > sequence)
    }
}

/// The result of resolving a session without a request.
enum Local {
    Member(Member),
    /// `is_verified` is false for a JWT whose signature can't be checked, since no keys are
    /// cached.
    Unknown {
        is_verified: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How long a token's organization is cached.
    pub(crate) token_ttl: Duration,
    /// How many sessions are cached.
    pub(crate) capacity: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { token_ttl: Duration::from_secs(60 * 60), capacity: 10_000 }
    }
}

/// Resolves sessions to organizations. Clones share the cache.
#[derive(Clone)]
pub(crate) struct OrganizationResolver(Arc<Inner>);

struct Inner {
    context: CallContext,
    jwks: JwksCache,
    settings: Settings,
    cache: Cache<SessionDigest, Member>,
    requests: SingleFlight<SessionDigest, Member, Error>,
    authenticated: AtomicU64,
}

impl OrganizationResolver {
    pub(crate) fn new(context: CallContext, jwks: JwksCache, settings: Settings) -> Self {
        let cache = Cache::new(settings.capacity);
        let requests = SingleFlight::new(context.operation_timeout);
        let authenticated = AtomicU64::new(1);
        Self(Arc::new(Inner { context, jwks, settings, cache, requests, authenticated }))
    }

    /// Resolves the organization of a session. Calls Stytch only if the session can't be
    /// resolved locally.
    pub(crate) async fn resolve(
        &self,
        session: &Session,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        if let Some(member) = self.0.cached(session) {
            return Ok(member);
        }
        // Boxed, so that a call with a cached session has no room for it.
        Box::pin(self.resolve_anew(session, deadline)).await
    }

    async fn resolve_anew(&self, session: &Session, deadline: Deadline) -> Result<Member, Error> {
        match self.0.resolve_locally(session, deadline).await? {
            Local::Member(member) => Ok(member),
            Local::Unknown { is_verified } => {
                self.authenticate(session, is_verified, None, deadline).await
            }
        }
    }

    /// Resolves a session as [`resolve`](Self::resolve) does. The roles behind a token are read
    /// again if they are older than `max_age`, or their sequence number is not above `newer_than`.
    pub(crate) async fn resolve_roles(
        &self,
        session: &Session,
        max_age: Duration,
        newer_than: Option<u64>,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        let cached = self.0.cached(session).filter(|_| session.kind() == SessionKind::Token);
        let Some(member) = cached else {
            return self.resolve(session, deadline).await;
        };
        if self.0.context.clock.age(member.resolved) <= max_age
            && newer_than.is_none_or(|oldest| member.sequence > oldest)
        {
            return Ok(member);
        }
        self.authenticate(session, true, Some(member.sequence), deadline).await
    }

    /// Removes a session that Stytch rejected from the cache.
    pub(crate) fn forget(&self, session: &Session) {
        self.0.cache.remove(&session.digest());
    }

    /// Whether a session is a JWT that may have expired by Stytch's clock.
    pub(crate) fn may_have_expired(&self, session: &Session) -> bool {
        session.kind() == SessionKind::Jwt && self.0.jwks.may_have_expired(session.expose_secret())
    }

    /// Renews a session JWT that Stytch rejected although its signature holds.
    pub(crate) async fn renew(&self, session: &Session, deadline: Deadline) -> Result<(), Error> {
        // A local verification by another call doesn't count as a renewal.
        self.authenticate(session, true, Some(VERIFIED), deadline).await.map(|_| ())
    }

    /// Calls `sessions/authenticate`, once for all who wait for the same session. The result is
    /// newer than that of `newer_than`, a sequence number.
    async fn authenticate(
        &self,
        session: &Session,
        is_verified: bool,
        newer_than: Option<u64>,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        const ACTIVITY: &str = "waiting for sessions/authenticate";
        let digest = session.digest();
        let start = |waiters| {
            let (inner, session) = (Arc::clone(&self.0), session.clone());
            async move { inner.authenticate(&session, is_verified, newer_than, &waiters).await }
                .in_current_span()
        };
        let is_out_of_time = |error: &Error| {
            matches!(error.context().repeat, Repeat::OutOfTime | Repeat::OutOfTimeUnsent)
        };
        loop {
            let request = self.0.requests.run(&digest, start, is_out_of_time);
            match deadline.wait(ACTIVITY, request).await? {
                // Another caller started the request, with a lower `newer_than`.
                Ok(Ok(member)) if !member.is_newer_than(newer_than) => {}
                Ok(result) => return result,
                Err(Abandoned) => {
                    let reason = "the task of the request was dropped before it had a result";
                    return Err(Error::timed_out(Operation::AuthenticateSession, reason));
                }
            }
        }
    }
}

impl Inner {
    /// Resolves a session without a request of its own.
    async fn resolve_locally(&self, session: &Session, deadline: Deadline) -> Result<Local, Error> {
        if session.kind() == SessionKind::Token {
            return Ok(Local::Unknown { is_verified: true });
        }
        match self.jwks.verify(session.expose_secret(), deadline).await {
            Ok(ValidationResult::Valid { organization, roles, valid_for }) => {
                let (resolved, roles) = (self.context.clock.now(), Arc::new(roles));
                let valid_until = self.after(valid_for);
                let member = Member {
                    organization,
                    renewed: None,
                    roles,
                    resolved,
                    sequence: VERIFIED,
                    valid_until,
                };
                Ok(Local::Member(self.insert(session, member)))
            }
            Ok(ValidationResult::NotCurrent) => Ok(Local::Unknown { is_verified: true }),
            Err(KeyError::Unavailable) => Ok(Local::Unknown { is_verified: false }),
            Err(KeyError::Undecided(error)) => Err(error),
            Ok(ValidationResult::Invalid(problem)) => {
                let reason = format!("the session JWT {problem}");
                Err(Error::invalid_session(deadline.operation(), reason))
            }
        }
    }

    async fn authenticate(
        &self,
        session: &Session,
        mut is_verified: bool,
        newer_than: Option<u64>,
        waiters: &Waiters<Result<Member, Error>>,
    ) -> Result<Member, Error> {
        let context = &self.context;
        let deadline = context.deadline(Operation::AuthenticateSession);
        // The request that completed just now may have resolved it.
        let cached = self.cached(session).filter(|member| member.is_newer_than(newer_than));
        if let Some(member) = cached {
            return Ok(member);
        }
        let _permit = loop {
            if is_verified {
                break None;
            }
            let is_awaited = || !waiters.is_empty();
            let permit = context.transport.unverified_permit(is_awaited, deadline).await?;
            if !self.jwks.has_keys() {
                break Some(permit);
            }
            // Keys came while it waited.
            drop(permit);
            match self.resolve_locally(session, deadline).await? {
                Local::Member(member) => return Ok(member),
                Local::Unknown { is_verified: is_verified_now } => is_verified = is_verified_now,
            }
        };
        let requested = context.clock.now();
        let attempt = || context.transport.authenticate(session, || !waiters.is_empty(), deadline);
        let response = context.call_as_project(context.retry.begin(deadline), attempt).await;
        if response.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidSession) {
            self.cache.remove(&session.digest());
        }
        self.cache_response(session, response?, requested)
    }
}

/// The sequence number of a JWT that was verified locally.
const VERIFIED: u64 = 0;

#[cfg(test)]
mod tests;
