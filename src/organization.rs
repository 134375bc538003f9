//! Resolves sessions to organizations: from a JWT that is verified locally, or by calling
//! `sessions/authenticate`.
//!
//! Results are cached under a digest of the credential, never under the credential. Caching is
//! safe: a session belongs to one member and a member to one organization for its whole life
//! (moving to another organization makes a new session), and Stytch checks the session again
//! with every request. A session that Stytch rejects is removed from the cache.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
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
    jwt::{ValidationResult, unverified_times},
    member_roles::MemberRoles,
    operation::Operation,
    path_segment::PathSegment,
    response::{self, Success},
    session::{Session, SessionDigest, SessionKind},
    single_flight::{Abandoned, SingleFlight},
    transport::AuthenticateSessionResponse,
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
            return self.authenticate(session, SystemTime::UNIX_EPOCH, None, deadline).await;
        }
        let mut verified = self.0.jwks.verify(session.expose_secret(), deadline).await;
        let mut permit = None;
        if matches!(verified, Err(KeyError::Unavailable)) {
            permit = Some(self.0.context.transport.unverified_permit(deadline).await?);
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
                self.authenticate(session, SystemTime::UNIX_EPOCH, None, deadline).await
            }
            Err(KeyError::Unavailable) => {
                self.authenticate(session, SystemTime::UNIX_EPOCH, permit, deadline).await
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
                _ => return self.authenticate(session, since, None, deadline).await,
            }
        }
        self.resolve(session, deadline).await
    }

    /// Removes a session that Stytch rejected from the cache.
    pub(crate) fn forget(&self, session: &Session) {
        self.0.cache.remove(&session.digest());
    }

    /// Calls `sessions/authenticate`, once for all who wait for the same session. The permit of
    /// a JWT that isn't verified is kept until the request ends.
    async fn authenticate(
        &self,
        session: &Session,
        since: SystemTime,
        permit: Option<OwnedSemaphorePermit>,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        const ACTIVITY: &str = "waiting for sessions/authenticate";
        let start = || {
            let (inner, session) = (Arc::clone(&self.0), session.clone());
            let request = async move {
                let _permit = permit;
                // The request that completed just now may have resolved it.
                match inner.cached(&session) {
                    Some(member) if member.resolved >= since => Ok(member),
                    _ => inner.authenticate(&session).await,
                }
            };
            request.in_current_span()
        };
        let result = deadline.wait(ACTIVITY, self.0.requests.run(&session.digest(), start)).await?;
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

    fn learn(
        &self,
        session: &Session,
        authenticated: Success<AuthenticateSessionResponse>,
        requested: SystemTime,
    ) -> Result<Member, Error> {
        let Success { status, body } = authenticated;
        let unusable = |reason: String| {
            let operation = Operation::AuthenticateSession;
            response::unusable(operation, status, &body.request_id, reason)
        };
        let organization =
            PathSegment::new(&body.member_session.organization_id).map_err(|problem| {
                unusable(format!("the organization id in the response {problem}"))
            })?;
        let times = unverified_times(body.session_jwt.expose_secret());
        if let Some((issued, _)) = times {
            self.jwks.observe_issued(issued, requested);
        }
        let roles = Arc::new(body.member_session.roles.unwrap_or_default());
        if session.kind() == SessionKind::Token {
            let valid_until = self.after(self.settings.token_ttl);
            let resolved = requested;
            let member = Member { organization, renewal: None, roles, resolved, valid_until };
            return Ok(self.insert(session, member));
        }
        let renewed = Session::new(SessionKind::Jwt, body.session_jwt.clone());
        if renewed.header().is_none() {
            let reason = "the session JWT in the response can't be sent in an HTTP header";
            return Err(unusable(reason.to_owned()));
        }
        // Stytch just returned the JWT, so it is valid for its own lifetime from now on, whatever
        // the local clock shows.
        let lifetime = times.and_then(|(issued, expires)| expires.duration_since(issued).ok());
        let valid_until = lifetime
            .map(|lifetime| self.after(lifetime.saturating_sub(self.settings.expiry_margin)));
        let valid_until = valid_until.unwrap_or(SystemTime::UNIX_EPOCH);
        let member =
            Member { organization, renewal: None, roles, resolved: requested, valid_until };
        Ok(self.insert_renewed(session, renewed, member))
    }

    /// Caches a renewal under both JWTs. One whose times can't be read is used once.
    fn insert_renewed(&self, session: &Session, renewed: Session, member: Member) -> Member {
        let sequence = self.renewals.fetch_add(1, Ordering::Relaxed);
        let is_cacheable = member.valid_until > SystemTime::UNIX_EPOCH;
        if is_cacheable {
            self.insert(&renewed, member.clone());
        }
        let member = Member { renewal: Some(Renewal { session: renewed, sequence }), ..member };
        if is_cacheable { self.insert(session, member) } else { member }
    }

    /// The time so long from now. A longer time than a century counts as one.
    fn after(&self, time: Duration) -> SystemTime {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.context.clock.now() + time.min(CENTURY)
    }
}

#[cfg(test)]
mod tests;
