//! Where browsers reach the service, and which pages may send it a change.
//!
//! A cookie goes along with whatever a page of another site sends (cross-site request
//! forgery). Three things keep such a page from changing a connection:
//! - `SameSite` on the cookies, which leaves out other hosts of the same site;
//! - the body must say `application/json`, which no HTML form can, and for which a script of
//!   another origin has to ask first: this service never answers that it may;
//! - what browsers themselves say of the sender, in `Sec-Fetch-Site` and `Origin`, must name
//!   this service. A page can't change these headers. Both are looked at, because a host name
//!   that is made to lead here (DNS rebinding) counts as the same origin in the first.
//!
//! A caller without both isn't a browser: nobody's cookies go along with it.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header::ORIGIN},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{problem::Problem, routes::Service};

/// The origin at which browsers reach the service: https, or http on loopback.
pub(crate) struct Origin {
    text: String,
    is_https: bool,
}

impl Origin {
    /// Takes the origin that is given, else that of the address.
    pub(crate) fn new(given: Option<&str>, address: SocketAddr) -> Result<Self, String> {
        let text = match given {
            Some(given) => given.trim_end_matches('/').to_ascii_lowercase(),
            None if address.ip().is_loopback() => format!("http://{address}"),
            None => {
                return Err("--origin is needed: browsers can't reach this address".to_owned());
            }
        };
        let uri: Uri = text.parse().map_err(|_| format!("{text} is no origin"))?;
        let host = uri.host().unwrap_or_default();
        let is_https = uri.scheme_str() == Some("https");
        let is_http_here = uri.scheme_str() == Some("http") && is_loopback(host);
        let is_origin = uri.path() == "/" && uri.query().is_none() && !text.contains('@');
        // Cookies in the clear can be read on the way.
        if !is_origin || !(is_https || is_http_here) {
            return Err(format!("{text} is no https origin, nor http on loopback"));
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

/// Refuses what a page of another origin sends, but for requests that only read.
pub(crate) async fn guard(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if reads || service.origin.admits(request.headers()) {
        return next.run(request).await;
    }
    let detail = format!("Changes are taken from pages of {} alone.", service.origin.as_str());
    Problem::bare(StatusCode::FORBIDDEN, detail).into_response()
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
