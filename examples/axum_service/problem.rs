//! Maps errors to responses: problem details in JSON
//! ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
//!
//! They contain no text of Stytch or a gateway, and no cause of an internal error. The log
//! contains the cause.

use std::time::Duration;

use axum::{
    body::Body,
    extract::rejection::{JsonRejection, PathRejection},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use stytch_sso_external::{Error, ErrorKind, Outcome, types::UpdateExternalConnectionRequest};

/// A problem details response.
#[derive(Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    retry_after: Option<Duration>,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem without a type, which its status describes.
    pub(crate) fn bare(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { status, retry_after: None, members: Map::new() }
            .with("title", title)
            .with("detail", detail.into())
    }

    /// The request has no session, or an expired one.
    pub(crate) fn logged_out() -> Self {
        let title = "You are not logged in";
        Self::named(StatusCode::UNAUTHORIZED, "logged-out", title, "Log in and retry.")
            .with("outcome", "not_applied")
    }

    /// A problem with a type, which programs can match on.
    fn named(status: StatusCode, name: &str, title: &str, detail: impl Into<String>) -> Self {
        Self::bare(status, detail).with("type", format!("{TYPES}{name}")).with("title", title)
    }

    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Completes the problem of a change: whether it was applied, and which of its fields Stytch
    /// rejected.
    pub(crate) fn of_change(self, error: &Error, sent: &UpdateExternalConnectionRequest) -> Self {
        let (outcome, consequence) = match error.outcome() {
            Outcome::NotApplied => ("not_applied", "Nothing was changed."),
            Outcome::Unknown => (
                "unknown",
                "The change may have been applied: check the connection before you retry.",
            ),
            Outcome::Applied => {
                ("applied", "The change was applied, but its result can't be shown.")
            }
        };
        let detail = self.members.get("detail").and_then(Value::as_str).unwrap_or_default();
        let detail = format!("{detail} {consequence}");
        let problem = self.with("detail", detail).with("outcome", outcome);
        match rejected_field(error, sent) {
            Some(rejected) => problem.with("rejected", rejected),
            None => problem,
        }
    }

    /// Writes the body of a response that is a problem; returns others unchanged.
    ///
    /// A middleware calls it, so that every problem contains the request id.
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

/// A response without a body, until [`Problem::rendered`] writes one.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.retry_after {
            // Rounded up: a caller that retries too early is rate limited again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // HTTP requires a challenge with each 401. None is registered for cookies.
            let challenge = HeaderValue::from_static("Stytch-Session");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let mut problem = describe(error);
        if let Some(id) = error.request_id().and_then(plain) {
            problem = problem.with("stytch_request_id", id);
        }
        problem.retry_after = error.retry_after();
        problem
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bare(rejection.status(), rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    /// The parser's message is about the caller's own body.
    fn from(rejection: JsonRejection) -> Self {
        Self::bare(rejection.status(), rejection.body_text())
    }
}

fn describe(error: &Error) -> Problem {
    match error.kind() {
        ErrorKind::PermissionDenied { action, resource } => denied(action, resource),
        ErrorKind::InvalidSession => Problem::logged_out(),
        // The same response for both, so that it doesn't reveal which ids exist elsewhere.
        ErrorKind::NotFound | ErrorKind::OrganizationMismatch => Problem::named(
            StatusCode::NOT_FOUND,
            "no-such-connection",
            "There is no such connection",
            "Your organization has no external connection with this id.",
        ),
        ErrorKind::RateLimited => Problem::named(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many requests",
            "Wait a moment and retry.",
        ),
        ErrorKind::InvalidRequest => Problem::named(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-update",
            "The change is invalid",
            explain(error),
        ),
        ErrorKind::Api | ErrorKind::UnexpectedResponse => {
            let status = error.status().filter(|status| *status == StatusCode::SERVICE_UNAVAILABLE);
            let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
            upstream(status, "Stytch returned an error or an unusable response.")
        }
        ErrorKind::Transport => upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "Stytch can't be reached or did not respond in time.",
        ),
        // A wrong configuration of this service, or a new variant of the crate: internal.
        _ => Problem::bare(StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred."),
    }
}

fn denied(action: &str, resource: &str) -> Problem {
    let detail = format!("Your roles do not grant the action {action} on the resource {resource}.");
    Problem::named(StatusCode::FORBIDDEN, "permission-denied", "Permission denied", detail)
        .with("action", action)
        .with("resource", resource)
}

fn upstream(status: StatusCode, detail: &str) -> Problem {
    Problem::named(status, "stytch-unavailable", "Stytch is unavailable", detail)
}

/// Explains why Stytch or the crate rejected an update.
fn explain(error: &Error) -> String {
    if error.status().is_none() {
        // Rejected before it was sent: the reason contains no text of Stytch.
        return format!("The request was not sent: {}.", error.reason());
    }
    let role = error.error_details().and_then(|details| details["role_id"].as_str());
    match error.error_type().unwrap_or_default() {
        "invalid_display_name" => "The display name is invalid.".to_owned(),
        "external_connection_not_active" => "The connection is not active.".to_owned(),
        "saml_connection_attribute_mapping_missing_groups_key" => {
            "Group roles need a `groups` key in the attribute mapping of the SAML connection."
                .to_owned()
        }
        "invalid_rbac_role_assignment" | "invalid_rbac_role_id" | "invalid_role" => {
            match role.and_then(plain) {
                Some(role) => format!("The role {role} can't be assigned."),
                None => "One of the roles can't be assigned.".to_owned(),
            }
        }
        "cannot_assign_default_rbac_role_id" => "A default role can't be assigned.".to_owned(),
        _ => "Stytch rejected the change.".to_owned(),
    }
}

/// Returns the field that Stytch rejected, and for a role its values, which Stytch describes by
/// the name of the list and the position in it.
fn rejected_field(error: &Error, sent: &UpdateExternalConnectionRequest) -> Option<Value> {
    if error.error_type() == Some("invalid_display_name") {
        return Some(json!({"field": "display_name"}));
    }
    let details = error.error_details()?;
    let position = usize::try_from(details["position"].as_u64()?).ok()?;
    match details["field"].as_str()? {
        "external_connection_implicit_role_assignments" => {
            let roles = sent.external_connection_implicit_role_assignments.as_ref()?;
            let role_id = &roles.get(position)?.role_id;
            Some(json!({"field": "connection_roles", "role_id": role_id}))
        }
        "external_group_implicit_role_assignments" => {
            let roles = sent.external_group_implicit_role_assignments.as_ref()?;
            let role = roles.get(position)?;
            Some(json!({"field": "group_roles", "group": role.group, "role_id": role.role_id}))
        }
        _ => None,
    }
}

/// Returns text of Stytch only if it looks like an id.
pub(crate) fn plain(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (text.len() <= 128 && text.bytes().all(is_plain)).then_some(text)
}

/// The prefix of problem types. Use a domain of your own; the URIs don't have to resolve.
const TYPES: &str = "tag:example.com,2026:problem/";
