//! The cache of resolved sessions.
//!
//! Results are cached under a digest of the credential, never under the credential. Caching is
//! safe: a session belongs to one member and a member to one organization for its whole life
//! (moving to another organization makes a new session), and Stytch checks the session again
//! with every request. A session that Stytch rejects is removed. Of two results for one session,
//! the one that began later is the newer one.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use quick_cache::sync::{Cache, EntryAction, EntryResult};

use crate::{
    sync::Clock,
    wire::{MemberRoles, PathSegment, Session, SessionDigest},
};

/// A resolved session.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) organization: PathSegment,
    /// The id of the session, which the presented credential and its renewals share.
    pub(crate) session_id: Arc<str>,
    /// The session to act with in place of the one that was presented, if its JWT had to be
    /// renewed.
    pub(crate) renewed: Option<Session>,
    pub(crate) roles: Arc<MemberRoles>,
    /// When resolving it began.
    pub(crate) began: Instant,
    /// When it was resolved, by the clock.
    resolved: SystemTime,
    /// From then on.
    valid_for: Duration,
    /// When Stytch last denied it a permission.
    pub(super) denied: Option<Instant>,
    /// When its roles were last read because of a denial, by the clock.
    reread: Option<SystemTime>,
}

impl Member {
    /// Whether its roles may be older than the last denial.
    fn is_outdated(&self) -> bool {
        self.denied.is_some_and(|denied| self.began <= denied)
    }
}

/// The resolved sessions, at most so many.
pub(crate) struct MemberCache {
    members: Cache<SessionDigest, Member>,
    clock: Clock,
}

impl MemberCache {
    pub(super) fn new(capacity: usize, clock: Clock) -> Self {
        Self { members: Cache::new(capacity), clock }
    }

    /// A member whose session is valid for so long from now on.
    pub(super) fn member(
        &self,
        organization: PathSegment,
        session_id: &str,
        roles: MemberRoles,
        valid_for: Duration,
        began: Instant,
    ) -> Member {
        Member {
            organization,
            session_id: session_id.into(),
            renewed: None,
            roles: Arc::new(roles),
            began,
            resolved: self.clock.now(),
            valid_for,
            denied: None,
            reread: None,
        }
    }

    /// A session that was resolved, even if it isn't valid any more.
    pub(super) fn get(&self, session: &Session) -> Option<Member> {
        self.members.get(&session.digest())
    }

    pub(super) fn valid(&self, session: &Session) -> Option<Member> {
        self.get(session).filter(|member| self.clock.age(member.resolved) < member.valid_for)
    }

    /// Caches a result, and returns it or a newer one.
    pub(super) fn insert(&self, session: &Session, member: Member) -> Member {
        // In one step: a renewal of another task must not be replaced.
        let entry = self.members.entry(&session.digest(), None, |_, cached| {
            if cached.began < member.began {
                let was_outdated = cached.is_outdated();
                let (denied, reread) = (cached.denied, cached.reread);
                *cached = Member { denied, reread, ..member.clone() };
                if was_outdated && !cached.is_outdated() {
                    cached.reread = Some(cached.resolved);
                }
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

    /// Removes a session that Stytch rejected, unless resolving it began later than that.
    pub(crate) fn forget(&self, session: &Session, began: Instant) {
        self.members.remove_if(&session.digest(), |member| member.began <= began);
    }

    /// Marks the roles of a session as outdated, since Stytch denied it a permission.
    pub(crate) fn outdate_roles(&self, session: &Session) {
        let denied = Some(Instant::now());
        // A vacant entry is read anew in any case.
        let _ = self.members.entry(&session.digest(), None, |_, member| {
            member.denied = denied;
            EntryAction::Retain(())
        });
    }

    /// Whether roles are no older than five minutes and not outdated. Outdated ones that were read
    /// because of an earlier denial are current for a few seconds.
    pub(super) fn has_current_roles(&self, member: &Member) -> bool {
        let is_recent = |at| self.clock.age(at) < MIN_INTERVAL;
        let is_outdated = member.is_outdated() && !member.reread.is_some_and(is_recent);
        self.clock.age(member.resolved) <= ROLES_MAX_AGE && !is_outdated
    }
}

/// How old the roles behind a session token may be in a check, as RBAC policies.
const ROLES_MAX_AGE: Duration = Duration::from_secs(5 * 60);
/// The time between two reads of roles that denials cause.
const MIN_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
#[expect(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);
    const SECOND: Duration = Duration::from_secs(1);

    fn cache(capacity: usize) -> MemberCache {
        MemberCache::new(capacity, Clock::stopped())
    }

    fn member(cache: &MemberCache) -> Member {
        let id = "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931";
        let organization = PathSegment::new(id).unwrap();
        cache.member(organization, "session", MemberRoles::default(), HOUR, Instant::now())
    }

    #[test]
    fn cache_stays_within_its_capacity() {
        let cache = cache(1_000);
        for n in 0..100_000 {
            cache.insert(&Session::token(format!("token-{n}")), member(&cache));
        }
        assert!(cache.members.len() <= 1_000);
        assert!(cache.members.len() > 900);
    }

    #[test]
    fn session_is_valid_for_its_time() {
        let cache = cache(10);
        let session = Session::token("token");
        cache.insert(&session, member(&cache));
        cache.clock.advance(HOUR - SECOND);
        assert!(cache.valid(&session).is_some());
        cache.clock.advance(SECOND);
        assert!(cache.valid(&session).is_none() && cache.get(&session).is_some());
        let endless = cache.member(
            member(&cache).organization,
            "session",
            MemberRoles::default(),
            Duration::MAX,
            Instant::now(),
        );
        cache.insert(&session, endless);
        assert!(cache.valid(&session).is_some());
    }

    #[test]
    fn newer_result_is_neither_replaced_nor_removed_for_an_older_one() {
        let cache = cache(10);
        let session = Session::jwt("a.b.c");
        let older = member(&cache);
        let renewed = Some(Session::jwt("d.e.f"));
        let newer = cache.insert(&session, Member { renewed: renewed.clone(), ..member(&cache) });
        assert!(cache.insert(&session, older.clone()).renewed == renewed);
        assert!(cache.valid(&session).unwrap().renewed == renewed);
        cache.forget(&session, older.began);
        assert!(cache.valid(&session).unwrap().renewed == renewed);
        cache.forget(&session, newer.began);
        assert!(cache.get(&session).is_none());
        assert!(cache.insert(&session, older).renewed.is_none());
    }

    #[test]
    fn roles_are_current_for_five_minutes_and_none_from_the_future_are() {
        let mut cache = cache(10);
        let member = member(&cache);
        cache.clock.advance(ROLES_MAX_AGE);
        assert!(cache.has_current_roles(&member));
        cache.clock.advance(SECOND);
        assert!(!cache.has_current_roles(&member));
        cache.clock = Clock::stopped_at(member.resolved - SECOND);
        assert!(!cache.has_current_roles(&member));
    }

    #[test]
    fn denial_outdates_roles_that_began_to_be_read_before_it() {
        let cache = cache(10);
        let session = Session::token("token");
        let is_current = || cache.has_current_roles(&cache.valid(&session).unwrap());
        // Nothing to mark.
        cache.outdate_roles(&session);
        cache.insert(&session, member(&cache));
        assert!(is_current());
        let before = member(&cache);
        cache.outdate_roles(&session);
        assert!(!is_current());
        cache.insert(&session, before);
        assert!(!is_current(), "roles from before the denial");
        cache.insert(&session, member(&cache));
        assert!(is_current());
    }

    #[test]
    fn denials_have_roles_read_at_most_once_in_an_interval() {
        let cache = cache(10);
        let session = Session::token("token");
        let is_current = || cache.has_current_roles(&cache.valid(&session).unwrap());
        cache.insert(&session, member(&cache));
        // The first one whenever the roles were read before.
        for _ in 0..2 {
            cache.outdate_roles(&session);
            assert!(!is_current());
            cache.insert(&session, member(&cache));
            cache.outdate_roles(&session);
            cache.clock.advance(MIN_INTERVAL - SECOND);
            assert!(is_current());
            cache.clock.advance(SECOND);
            assert!(!is_current());
            cache.insert(&session, member(&cache));
            cache.clock.advance(MIN_INTERVAL);
        }
    }
}
