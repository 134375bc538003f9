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

use super::{MemberClient, edit::EditLocks, permission::Policies};
use crate::{
    call::{Attempts, CallContext},
    error::{Attempted, Error, ErrorKind},
    http::MemberRequest,
    organization::{Member, OrganizationResolver},
    sync::{Deadline, lock},
    wire::{Session, SessionHeader, SessionKind, generated::ResponseValue},
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

impl MemberClient {
    /// Makes a call of an operation, and records its result. The deadline is that of the whole call
    /// of the caller, which may consist of several. `prepare` runs inside the span.
    ///
    /// The future is large: pin it in place, since `await` would copy it.
    pub(super) async fn call<R: MemberRequest>(
        &self,
        deadline: Deadline,
        prepare: impl Future<Output = Result<R, Error>>,
    ) -> Result<R::Body, Error> {
        let context = &self.project.context;
        let budget = Some(&context.retry.budget);
        let mut attempts = Attempts::begin(&context.retry, budget, deadline);
        let span = context.span(R::OPERATION);
        // Pinned before it is wrapped: each layer would copy this large future.
        let outcome = {
            let attempted = pin!(self.attempt_until_success(prepare, &mut attempts));
            attempted.instrument(span.span.clone()).await
        };
        span.finish(&outcome, attempts.made);
        outcome.map(ResponseValue::into_inner)
    }

    async fn attempt_until_success<R: MemberRequest>(
        &self,
        prepare: impl Future<Output = Result<R, Error>>,
        attempts: &mut Attempts<'_>,
    ) -> Attempted<R::Body> {
        let Project { context, organizations, policies, .. } = &*self.project;
        let (presented, deadline) = (&self.session.presented, attempts.deadline);
        let request = prepare.await?;
        let mut may_renew = true;
        loop {
            // Inside the loop, so that a session renewed meanwhile serves the next attempt.
            let resolved = self.resolve(deadline).await;
            let (Member { organization, began, .. }, header) =
                resolved.map_err(|error| attempts.fail(error))?;
            let sent = context.transport.send_as_member(&request, &organization, header, deadline);
            // Moved out first: a match whose arm waits would keep the whole result in the future.
            let error = match sent.await {
                Ok(success) => return Ok(success),
                Err(error) => error,
            };
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
                policies.outdate(&organization);
            }
            attempts.retry_or_fail(error).await?;
        }
    }

    /// Resolves the session to the member and the one header to act with.
    pub(super) async fn resolve(
        &self,
        deadline: Deadline,
    ) -> Result<(Member, SessionHeader), Error> {
        let presented = &self.session.presented;
        header_of(presented, deadline)?;
        let member = self.project.organizations.resolve(presented, deadline).await?;
        self.session.renew_by(&member);
        let acting = member.renewed.as_ref().unwrap_or(presented);
        let header = header_of(acting, deadline)?.clone();
        Ok((member, header))
    }

    /// Resolves the session to the member, with current roles.
    pub(super) async fn resolve_roles(&self, deadline: Deadline) -> Result<Member, Error> {
        let presented = &self.session.presented;
        header_of(presented, deadline)?;
        let member = self.project.organizations.resolve_roles(presented, deadline).await?;
        self.session.renew_by(&member);
        Ok(member)
    }
}

fn header_of(session: &Session, deadline: Deadline) -> Result<&SessionHeader, Error> {
    session.header().ok_or_else(|| {
        let reason = "the session credential is empty, longer than 16 KiB, or has other characters \
                      than visible ASCII";
        Error::new(ErrorKind::InvalidSession, deadline.operation(), reason)
    })
}
