//! Resolves sessions to organizations: from a JWT that is verified locally, or by calling
//! `sessions/authenticate`.
//!
//! `sessions/authenticate` is called for a session once at a time, however many calls wait for it.
//! `cache.rs` has the results.

use std::{sync::Arc, time::Instant};

use tracing::Instrument;

use super::{
    Settings,
    cache::{Member, MemberCache},
    jwks::JwksCache,
    jwt::{SessionIds, Signed, ValidClaims, unverified_lifetime},
};
use crate::{
    call::CallContext,
    error::{Error, ErrorKind, response::unusable},
    sync::{Deadline, SingleFlight},
    wire::{
        MemberRoles, Operation, PathSegment, Session, SessionDigest, SessionKind,
        generated::ResponseValue, types,
    },
};

/// The result of resolving a session without a request.
enum Local {
    Member(Member),
    /// Stytch issued the session, and decides whether it is valid.
    Known(SessionIds),
    /// Anybody can make it up: a token that was never resolved, or a JWT without keys to verify it.
    Unproven,
}

/// Resolves sessions to organizations.
pub(crate) struct OrganizationResolver {
    context: CallContext,
    settings: Settings,
    pub(crate) jwks: JwksCache,
    /// The results so far.
    pub(crate) cache: MemberCache,
    /// Each with the deadline that it had.
    requests: SingleFlight<SessionDigest, (Deadline, Result<Member, Error>)>,
}

impl OrganizationResolver {
    pub(crate) fn new(context: CallContext, settings: Settings) -> Arc<Self> {
        let jwks = JwksCache::new(context.clone(), &settings);
        let cache = MemberCache::new(settings.capacity, context.retry.clock.clone());
        Arc::new(Self { context, settings, jwks, cache, requests: SingleFlight::new() })
    }

    /// Resolves the organization of a session. Calls Stytch only if the session can't be
    /// resolved locally.
    pub(crate) async fn resolve(
        self: &Arc<Self>,
        session: &Session,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        if let Some(member) = self.cache.valid(session) {
            return Ok(member);
        }
        // Boxed, so that a call with a cached session has no room for it.
        Box::pin(self.resolve_anew(session, None, deadline)).await
    }

    /// Resolves a session as [`resolve`](Self::resolve) does, and reads the roles behind a token
    /// again unless they are current. Those of a JWT are its claims.
    pub(crate) async fn resolve_roles(
        self: &Arc<Self>,
        session: &Session,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        let member = self.resolve(session, deadline).await?;
        if session.kind() == SessionKind::Jwt || self.cache.has_current_roles(&member) {
            return Ok(member);
        }
        let newer_than = member.began.max(member.denied.unwrap_or(member.began));
        Box::pin(self.resolve_anew(session, Some(newer_than), deadline)).await
    }

    /// Renews a session JWT that Stytch rejected although its signature holds, unless it was renewed
    /// since it `began` to be resolved for the call.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        session: &Session,
        began: Instant,
        deadline: Deadline,
    ) -> Result<(), Error> {
        Box::pin(self.resolve_anew(session, Some(began), deadline)).await.map(|_| ())
    }

    /// Resolves a session that isn't cached. With `newer_than`, calls `sessions/authenticate` even
    /// if it can be resolved locally, or takes the result of a call that began after that.
    async fn resolve_anew(
        self: &Arc<Self>,
        session: &Session,
        newer_than: Option<Instant>,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        let ids = match self.resolve_locally(session, newer_than, deadline).await? {
            Local::Member(member) => return Ok(member),
            Local::Known(ids) => Some(ids),
            Local::Unproven => None,
        };
        let start = || {
            let shared = deadline.of_shared_request(Operation::AuthenticateSession);
            let (inner, session, ids) = (Arc::clone(self), session.clone(), ids.clone());
            let request =
                async move { (shared, inner.request(&session, ids, newer_than, shared).await) };
            request.in_current_span()
        };
        loop {
            // Once for all who wait for the same session.
            let request = self.requests.run(session.digest(), start);
            let (shared, result) =
                deadline.wait("waiting for sessions/authenticate", request).await?;
            match result {
                // This call joined a request whose result is too old for it.
                Ok(member) if newer_than.is_some_and(|oldest| member.began <= oldest) => {}
                // This call joined a request of a call that has to return earlier.
                Err(error) if error.is_out_of_time() && deadline.is_after(shared) => {}
                result => return result.map_err(|error| error.of_caller(deadline.operation())),
            }
        }
    }

    /// Resolves a session without a request of its own, unless the result has to be newer.
    async fn resolve_locally(
        &self,
        session: &Session,
        newer_than: Option<Instant>,
        deadline: Deadline,
    ) -> Result<Local, Error> {
        let began = Instant::now();
        if session.kind() == SessionKind::Jwt
            && let Some(Signed { ids, valid }) =
                self.jwks.verify(session.expose_secret(), deadline).await?
        {
            let Some(valid) = valid.filter(|_| newer_than.is_none()) else {
                return Ok(Local::Known(ids));
            };
            let ValidClaims { organization, roles, valid_for } = valid;
            let id = ids.member_session_id.as_deref().unwrap_or_default();
            let member = self.cache.member(organization, id, roles, valid_for, began);
            return Ok(Local::Member(self.cache.insert(session, member)));
        }
        // A session that was resolved before is no made-up one, although it isn't valid any more.
        Ok(self.cache.get(session).map_or(Local::Unproven, |member| {
            let organization_id = Some(member.organization.to_string());
            let member_session_id = Some(member.session_id.to_string());
            Local::Known(SessionIds { organization_id, member_session_id })
        }))
    }

    /// Calls `sessions/authenticate` for a session of these ids, or for an unproven one.
    async fn request(
        &self,
        session: &Session,
        mut ids: Option<SessionIds>,
        newer_than: Option<Instant>,
        deadline: Deadline,
    ) -> Result<Member, Error> {
        let context = &self.context;
        // The request that completed just now may have resolved it.
        let cached = self.cache.valid(session);
        let is_new = |member: &Member| newer_than.is_none_or(|oldest| member.began > oldest);
        if let Some(member) = cached.filter(is_new) {
            return Ok(member);
        }
        let mut permit = None;
        if ids.is_none() {
            permit = Some(context.transport.unproven_permit(deadline).await?);
            // Keys may have come while it waited.
            if session.kind() == SessionKind::Jwt && self.jwks.has_keys() {
                match self.resolve_locally(session, newer_than, deadline).await? {
                    Local::Member(member) => return Ok(member),
                    Local::Known(known) => (ids, permit) = (Some(known), None),
                    Local::Unproven => {}
                }
            }
        }
        let began = Instant::now();
        let retry = &context.retry;
        let budget = if permit.is_none() { &retry.budget } else { &retry.unproven_budget };
        let attempt = || context.transport.authenticate(session, deadline);
        let response = context.call_as_project(Some(budget), deadline, attempt).await;
        drop(permit);
        if response.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidSession) {
            self.cache.forget(session, began);
        }
        self.cache_response(session, &ids.unwrap_or_default(), &response?, began)
    }

    /// Caches a response for the session of these ids.
    fn cache_response(
        &self,
        session: &Session,
        ids: &SessionIds,
        response: &ResponseValue<types::AuthenticateSessionResponse>,
        began: Instant,
    ) -> Result<Member, Error> {
        let unusable = |reason: String| unusable(response, Operation::AuthenticateSession, reason);
        let found = &response.member_session;
        let differs = |id: &Option<String>, found: &str| id.as_ref().is_some_and(|id| id != found);
        let is_token = session.kind() == SessionKind::Token;
        let is_other_token =
            response.session_token.as_ref().is_some_and(|it| it != session.credential());
        if differs(&ids.organization_id, &found.organization_id)
            || differs(&ids.member_session_id, &found.member_session_id)
            || (is_token && is_other_token)
        {
            return Err(unusable("the response is about another session".to_owned()));
        }
        let organization = PathSegment::new(&found.organization_id).map_err(|problem| {
            unusable(format!("the organization id in the response {problem}"))
        })?;
        let (renewed, valid_for) = if is_token {
            (None, self.settings.token_ttl)
        } else {
            let jwt = response.session_jwt.clone().map(|jwt| Session::new(SessionKind::Jwt, jwt));
            let renewed = jwt.filter(|jwt| jwt.header().is_some()).ok_or_else(|| {
                let reason = "the response has no session JWT that can be sent in an HTTP header";
                unusable(reason.to_owned())
            })?;
            // Stytch just returned the JWT, so it is valid for its own lifetime from now on,
            // whatever the local clock shows. One whose times can't be read is used once.
            let lifetime = unverified_lifetime(renewed.expose_secret()).unwrap_or_default();
            (Some(renewed), lifetime.saturating_sub(self.settings.expiry_margin))
        };
        let roles = found.roles.clone().unwrap_or(MemberRoles::UNKNOWN);
        let id = &found.member_session_id;
        let mut member = self.cache.member(organization, id, roles, valid_for, began);
        if let Some(renewed) = &renewed {
            // Under both JWTs.
            self.cache.insert(renewed, member.clone());
        }
        member.renewed = renewed;
        Ok(self.cache.insert(session, member))
    }
}
