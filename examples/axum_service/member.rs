//! The member who sent a request, and the response to it.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::SET_COOKIE, request::Parts},
    response::{IntoResponse, Response},
};
use stytch_sso_external::{Error, ErrorKind, MemberClient, Operation, Session, Verdict};

use crate::{connection::Permission, cookie, problem::Problem, routes::Service};

/// The member whose session the request carries. A request without a session is a 401.
pub(crate) struct Member {
    pub(crate) client: MemberClient,
    presented: Session,
    headers: HeaderMap,
    service: Service,
}

impl FromRequestParts<Service> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let presented = Session::from_headers(&parts.headers).ok_or_else(Problem::logged_out)?;
        Ok(Self {
            client: service.client.as_member(presented.clone()),
            presented,
            headers: parts.headers.clone(),
            service: service.clone(),
        })
    }
}

impl Member {
    /// Returns whether the member may edit connections, or `None` if it can't be checked:
    /// this is advice for the page, which works without it.
    pub(crate) async fn permission_to_update(&self) -> Option<Permission> {
        let update = Operation::UpdateExternalConnection;
        // An edit reads the connection, too.
        let verdict = self.check(&[Operation::GetConnections, update]).await?;
        Permission::new(update, verdict)
    }

    /// Describes an error, for a denial with the roles that the member can ask for.
    pub(crate) async fn problem(&self, error: &Error) -> Problem {
        log(error);
        let problem = Problem::from(error);
        if !matches!(error.kind(), ErrorKind::PermissionDenied { .. }) {
            return problem;
        }
        match self.check(&[error.operation()]).await {
            Some(verdict) => problem.with("sufficient_roles", verdict.sufficient_roles),
            None => problem,
        }
    }

    /// Completes a response: if the session JWT was renewed, its cookie is set again. After an
    /// error too, because the session was renewed nonetheless.
    pub(crate) fn respond(&self, response: impl IntoResponse) -> Response {
        let mut response = response.into_response();
        let in_use = self.client.session();
        let renewed =
            cookie::renewed(&self.presented, &in_use, &self.headers, &self.service.origin);
        if let Some(cookie) = renewed {
            tracing::info!("the session JWT had expired and was renewed");
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    async fn check(&self, operations: &[Operation]) -> Option<Verdict> {
        let verdict = self.client.check_permissions(operations.iter().copied()).await;
        verdict.inspect_err(|error| tracing::warn!(%error, "the permission is unknown")).ok()
    }
}

fn log(error: &Error) {
    let outcome = error.outcome();
    match error.kind() {
        ErrorKind::PermissionDenied { .. }
        | ErrorKind::InvalidSession
        | ErrorKind::NotFound
        | ErrorKind::InvalidRequest => tracing::info!(%error, ?outcome, "rejected"),
        ErrorKind::InvalidProjectCredentials => {
            tracing::error!(%error, ?outcome, "Stytch rejected the project's credentials");
        }
        _ => tracing::warn!(%error, ?outcome, "failed"),
    }
}
