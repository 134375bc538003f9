//! The origin of the service, and the protection against cross-site request forgery.
//!
//! Browsers attach cookies to requests that a page of another site sends. Three checks prevent
//! such a page from changing a connection:
//! - `SameSite` on the cookies, which doesn't cover other hosts of the same site;
//! - the content type must be `application/json`, which no HTML form can send, and which a
//!   script of another origin can send only after a preflight that this service rejects;
//! - the headers `Sec-Fetch-Site` and `Origin`, which the browser sets and a page can't change,
//!   must name this service. Both are checked, because a host name that resolves to this
//!   service (DNS rebinding) counts as the same origin in the first.
//!
//! A client that sends neither header is not a browser and attaches no cookies of others.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header::ORIGIN},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{problem::Problem, routes::Service};

/// The origin of the service in browsers: https, or http on loopback.
pub(crate) struct Origin {
    text: String,
    is_https: bool,
}

impl Origin {
    /// Returns the given origin, or the one of a loopback address.
    pub(crate) fn new(given: Option<&str>, address: SocketAddr) -> Result<Self, String> {
        let own = address.ip().is_loopback().then(|| format!("http://{address}"));
        let given = given.map(str::to_ascii_lowercase).or(own);
        let given = given.ok_or("--origin is required: the address is not a loopback address")?;
        // As browsers send it: without the default port.
        let text = given.trim_end_matches('/');
        let default_port = if text.starts_with("https:") { ":443" } else { ":80" };
        let text = text.strip_suffix(default_port).unwrap_or(text).to_owned();
        let uri: Uri = text.parse().map_err(|_| format!("{text} is not an origin"))?;
        let host = uri.host().unwrap_or_default();
        let is_https = uri.scheme_str() == Some("https");
        let is_http_here = uri.scheme_str() == Some("http") && is_loopback(host);
        let is_origin = uri.path() == "/" && uri.query().is_none() && !text.contains('@');
        // Cookies over plain http can be read on the network.
        if !is_origin || !(is_https || is_http_here) {
            return Err(format!("{text} is neither an https origin nor http on loopback"));
        }
        Ok(Self { text, is_https })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let is = |name: &str, wanted: &str| {
            headers.get_all(name).iter().all(|value| value.as_bytes() == wanted.as_bytes())
        };
        is("sec-fetch-site", "same-origin") && is(ORIGIN.as_str(), &self.text)
    }
}

/// Rejects requests of pages of another origin, except reads.
pub(crate) async fn guard(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if reads || service.origin.admits(request.headers()) {
        return next.run(request).await;
    }
    let detail = format!("Only pages of {} may send changes.", service.origin.as_str());
    Problem::bare(StatusCode::FORBIDDEN, detail).into_response()
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
