//! The member who sent a request, and the response to it.

use std::sync::Arc;

use axum::{
    Json,
    extract::FromRequestParts,
    http::{header::SET_COOKIE, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use stytch_sso_external::{
    Error, ErrorKind, MemberClient, Operation, Session, SessionCookies, SessionKind, Verdict,
    types::UpdateExternalConnectionRequest,
};

use crate::{cookie, origin::Origin, problem::Problem, routes::Service};

/// The member whose session the request carries. A request without a session is a 401.
pub(crate) struct Member {
    pub(crate) client: MemberClient,
    /// The session, if a cookie carried it.
    in_cookie: Option<Session>,
    origin: Arc<Origin>,
}

impl FromRequestParts<Service> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let session = Session::from_headers(&parts.headers).ok_or_else(Problem::logged_out)?;
        let cookies = SessionCookies::new(cookie::JWT, cookie::TOKEN);
        Ok(Self {
            in_cookie: cookies.session(&parts.headers).filter(|in_cookie| *in_cookie == session),
            client: service.client.as_member(session),
            origin: Arc::clone(&service.origin),
        })
    }
}

impl Member {
    /// Returns whether the member may edit connections, as advice for the page: null if it can't
    /// be checked. With the roles to choose from, for a member who may assign them.
    pub(crate) async fn permission_to_update(&self) -> Value {
        let update = Operation::UpdateExternalConnection;
        let Some(verdict) = self.check(update).await else { return Value::Null };
        let roles = async { self.client.role_ids().await.unwrap_or_default() };
        json!({
            "authorized": verdict.authorized,
            "advice": (!verdict.authorized).then(|| advice(update, Some(&verdict))),
            "sufficient_roles": verdict.sufficient_roles,
            "role_ids": if verdict.authorized { roles.await } else { Vec::new() },
        })
    }

    /// Responds to a read.
    pub(crate) async fn respond(&self, read: Result<Value, Error>) -> Response {
        match read {
            Ok(json) => self.complete(Json(json)),
            Err(error) => self.complete(self.problem(&error).await),
        }
    }

    /// Responds to a change of a connection.
    pub(crate) async fn respond_to_change(
        &self,
        connection_id: &str,
        changed: Result<Value, Error>,
        sent: &UpdateExternalConnectionRequest,
    ) -> Response {
        match changed {
            Ok(json) => {
                let stytch_request_id = json.get("stytch_request_id").and_then(Value::as_str);
                // Cached, since the change has just used it.
                let organization_id = self.client.organization_id().await.ok();
                tracing::info!(organization_id, connection_id, stytch_request_id, "changed");
                self.complete(Json(json))
            }
            Err(error) => self.complete(self.problem(&error).await.of_change(&error, sent)),
        }
    }

    /// Describes an error, for a denial with the roles that the member can ask for.
    async fn problem(&self, error: &Error) -> Problem {
        let outcome = error.outcome();
        if error.kind().response_status().is_server_error() {
            tracing::warn!(%error, ?outcome, "failed");
        } else {
            tracing::info!(%error, ?outcome, "rejected");
        }
        let mut problem = Problem::from(error);
        if let ErrorKind::PermissionDenied { action, resource } = error.kind() {
            let verdict = self.check(error.operation()).await;
            problem.detail = advice(error.operation(), verdict.as_ref());
            let advice = problem.detail.clone();
            let roles = verdict.map(|verdict| verdict.sufficient_roles);
            problem = problem.with("action", action).with("resource", resource);
            problem = problem.with("advice", advice).with("sufficient_roles", roles);
        }
        problem
    }

    /// Checks the permission for an operation, and to view connections: an edit reads them.
    async fn check(&self, operation: Operation) -> Option<Verdict> {
        let verdict = self.client.check_permissions([Operation::GetConnections, operation]).await;
        verdict.inspect_err(|error| tracing::warn!(%error, "the permission is unknown")).ok()
    }

    /// Completes a response: if the session JWT was renewed, its cookie is set again. After an
    /// error too, because the session was renewed nonetheless.
    fn complete(&self, response: impl IntoResponse) -> Response {
        let mut response = response.into_response();
        let session = self.client.session();
        let is_renewed = |in_cookie: &Session| session != *in_cookie;
        if session.kind() == SessionKind::Jwt && self.in_cookie.as_ref().is_some_and(is_renewed) {
            tracing::info!("the session JWT had expired and was renewed");
            if let Some(cookie) = cookie::set(cookie::JWT, session.expose_secret(), &self.origin) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
        }
        response
    }
}

/// Describes a denial to the member who meets it.
fn advice(denied: Operation, verdict: Option<&Verdict>) -> String {
    let what = match denied {
        Operation::GetConnections => "You can't view connections.",
        // What the member's roles grant is to view them.
        _ if verdict.is_some_and(|verdict| !verdict.granting_roles.is_empty()) => {
            "You can view connections but not change them."
        }
        _ => "You can't change connections.",
    };
    // Stytch may deny what the policies grant: the roles in a session JWT are as old as the JWT.
    let lacking = verdict.filter(|verdict| !verdict.authorized);
    match lacking.map(|verdict| verdict.sufficient_roles.join(" or ")) {
        Some(roles) if !roles.is_empty() => format!("{what} Ask for the role {roles}."),
        _ => format!("{what} Ask an administrator."),
    }
}
