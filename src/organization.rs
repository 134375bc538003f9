//! The organization behind a session: read from a JWT that was verified here, or asked of
//! Stytch.
//!
//! What was learned is remembered under a digest of the credential, never under the
//! credential. Remembering is safe: a session belongs to one member and a member to one
//! organization for its whole life (moving on makes a new session), and Stytch checks the
//! session again with every update. A revoked session is refused there, and then forgotten
//! here.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use quick_cache::sync::Cache;

use crate::{
    calls::Calls,
    deadline::Deadline,
    error::{Error, Known},
    flight::Flights,
    jwks::{Keys, NoKeys},
    jwt::{Verdict, unverified_expiry},
    retry,
    segment::Segment,
    session::{Session, SessionDigest, SessionKind},
    wire::AuthenticateSessionResponse,
};

/// What is known of a session.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) organization: Segment,
    /// The session to act with in place of the one presented, whose JWT has expired.
    pub(crate) renewed: Option<Session>,
    until: SystemTime,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How long a token's organization is remembered.
    pub(crate) token_ttl: Duration,
    /// How many sessions are remembered.
    pub(crate) capacity: usize,
    /// How long before its end a JWT counts as expired.
    pub(crate) expiry_margin: Duration,
}

/// Finds organizations. Clones share what is known.
#[derive(Clone)]
pub(crate) struct Organizations(Arc<Inner>);

struct Inner {
    calls: Calls,
    keys: Keys,
    settings: Settings,
    known: Cache<SessionDigest, Member>,
    flights: Flights<SessionDigest, Result<Member, Error>>,
}

impl Organizations {
    pub(crate) fn new(calls: Calls, keys: Keys, settings: Settings) -> Self {
        let known = Cache::new(settings.capacity);
        Self(Arc::new(Inner { calls, keys, settings, known, flights: Flights::new() }))
    }

    /// Tells whose organization the session is in, with a round trip only where it must be.
    pub(crate) async fn of(&self, session: &Session, deadline: Deadline) -> Result<Member, Error> {
        if let Some(member) = self.0.remembered(session) {
            return Ok(member);
        }
        if session.kind() == SessionKind::Token {
            return self.ask_stytch(session, deadline).await;
        }
        match self.0.keys.verify(session.expose_secret(), deadline).await {
            Ok(Verdict::Valid { organization, expires }) => {
                let until = self.0.usable_until(expires);
                Ok(self.0.remember(session, Member { organization, renewed: None, until }))
            }
            Err(NoKeys) if deadline.left().is_zero() => {
                Err(Error::out_of_time("while fetching the project's JWKS"))
            }
            Ok(Verdict::Expired) | Err(NoKeys) => self.ask_stytch(session, deadline).await,
            Ok(Verdict::Refused(why)) => {
                Err(Error::session_invalid(format!("the session JWT {why}")))
            }
        }
    }

    /// Forgets a session that Stytch no longer accepts.
    pub(crate) fn forget(&self, session: &Session) {
        self.0.known.remove(&session.digest());
    }

    async fn ask_stytch(&self, session: &Session, deadline: Deadline) -> Result<Member, Error> {
        let inner = &self.0;
        let flight = inner.flights.join(&session.digest(), || {
            let (inner, session) = (Arc::clone(inner), session.clone());
            Some(async move {
                // The flight that landed just now may have answered.
                if let Some(member) = inner.remembered(&session) {
                    return Ok(member);
                }
                let calls = &inner.calls;
                let deadline = calls.deadline();
                let answer = retry::run(&calls.policy, deadline, || {
                    calls.wire.authenticate(&session, deadline)
                })
                .await?;
                inner.learn(&session, answer)
            })
        });
        match flight {
            Some(flight) => {
                deadline.wait("while asking Stytch about the member session", flight).await?
            }
            None => Err(Error::out_of_time("while asking Stytch about the member session")),
        }
    }
}

impl Inner {
    fn remembered(&self, session: &Session) -> Option<Member> {
        let digest = session.digest();
        let member = self.known.get(&digest)?;
        if member.until > self.calls.clock.now() {
            return Some(member);
        }
        self.known.remove(&digest);
        None
    }

    fn remember(&self, session: &Session, member: Member) -> Member {
        self.known.insert(session.digest(), member.clone());
        member
    }

    fn learn(
        &self,
        session: &Session,
        answer: AuthenticateSessionResponse,
    ) -> Result<Member, Error> {
        let organization =
            Segment::new(&answer.member_session.organization_id).map_err(|wrong| {
                let reason = format!("the organization id that Stytch answered {wrong}");
                let known = Known::unusable(reason, Some(answer.request_id.clone()));
                Error::UnexpectedResponse(known.into())
            })?;
        if session.kind() == SessionKind::Token {
            let until = self.calls.clock.now() + self.settings.token_ttl;
            return Ok(self.remember(session, Member { organization, renewed: None, until }));
        }
        let renewed = Session::new(SessionKind::Jwt, answer.session_jwt);
        if renewed.header().is_none() {
            let reason = "the session JWT that Stytch answered can't be put into a header";
            let known = Known::unusable(reason, Some(answer.request_id));
            return Err(Error::UnexpectedResponse(known.into()));
        }
        // Stytch itself handed the JWT out, so its own word is good enough for how long to
        // remember it. One whose end can't be read serves this once.
        let expires = unverified_expiry(renewed.expose_secret());
        let until = expires.map(|expires| self.usable_until(expires));
        let member = |renewed| Member {
            organization: organization.clone(),
            renewed,
            until: until.unwrap_or(SystemTime::UNIX_EPOCH),
        };
        if until.is_none() {
            return Ok(member(Some(renewed)));
        }
        self.remember(&renewed, member(None));
        Ok(self.remember(session, member(Some(renewed))))
    }

    fn usable_until(&self, expires: SystemTime) -> SystemTime {
        expires.checked_sub(self.settings.expiry_margin).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        jwks,
        retry::RetryPolicy,
        wire::{Seam, Wire},
    };

    #[tokio::test]
    async fn cache_stays_at_its_bound() {
        let organizations = organizations(1_000);
        for n in 0..100_000 {
            let session = Session::token(format!("token-{n}"));
            let organization =
                Segment::new("organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931").unwrap();
            let until = SystemTime::now() + Duration::from_secs(60);
            organizations.0.remember(&session, Member { organization, renewed: None, until });
        }
        assert!(organizations.0.known.len() <= 1_000);
        assert!(organizations.0.known.len() > 900);
    }

    #[tokio::test]
    async fn session_is_gone_at_its_end() {
        let organizations = organizations(10);
        let session = Session::token("token");
        let organization = Segment::new("organization-test-1").unwrap();
        organizations.0.remember(
            &session,
            Member { organization, renewed: None, until: SystemTime::UNIX_EPOCH },
        );
        assert!(organizations.0.remembered(&session).is_none());
        assert_eq!(organizations.0.known.len(), 0);
    }

    fn organizations(capacity: usize) -> Organizations {
        let seam = Seam {
            http: reqwest::Client::new(),
            base_url: "http://127.0.0.1:1".to_owned(),
            authorization: http::HeaderValue::from_static("unused"),
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            max_response_bytes: 1,
        };
        let project_id = Segment::new("project-test-1").unwrap();
        let zero = Duration::ZERO;
        let calls = Calls {
            wire: Arc::new(Wire::new(seam, project_id, 1)),
            policy: RetryPolicy::off(),
            deadline: zero,
            clock: Clock::system(),
        };
        let settings = jwks::Settings {
            fresh_for: zero,
            max_age: zero,
            cooldown: zero,
            clock_skew: zero,
            expiry_margin: zero,
        };
        let keys = Keys::new(calls.clone(), settings, "http://127.0.0.1:1");
        let settings = Settings { token_ttl: zero, capacity, expiry_margin: zero };
        Organizations::new(calls, keys, settings)
    }
}
