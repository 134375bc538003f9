//! What a failure looks like to a caller: a problem in JSON
//! ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
//!
//! It leaks nothing: all words are this service's own, what Stytch or a gateway said stays
//! out, and a failure of the service's own is told without its cause. The log has that.

use std::time::Duration;

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use stytch_sso_external::{Error, Outcome};

/// A problem to answer with.
#[derive(Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    retry_after: Option<Duration>,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem that its status says all about.
    pub(crate) fn bare(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { status, retry_after: None, members: Map::new() }
            .with("title", title)
            .with("detail", detail.into())
    }

    /// Nobody is logged in, or not any more.
    pub(crate) fn logged_out() -> Self {
        let detail = "Log in, then try again. Nothing was changed.";
        Self::named(StatusCode::UNAUTHORIZED, "logged-out", "You aren't logged in", detail)
            .with("outcome", "not_applied")
    }

    /// A problem with a type of its own, which programs can go by.
    fn named(status: StatusCode, name: &str, title: &str, detail: impl Into<String>) -> Self {
        Self::bare(status, detail).with("type", format!("{TYPES}{name}")).with("title", title)
    }

    fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Makes the body of an answer that is a problem; others stay as they are.
    ///
    /// It happens here at the edge, so that every problem has the request's id, whoever
    /// found it.
    pub(crate) fn rendered(mut response: Response, request_id: &str) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Self>() else {
            return response;
        };
        let status = problem.status.as_u16();
        let members = problem.with("status", status).with("request_id", request_id).members;
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        *response.body_mut() = Body::from(Value::Object(members).to_string());
        response
    }
}

/// An answer without a body, until [`Problem::rendered`] makes one.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.retry_after {
            // Rounded up: a caller that comes too early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // HTTP wants a challenge with each 401. None is registered for cookies.
            let challenge = HeaderValue::from_static("Stytch-Session");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let (outcome, what_became) = match error.outcome() {
            Outcome::NotApplied => ("not_applied", "Nothing was changed."),
            Outcome::Unknown => (
                "unknown",
                "The change may have been made all the same: look at the connection before you \
                 try again.",
            ),
            Outcome::Applied => {
                ("applied", "The change was made, but what came of it can't be shown.")
            }
        };
        let mut problem = what_happened(error);
        let detail = problem.members.get("detail").and_then(Value::as_str).unwrap_or_default();
        let detail = format!("{detail} {what_became}");
        problem = problem.with("detail", detail).with("outcome", outcome);
        if let Some(id) = error.request_id().and_then(plain) {
            problem = problem.with("stytch_request_id", id);
        }
        problem.retry_after = error.retry_after();
        problem
    }
}

fn what_happened(error: &Error) -> Problem {
    match error {
        Error::PermissionDenied { action, resource, .. } => denied(action, resource),
        Error::SessionInvalid(_) => Problem::logged_out().with("detail", "Log in, then try again."),
        // The same answer for both: nobody learns which ids other organizations have.
        Error::NotFound(_) | Error::OrganizationMismatch(_) => Problem::named(
            StatusCode::NOT_FOUND,
            "no-such-connection",
            "There is no such connection",
            "Your organization has no external connection of this id.",
        ),
        Error::RateLimited(_) => Problem::named(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many changes at once",
            "Wait a moment, then try again.",
        ),
        Error::InvalidUpdate(_) => Problem::named(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-update",
            "The change can't be made as it stands",
            what_is_wrong(error),
        ),
        Error::Api(_) | Error::UnexpectedResponse(_) => {
            let status = error.status().filter(|status| *status == StatusCode::SERVICE_UNAVAILABLE);
            let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
            upstream(status, "Stytch, which this service asks, gave no usable answer.")
        }
        Error::Transport(_) => upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "Stytch, which this service asks, can't be reached or didn't answer in time.",
        ),
        // Our configuration is wrong, or this crate has a new variant: not the caller's
        // business.
        _ => Problem::bare(StatusCode::INTERNAL_SERVER_ERROR, "Something is wrong on our side."),
    }
}

fn denied(action: &str, resource: &str) -> Problem {
    let detail = format!("Your roles don't allow the action {action} on the resource {resource}.");
    Problem::named(StatusCode::FORBIDDEN, "permission-denied", "You may not do this", detail)
        .with("action", action)
        .with("resource", resource)
}

fn upstream(status: StatusCode, detail: &str) -> Problem {
    Problem::named(status, "stytch-unavailable", "The change couldn't be made or confirmed", detail)
}

/// Says in words of ours what Stytch or the crate found wrong with an update.
fn what_is_wrong(error: &Error) -> String {
    if error.status().is_none() {
        // Refused before it was sent: then these are the crate's words, and nobody else's.
        return format!("It wasn't sent: {error}.");
    }
    let role = error.error_details().and_then(|details| details["role_id"].as_str());
    match error.error_type().unwrap_or_default() {
        "invalid_display_name" => "The name can't be used.".to_owned(),
        "external_connection_not_active" => "The connection isn't active.".to_owned(),
        "saml_connection_attribute_mapping_missing_groups_key" => {
            "Roles for groups need a `groups` key in the SAML connection's attribute mapping."
                .to_owned()
        }
        "invalid_rbac_role_assignment" | "invalid_rbac_role_id" | "invalid_role" => {
            match role.and_then(plain) {
                Some(role) => format!("The role {role} can't be assigned."),
                None => "One of the roles can't be assigned.".to_owned(),
            }
        }
        "cannot_assign_default_rbac_role_id" => "A default role can't be assigned.".to_owned(),
        _ => "Stytch doesn't take it.".to_owned(),
    }
}

/// Lets through what looks like an id, and nothing else that came from elsewhere.
pub(crate) fn plain(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (text.len() <= 128 && text.bytes().all(is_plain)).then_some(text)
}

/// What the types of problems start with. Take a domain of yours; nothing has to be there.
const TYPES: &str = "tag:example.com,2026:problem/";
