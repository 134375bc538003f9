//! The page on which people edit a connection.
//!
//! It is one file without a framework. What a server says gets into it as text, never as
//! HTML; should that ever fail, the content security policy lets no other script run.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, header::CONTENT_SECURITY_POLICY},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::routes::Service;

pub(crate) fn router() -> Router<Service> {
    let policy = policy();
    let page = move || async move { page(policy) };
    Router::new().route("/", get(page)).route("/setup", get(setup))
}

fn page(policy: Option<HeaderValue>) -> Response {
    let mut response = Html(PAGE).into_response();
    // Without one, nothing may run: a page that does nothing is seen at once.
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// What the page has to know: who can be tried in the stand-in, or that there is none.
async fn setup(State(service): State<Service>) -> Json<Value> {
    Json(json!({"stand_in": service.stand_in.as_ref().map(|stand_in| stand_in.setup())}))
}

/// Lets the page's own script and style run, by their digests, and speak to this service.
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
