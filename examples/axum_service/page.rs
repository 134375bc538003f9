//! The page to see and edit connections: one file without a framework.
//!
//! It inserts text of a response only as text, never as HTML. As a second defense, the content
//! security policy allows no other script.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, header::CONTENT_SECURITY_POLICY},
    response::Html,
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::routes::Service;

pub(crate) fn router() -> Router<Service> {
    // Blocks everything, so that a missing digest breaks the page visibly.
    let policy = policy().unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let page = move || async move { ([(CONTENT_SECURITY_POLICY, policy)], Html(PAGE)) };
    Router::new().route("/", get(page)).route("/setup", get(setup))
}

/// `GET /setup`: where members log in, and whether the page offers the logins of the fake.
async fn setup(State(service): State<Service>) -> Json<Value> {
    Json(json!({"fake": service.fake.is_some(), "login_url": service.login_url}))
}

/// Allows the page's own script and style by their digests, and requests to this service.
fn policy() -> Option<HeaderValue> {
    let digest = |start: &str, end: &str| {
        let (_, rest) = PAGE.split_once(start)?;
        let (text, _) = rest.split_once(end)?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        Some(format!("'sha256-{}'", BASE64_STANDARD.encode(digest)))
    };
    let (script, style) = (digest("<script>", "</script>")?, digest("<style>", "</style>")?);
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src {style}; img-src data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

const PAGE: &str = include_str!("page.html");
