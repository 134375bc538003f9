//! The one path of every request for a member: span, organization, attempts, transport, response.
//!
//! It doesn't know the operations: `member.rs` has a method for each, which checks its inputs
//! and hands the request down.

use std::{
    mem,
    pin::pin,
    sync::{Arc, Mutex},
    time::Instant,
};

use tracing::Instrument;

use super::{edit::EditLocks, permission::Policies};
use crate::{
    call::{Attempts, CallContext},
    error::{Attempted, Error, ErrorKind},
    http::MemberRequest,
    organization::{Member, OrganizationResolver},
    sync::{Deadline, lock},
    wire::{Operation, PathSegment, Session, SessionHeader, SessionKind},
};

/// What all members of a project share.
pub(crate) struct Project {
    pub(crate) context: CallContext,
    pub(crate) organizations: Arc<OrganizationResolver>,
    pub(crate) edits: EditLocks,
    pub(crate) policies: Policies,
}

/// The session that a member acts with: the one presented, until its JWT is renewed.
pub(crate) struct ActiveSession {
    pub(crate) presented: Session,
    /// With the time at which its renewal began.
    renewed: Mutex<Option<(Instant, Session)>>,
}

impl ActiveSession {
    pub(crate) fn new(presented: Session) -> Self {
        Self { presented, renewed: Mutex::new(None) }
    }

    pub(crate) fn current(&self) -> Session {
        let renewed = lock(&self.renewed);
        renewed.as_ref().map_or(&self.presented, |(_, session)| session).clone()
    }

    /// Keeps the newest renewal: two calls may complete out of order.
    fn renew_by(&self, member: &Member) {
        let Some(renewed) = &member.renewed else { return };
        let mut newest = lock(&self.renewed);
        if newest.as_ref().is_none_or(|(began, _)| *began < member.began) {
            *newest = Some((member.began, renewed.clone()));
        }
    }
}

async fn attempt_until_success<R: MemberRequest>(
    project: &Project,
    session: &ActiveSession,
    prepare: impl Future<Output = Result<R, Error>>,
    attempts: &mut Attempts<'_>,
) -> Attempted<R::Body> {
    let request = prepare.await?;
    let deadline = attempts.deadline;
    let mut may_renew = true;
    loop {
        // Inside the loop, so that a session renewed meanwhile serves the next attempt.
        let resolved = project.resolve(session, deadline).await;
        let (Member { organization, began, .. }, header) =
            resolved.map_err(|error| attempts.fail(error))?;
        let transport = &project.context.transport;
        let sent = transport.send_as_member(&request, &organization, header, deadline);
        // Moved out first: a match whose arm waits would keep the whole result in the future.
        let error = match sent.await {
            Ok(success) => return Ok(success),
            Err(error) => error,
        };
        let (presented, organizations) = (&session.presented, &project.organizations);
        if error.kind() == ErrorKind::InvalidSession {
            organizations.cache.forget(presented, began);
            // By Stytch's clock it may have expired, or not be valid yet.
            let is_renewable = presented.kind() == SessionKind::Jwt && error.is_jwt_rejection();
            if is_renewable && mem::take(&mut may_renew) {
                attempts.repeat(error)?;
                let renewed = organizations.renew(presented, began, deadline);
                renewed.await.map_err(|error| attempts.fail(error))?;
                continue;
            }
        }
        if matches!(error.kind(), ErrorKind::PermissionDenied { .. }) {
            organizations.cache.outdate_roles(presented);
            project.policies.outdate(&organization);
        }
        attempts.retry_or_fail(error).await?;
    }
}

impl Project {
    /// Makes a call of an operation for a member, and records its result. The deadline is that of
    /// the whole call of the caller, which may consist of several. `prepare` runs inside the span.
    ///
    /// The future is large: pin it in place, since `await` would copy it.
    pub(crate) async fn call<R: MemberRequest>(
        &self,
        session: &ActiveSession,
        deadline: Deadline,
        prepare: impl Future<Output = Result<R, Error>>,
    ) -> Result<R::Body, Error> {
        let retry = &self.context.retry;
        let mut attempts = Attempts::begin(retry, Some(&retry.budget), deadline);
        let span = self.context.span(R::OPERATION);
        // Pinned before it is wrapped: each layer would copy this large future.
        let outcome = {
            let attempted = pin!(attempt_until_success(self, session, prepare, &mut attempts));
            attempted.instrument(span.span.clone()).await
        };
        span.finish(&outcome, attempts.made);
        outcome.map(|success| success.body)
    }

    /// Resolves the session to the member and the one header to act with.
    pub(crate) async fn resolve(
        &self,
        session: &ActiveSession,
        deadline: Deadline,
    ) -> Result<(Member, SessionHeader), Error> {
        check_session(session, deadline)?;
        let member = self.organizations.resolve(&session.presented, deadline).await?;
        session.renew_by(&member);
        let header = member.renewed.as_ref().unwrap_or(&session.presented).header().cloned();
        let reason = "the renewed session JWT can't be sent in an HTTP header";
        let unusable = || Error::new(ErrorKind::InvalidSession, deadline.operation(), reason);
        Ok((member, header.ok_or_else(unusable)?))
    }

    /// Resolves the session to its organization and the member's roles, which are current.
    pub(crate) async fn roles(
        &self,
        session: &ActiveSession,
        deadline: Deadline,
    ) -> Result<(PathSegment, Vec<String>), Error> {
        check_session(session, deadline)?;
        let presented = &session.presented;
        let member = self.organizations.resolve_roles(presented, deadline).await?;
        session.renew_by(&member);
        if let Some(roles) = member.roles.ids() {
            return Ok((member.organization, roles.to_vec()));
        }
        let is_read = presented.kind() == SessionKind::Token || member.renewed.is_some();
        let operation = if is_read { Operation::AuthenticateSession } else { deadline.operation() };
        let reason = "the roles of the member are not an array of strings";
        Err(Error::new(ErrorKind::UnexpectedResponse, operation, reason))
    }
}

fn check_session(session: &ActiveSession, deadline: Deadline) -> Result<(), Error> {
    if session.presented.header().is_some() {
        return Ok(());
    }
    let reason = "the session credential is empty, longer than 16 KiB, or has other characters than \
                  visible ASCII";
    Err(Error::new(ErrorKind::InvalidSession, deadline.operation(), reason))
}
