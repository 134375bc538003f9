//! Resolves sessions to organizations: from a JWT that is verified locally, or by calling
//! `sessions/authenticate`.
//!
//! Results are cached under a digest of the credential, never under the credential. Caching is
//! safe: a session belongs to one member and a member to one organization for its whole life
//! (moving to another organization makes a new session), and Stytch checks the session again
//! with every request. A session that Stytch rejects is removed from the cache.

mod learn;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, SystemTime},
};

use quick_cache::sync::Cache;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use crate::{
    call_context::CallContext,
    deadline::Deadline,
    error::Error,
    jwks::{JwksCache, KeyError},
    jwt::ValidationResult,
    member_roles::MemberRoles,
    operation::Operation,
    path_segment::PathSegment,
    session::{Session, SessionDigest, SessionKind},
    single_flight::{Abandoned, SingleFlight},
};

/// A resolved session.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) organization: PathSegment,
    /// Set if the JWT that was presented had to be renewed.
    pub(crate) renewal: Option<Renewal>,
    /// Those at the time of `resolved`, or of the JWT.
    pub(crate) roles: Arc<MemberRoles>,
    resolved: SystemTime,
    valid_until: SystemTime,
}

/// The session to act with in place of the one that was presented.
#[derive(Clone)]
pub(crate) struct Renewal {
    pub(crate) session: Session,
    /// Grows with each renewal of a client.
    pub(crate) sequence: u64,
}

/// The permit of a `sessions/authenticate` request for a JWT that isn't verified.
enum Permit {
    NotRequired,
    Required,
    Held(OwnedSemaphorePermit),
}

/// For sessions whose cached result serves whenever it was resolved.
const ANY_TIME: SystemTime = SystemTime::UNIX_EPOCH;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How long a token's organization is cached.
    pub(crate) token_ttl: Duration,
    /// How many sessions are cached.
    pub(crate) capacity: usize,
    /// How long before its end a JWT counts as expired.
    pub(crate) expiry_margin: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_ttl: Duration::from_secs(60 * 60),
            capacity: 10_000,
            expiry_margin: Duration::from_secs(5),
        }
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
    renewals: AtomicU64,
}

impl OrganizationResolver {
    pub(crate) fn new(context: CallContext, jwks: JwksCache, settings: Settings) -> Self {
        let cache = Cache::new(settings.capacity);
        let requests = SingleFlight::new(context.operation_timeout);
        let renewals = AtomicU64::new(0);
        Self(Arc::new(Inner { context, jwks, settings, cache, requests, renewals }))
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
        if session.kind() == SessionKind::Token {
            return self.authenticate(session, ANY_TIME, Permit::NotRequired, deadline).await;
        }
        let mut verified = self.0.jwks.verify(session.expose_secret(), deadline).await;
        let mut permit = Permit::Required;
        if matches!(verified, Err(KeyError::Unavailable)) {
            permit = self.unverified_permit(session, deadline).await?;
            // Keys may have come while it waited: then the JWT is verified after all.
            verified = self.0.jwks.verify(session.expose_secret(), deadline).await;
        }
        match verified {
            Ok(ValidationResult::Valid { organization, roles, valid_for }) => {
                let (resolved, roles) = (self.0.context.clock.now(), Arc::new(roles));
                let valid_until = self.0.after(valid_for);
                let member = Member { organization, renewal: None, roles, resolved, valid_until };
                Ok(self.0.insert(session, member))
            }
            Ok(ValidationResult::NotCurrent) => {
                self.authenticate(session, ANY_TIME, Permit::NotRequired, deadline).await
            }
            Err(KeyError::Unavailable) => {
                self.authenticate(session, ANY_TIME, permit, deadline).await
            }
            Err(KeyError::Undecided(error)) => Err(error),
            Ok(ValidationResult::Invalid(problem)) => {
                let reason = format!("the session JWT {problem}");
                Err(Error::session_invalid(deadline.operation(), reason))
            }
        }
    }

    /// Resolves a session as [`resolve`](Self::resolve) does. The roles behind a token are read
    /// anew if they were read before `since`.
    pub(crate) async fn resolve_roles(
        &self,
        session: &Session,
        since: SystemTime,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        if session.kind() == SessionKind::Token {
            match self.0.cached(session) {
                Some(member) if member.resolved >= since => return Ok(member),
                _ => {
                    return self.authenticate(session, since, Permit::NotRequired, deadline).await;
                }
            }
        }
        self.resolve(session, deadline).await
    }

    /// Removes a session that Stytch rejected from the cache.
    pub(crate) fn forget(&self, session: &Session) {
        self.0.cache.remove(&session.digest());
    }

    /// Waits for a permit, unless a request for the session is in flight that can be joined.
    async fn unverified_permit(
        &self,
        session: &Session,
        deadline: Deadline,
    ) -> Result<Permit, Error> {
        let digest = session.digest();
        if self.0.requests.contains(&digest) {
            return Ok(Permit::Required);
        }
        let permit = self.0.context.transport.unverified_permit(deadline).await?;
        // Another caller of the same session may have started the request meanwhile.
        let is_in_flight = self.0.requests.contains(&digest);
        Ok(if is_in_flight { Permit::Required } else { Permit::Held(permit) })
    }

    /// Calls `sessions/authenticate`, once for all who wait for the same session. The permit of
    /// a JWT that isn't verified is kept until the request ends.
    async fn authenticate(
        &self,
        session: &Session,
        since: SystemTime,
        permit: Permit,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        const ACTIVITY: &str = "waiting for sessions/authenticate";
        let start = || {
            let (inner, session) = (Arc::clone(&self.0), session.clone());
            let request = async move {
                let _permit = match permit {
                    Permit::NotRequired => None,
                    Permit::Held(permit) => Some(permit),
                    // The request that was in flight ended before it could be joined.
                    Permit::Required => {
                        Some(inner.context.transport.unverified_permit(deadline).await?)
                    }
                };
                // The request that completed just now may have resolved it.
                match inner.cached(&session) {
                    Some(member) if member.resolved >= since => Ok(member),
                    _ => inner.authenticate(&session).await,
                }
            };
            request.in_current_span()
        };
        let is_out_of_time = |error: &Error| error.context().is_out_of_time;
        let result = deadline
            .wait(ACTIVITY, self.0.requests.run(&session.digest(), start, is_out_of_time))
            .await?;
        result.unwrap_or_else(|Abandoned| {
            let reason = "the task of the request was dropped before it had a result";
            Err(Error::timed_out(Operation::AuthenticateSession, reason))
        })
    }
}

impl Inner {
    async fn authenticate(&self, session: &Session) -> Result<Member, Error> {
        let context = &self.context;
        let deadline = context.deadline(Operation::AuthenticateSession);
        let requested = context.clock.now();
        let attempt = || context.transport.authenticate(session, deadline);
        let response = context.call_as_project(context.retry.begin(deadline), attempt).await?;
        self.learn(session, response, requested)
    }

    fn cached(&self, session: &Session) -> Option<Member> {
        let digest = session.digest();
        let member = self.cache.get(&digest)?;
        let now = self.context.clock.now();
        if member.valid_until > now {
            return Some(member);
        }
        // Only if it is still the expired one: another task may have renewed it meanwhile.
        self.cache.remove_if(&digest, |member| member.valid_until <= now);
        None
    }

    fn insert(&self, session: &Session, member: Member) -> Member {
        self.cache.insert(session.digest(), member.clone());
        member
    }

    /// The time so long from now. A longer time than a century counts as one.
    fn after(&self, time: Duration) -> SystemTime {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.context.clock.now() + time.min(CENTURY)
    }
}

#[cfg(test)]
mod tests;
