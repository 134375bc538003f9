//! Maps errors to responses: problem details in JSON
//! ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
//!
//! They contain no text of Stytch or a gateway, and no cause of an internal error. The log
//! contains the cause.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
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
    pub(crate) detail: String,
    /// In seconds.
    retry_after: Option<u64>,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem without a type, which its status describes.
    pub(crate) fn bare(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let (detail, members) = (detail.into(), Map::new());
        Self { status, detail, retry_after: None, members }.with("title", title)
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
    pub(crate) fn of_change(
        mut self,
        error: &Error,
        sent: &UpdateExternalConnectionRequest,
    ) -> Self {
        let (outcome, consequence) = match error.outcome() {
            Outcome::NotApplied => ("not_applied", "Nothing was changed."),
            Outcome::Unknown => ("unknown", MAY_BE_APPLIED),
            Outcome::Applied => ("applied", "The change was applied, but can't be shown."),
        };
        self.detail = format!("{} {consequence}", self.detail);
        self.members.extend(rejected_field(error, sent).map(|field| ("rejected".into(), field)));
        self.with("outcome", outcome)
    }

    /// Writes the body of a response that is a problem or a rejection by axum, whose text is
    /// about the caller's own request; returns others unchanged.
    ///
    /// A middleware calls it, so that every problem contains the request id.
    pub(crate) async fn rendered(mut response: Response, request_id: &str) -> Response {
        if !response.status().is_client_error() && !response.status().is_server_error() {
            return response;
        }
        let problem = response.extensions_mut().remove::<Self>();
        let (mut parts, body) = response.into_parts();
        let text = to_bytes(body, MAX_TEXT_BYTES).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let problem = problem.unwrap_or_else(|| Self::bare(parts.status, text));
        let (status, detail) = (parts.status.as_u16(), problem.detail.clone());
        let problem = problem.with("status", status).with("detail", detail);
        let members = problem.with("request_id", request_id).members;
        parts.headers.remove(CONTENT_LENGTH);
        let json = HeaderValue::from_static("application/problem+json");
        parts.headers.insert(CONTENT_TYPE, json);
        Response::from_parts(parts, Body::from(Value::Object(members).to_string()))
    }
}

/// A response without a body, until [`Problem::rendered`] writes one.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
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
        // Rounded up: a caller that retries too early is rate limited again.
        let round_up = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        problem.retry_after = error.retry_after().map(round_up);
        problem
    }
}

fn describe(error: &Error) -> Problem {
    let status = error.kind().response_status();
    let not_sent = if error.status().is_none() { "The request was not sent: " } else { "" };
    let reason = format!("{not_sent}{}.", error.reason());
    let (name, title, detail) = match error.kind() {
        ErrorKind::InvalidSession => return Problem::logged_out(),
        ErrorKind::PermissionDenied { .. } => ("permission-denied", "Permission denied", ""),
        // The same response for both, so that it doesn't reveal which ids exist elsewhere.
        ErrorKind::NotFound | ErrorKind::OrganizationMismatch => {
            let detail = "Your organization has no external connection with this id.";
            ("no-such-connection", "There is no such connection", detail)
        }
        ErrorKind::RateLimited => ("rate-limited", "Too many requests", "Wait a moment and retry."),
        ErrorKind::InvalidRequest => ("invalid-update", "The change is invalid", &*reason),
        ErrorKind::Api | ErrorKind::UnexpectedResponse | ErrorKind::Transport => {
            let detail = "Stytch can't be reached, or did not return a usable response in time.";
            ("stytch-unavailable", "Stytch is unavailable", detail)
        }
        // A wrong configuration of this service, or a new variant of the crate: internal.
        _ => return Problem::bare(status, "An internal error occurred."),
    };
    Problem::named(status, name, title, detail)
}

/// Returns the field that Stytch rejected, and for a role its values, which Stytch describes by
/// the name of the list and the position in it.
fn rejected_field(error: &Error, sent: &UpdateExternalConnectionRequest) -> Option<Value> {
    if error.error_type() == Some("invalid_display_name") {
        return Some(json!({"field": "display_name"}));
    }
    let details = error.error_details()?;
    let (list, position) = (details["field"].as_str()?, details["position"].as_u64()?);
    let sent = serde_json::to_value(sent).ok()?;
    let role = sent.get(list)?.get(usize::try_from(position).ok()?)?;
    Some(json!({"field": list, "group": role.get("group"), "role_id": role.get("role_id")}))
}

/// Returns text of Stytch only if it looks like an id.
pub(crate) fn plain(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (text.len() <= 128 && text.bytes().all(is_plain)).then_some(text)
}

const MAY_BE_APPLIED: &str =
    "The change may have been applied: check the connection before you retry.";
const MAX_TEXT_BYTES: usize = 1024;
/// The prefix of problem types. Use a domain of your own; the URIs don't have to resolve.
const TYPES: &str = "tag:example.com,2026:problem/";
