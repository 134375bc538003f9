//! The middleware of every request: an id, a span, a log line, and headers of the response.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use crate::problem::Problem;

/// Assigns an id to a request, which the log and the response contain.
pub(crate) async fn record(request: Request, next: Next) -> Response {
    let id = format!("{:032x}", fastrand::u128(..));
    // The route, not the path: an id in the path is untrusted.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let start = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = Problem::rendered(response, &id).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let (status, elapsed) = (response.status().as_u16(), start.elapsed());
    span.in_scope(|| tracing::info!(status, ?elapsed, "responded"));
    response
}
