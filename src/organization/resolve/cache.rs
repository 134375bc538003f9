//! The cache of resolved sessions, and how responses of `sessions/authenticate` get into it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use quick_cache::sync::{EntryAction, EntryResult};

use super::{Inner, Member};
use crate::{
    error::{Error, ErrorKind, Success, response},
    http::AuthenticateSessionResponse,
    organization::jwt::unverified_times,
    wire::{MemberRoles, Operation, PathSegment, Session, SessionKind},
};

impl Inner {
    pub(super) fn cached(&self, session: &Session) -> Option<Member> {
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

    /// Caches a result, and returns it or a newer one.
    pub(super) fn insert(&self, session: &Session, member: Member) -> Member {
        let now = self.context.clock.now();
        // In one step: a renewal of another task must not be replaced.
        let entry = self.cache.entry(&session.digest(), None, |_, cached| {
            let is_newer = cached.valid_until > now && cached.sequence > member.sequence;
            if !is_newer {
                *cached = member.clone();
            }
            EntryAction::Retain(cached.clone())
        });
        match entry {
            EntryResult::Retained(newest) => newest,
            EntryResult::Vacant(place) => {
                // Fails only if the entry was removed meanwhile.
                let _ = place.insert(member.clone());
                member
            }
            _ => member,
        }
    }

    /// The time so long from now. A longer time than a century counts as one.
    pub(super) fn after(&self, time: Duration) -> SystemTime {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.context.clock.now() + time.min(CENTURY)
    }

    /// Caches the result of a request that began at `requested`.
    pub(super) fn cache_response(
        &self,
        session: &Session,
        authenticated: Success<AuthenticateSessionResponse>,
        requested: SystemTime,
    ) -> Result<Member, Error> {
        let Success { status, body } = authenticated;
        let unusable = |reason: String| {
            let operation = Operation::AuthenticateSession;
            response::unusable(
                ErrorKind::UnexpectedResponse,
                operation,
                status,
                &body.request_id,
                reason,
            )
        };
        let organization =
            PathSegment::new(&body.member_session.organization_id).map_err(|problem| {
                unusable(format!("the organization id in the response {problem}"))
            })?;
        let times = body.session_jwt.as_ref().and_then(|jwt| unverified_times(jwt.expose_secret()));
        if let Some((issued, _)) = times {
            self.jwks.observe_issued(issued, requested);
        }
        let roles = Arc::new(body.member_session.roles.unwrap_or(MemberRoles::UNKNOWN));
        let sequence = self.authenticated.fetch_add(1, Ordering::Relaxed);
        if session.kind() == SessionKind::Token {
            let valid_until = self.after(self.settings.token_ttl);
            let resolved = requested;
            let member =
                Member { organization, renewed: None, roles, resolved, sequence, valid_until };
            return Ok(self.insert(session, member));
        }
        let renewed = body.session_jwt.clone().map(|jwt| Session::new(SessionKind::Jwt, jwt));
        let Some(renewed) = renewed.filter(|renewed| renewed.header().is_some()) else {
            let reason = "the response has no session JWT that can be sent in an HTTP header";
            return Err(unusable(reason.to_owned()));
        };
        // Stytch just returned the JWT, so it is valid for its own lifetime from now on, whatever
        // the local clock shows.
        let lifetime = times.and_then(|(issued, expires)| expires.duration_since(issued).ok());
        let valid_until =
            lifetime.map(|lifetime| self.after(lifetime.saturating_sub(self.jwks.expiry_margin())));
        let valid_until = valid_until.unwrap_or(SystemTime::UNIX_EPOCH);
        let member = Member {
            organization,
            renewed: None,
            roles,
            resolved: requested,
            sequence,
            valid_until,
        };
        Ok(self.insert_renewed(session, renewed, member))
    }

    /// Caches a renewal under both JWTs. One whose times can't be read is used once.
    fn insert_renewed(&self, session: &Session, renewed: Session, member: Member) -> Member {
        let is_cacheable = member.valid_until > SystemTime::UNIX_EPOCH;
        if is_cacheable {
            self.insert(&renewed, member.clone());
        }
        let member = Member { renewed: Some(renewed), ..member };
        if is_cacheable { self.insert(session, member) } else { member }
    }
}
