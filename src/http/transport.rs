//! Sends the operations of the document, each attempt once, and limits the requests in flight.
//!
//! What a response means is decided in `error/response.rs`; whether a success is about the request, here.

use std::{pin::pin, slice, sync::Arc};

use progenitor_client::ResponseValue;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::hooks::{RequestContext, TransportConfig};
use crate::{
    error::{Attempted, Error, ErrorKind, response},
    sync::Deadline,
    wire::{
        Operation, PathSegment, ResponseBody, Session, SessionHeader, SessionKind,
        generated::{self, Client as Bindings},
        types::{self, ExternalConnection},
    },
};

/// Sends requests of the operations, each once.
pub(crate) struct Transport {
    /// The generated client that acts for the project.
    pub(crate) bindings: Bindings,
    member_permits: Semaphore,
    session_permits: Semaphore,
    /// Three quarters of the session permits, for sessions that anybody can make up.
    unproven_permits: Semaphore,
    unproven_places: Semaphore,
    policy_permits: Semaphore,
}

/// What the generated client returns.
pub(super) type BindingsResult<T> = Result<ResponseValue<T>, generated::Error<types::ErrorBody>>;

/// Whether a decoded success is a response to the request that was sent: if not, the kind of the
/// error and its reason.
pub(crate) type Check = Result<(), (ErrorKind, &'static str)>;

/// A request of an operation that acts for a member, with everything in it but the
/// organization and the session.
pub(crate) trait MemberRequest: Sync {
    const OPERATION: Operation;
    type Body: ResponseBody + Send;

    /// Sends it. The session headers are left to the hook, which marks them sensitive.
    fn send(
        &self,
        bindings: &Bindings,
        organization: &str,
    ) -> impl Future<Output = BindingsResult<Self::Body>> + Send;

    /// Checks that a response is about this request.
    fn check(&self, body: &Self::Body, organization: &str) -> Check;
}

pub(crate) struct UpdateConnection<'a> {
    pub(crate) connection_id: PathSegment,
    pub(crate) update: &'a types::UpdateExternalConnectionRequest,
}

impl MemberRequest for UpdateConnection<'_> {
    const OPERATION: Operation = Operation::UpdateExternalConnection;
    type Body = types::UpdateExternalConnectionResponse;

    async fn send(&self, bindings: &Bindings, organization: &str) -> BindingsResult<Self::Body> {
        let id = &self.connection_id;
        bindings.update_external_connection(organization, id, None, None, self.update).await
    }

    fn check(&self, body: &Self::Body, organization: &str) -> Check {
        if body.connection.connection_id != *self.connection_id {
            let mismatch = "the response is about another connection than the one requested";
            return Err((ErrorKind::UnexpectedResponse, mismatch));
        }
        check_organization(slice::from_ref(&body.connection), organization)
    }
}

/// Lists the connections; if one is wanted, the list has to contain it.
pub(crate) struct GetConnections(pub(crate) Option<PathSegment>);

impl MemberRequest for GetConnections {
    const OPERATION: Operation = Operation::GetConnections;
    type Body = types::GetConnectionsResponse;

    async fn send(&self, bindings: &Bindings, organization: &str) -> BindingsResult<Self::Body> {
        bindings.get_connections(organization, None, None).await
    }

    fn check(&self, body: &Self::Body, organization: &str) -> Check {
        check_organization(&body.external_connections, organization)?;
        let mut ids = body.external_connections.iter().map(|connection| &*connection.connection_id);
        if self.0.as_ref().is_some_and(|wanted| !ids.any(|id| id == &**wanted)) {
            return Err((ErrorKind::NotFound, NO_SUCH_CONNECTION));
        }
        Ok(())
    }
}

fn check_organization(connections: &[ExternalConnection], organization: &str) -> Check {
    if connections.iter().all(|connection| connection.organization_id == organization) {
        return Ok(());
    }
    let reason = "the response contains a connection of another organization";
    Err((ErrorKind::UnexpectedResponse, reason))
}

impl Transport {
    pub(crate) fn new(config: TransportConfig, max_in_flight: usize) -> Self {
        // `Semaphore::new` panics above it.
        let max_in_flight = max_in_flight.min(Semaphore::MAX_PERMITS);
        let kept = max_in_flight.div_ceil(4);
        let unproven = (max_in_flight - kept).max(1);
        Self {
            bindings: Bindings {
                baseurl: config.base_url.text.clone(),
                client: config.placeholder.clone(),
                inner: RequestContext { config: Arc::new(config), attempt: None },
            },
            member_permits: Semaphore::new(max_in_flight),
            // A call that is queued for a member permit may need one of these first.
            session_permits: Semaphore::new(kept + unproven),
            unproven_permits: Semaphore::new(unproven),
            unproven_places: Semaphore::new(MAX_WAITING),
            policy_permits: Semaphore::new(max_in_flight),
        }
    }

    pub(crate) fn config(&self) -> &TransportConfig {
        &self.bindings.inner.config
    }

    /// Sends a request as a member.
    pub(crate) async fn send_as_member<R: MemberRequest>(
        &self,
        request: &R,
        organization: &PathSegment,
        session: SessionHeader,
        deadline: Deadline,
    ) -> Attempted<R::Body> {
        let _permit = acquire_permit(&self.member_permits, deadline).await?;
        let client = self.bindings.attempt(R::OPERATION, Some(session), deadline)?;
        // Pinned in place: `await` would copy this large future.
        let result = pin!(request.send(&client, organization)).await;
        let success = client.conclude(R::OPERATION, result)?;
        request.check(&success, organization).map_err(|(kind, reason)| {
            let error = response::unusable(&success, R::OPERATION, reason);
            error.amend(|context| context.kind = kind)
        })?;
        Ok(success)
    }

    /// Sends `sessions/authenticate` for a session.
    pub(crate) async fn authenticate(
        &self,
        session: &Session,
        deadline: Deadline,
    ) -> Attempted<types::AuthenticateSessionResponse> {
        let credential = |of| (session.kind() == of).then(|| session.credential().clone());
        // A field that is added to the document stops the build here: send it, or `None`.
        let request = types::AuthenticateSessionRequest {
            session_token: credential(SessionKind::Token),
            session_jwt: credential(SessionKind::Jwt),
        };
        let _permit = acquire_permit(&self.session_permits, deadline).await?;
        let client = self.bindings.attempt(Operation::AuthenticateSession, None, deadline)?;
        let result = client.authenticate_session(&request).await;
        client.conclude(Operation::AuthenticateSession, result)
    }

    /// Waits for the permit of a session that anybody can make up. It is kept until the end of the
    /// call of `sessions/authenticate`. Fails at once if too many wait.
    pub(crate) async fn unproven_permit(
        &self,
        deadline: Deadline,
    ) -> Result<SemaphorePermit<'_>, Error> {
        let Ok(_place) = self.unproven_places.try_acquire() else {
            let reason = "over 1,024 sessions wait for their first sessions/authenticate";
            return Err(Error::new(ErrorKind::Transport, deadline.operation(), reason));
        };
        acquire_permit(&self.unproven_permits, deadline).await
    }

    /// Fetches the RBAC policy of the project.
    pub(crate) async fn rbac_policy(
        &self,
        deadline: Deadline,
    ) -> Attempted<types::GetRbacPolicyResponse> {
        let _permit = acquire_permit(&self.policy_permits, deadline).await?;
        let client = self.bindings.attempt(Operation::GetRbacPolicy, None, deadline)?;
        let result = client.get_rbac_policy().await;
        client.conclude(Operation::GetRbacPolicy, result)
    }

    /// Fetches the custom roles of an organization.
    pub(crate) async fn organization_rbac_policy(
        &self,
        organization: &PathSegment,
        deadline: Deadline,
    ) -> Attempted<types::GetOrganizationRbacPolicyResponse> {
        let _permit = acquire_permit(&self.policy_permits, deadline).await?;
        let client = self.bindings.attempt(Operation::GetOrganizationRbacPolicy, None, deadline)?;
        let result = client.get_organization_rbac_policy(organization).await;
        client.conclude(Operation::GetOrganizationRbacPolicy, result)
    }

    /// Fetches the project's JWKS.
    pub(crate) async fn jwks(&self, deadline: Deadline) -> Attempted<types::GetJwksResponse> {
        let client = self.bindings.attempt(Operation::GetJwks, None, deadline)?;
        let result = client.get_jwks(&self.config().project_id).await;
        client.conclude(Operation::GetJwks, result)
    }
}

async fn acquire_permit(
    semaphore: &Semaphore,
    deadline: Deadline,
) -> Result<SemaphorePermit<'_>, Error> {
    const QUEUED: &str = "queued for a permit (max_in_flight)";
    // Never overtakes: while a caller is queued, no permit is free.
    if let Ok(permit) = semaphore.try_acquire() {
        return Ok(permit);
    }
    let permit = deadline.wait(QUEUED, semaphore.acquire()).await?;
    // It is never closed.
    permit.map_err(|_| deadline.elapsed(QUEUED))
}

pub(crate) const NO_SUCH_CONNECTION: &str =
    "no external connection of the organization has this id";
/// How many sessions may wait that have proven nothing.
const MAX_WAITING: usize = 1024;
