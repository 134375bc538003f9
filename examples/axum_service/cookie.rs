//! The session cookies of Stytch's frontend SDKs, which a renewed JWT is written to.

use axum::http::{HeaderMap, HeaderValue};
use stytch_sso_external::{Session, SessionKind};

use crate::origin::Origin;

/// Returns the `Set-Cookie` of a session JWT that was renewed during a request, or `None` if it
/// wasn't renewed.
///
/// `None` too if the request carried the session in a header: the caller stores it elsewhere.
pub(crate) fn renewed(
    presented: &Session,
    in_use: &Session,
    headers: &HeaderMap,
    origin: &Origin,
) -> Option<HeaderValue> {
    let is_from_header = SESSION_HEADERS.iter().any(|name| headers.contains_key(*name));
    if is_from_header || in_use == presented || in_use.kind() != SessionKind::Jwt {
        return None;
    }
    set(JWT, in_use.expose_secret(), origin)
}

/// Returns a `Set-Cookie` for this host.
///
/// Use the attributes that your login sets, `Domain` included: otherwise the browser keeps two
/// cookies of the same name. Stytch's frontend SDKs write these cookies with a script by default, and
/// can't replace an `HttpOnly` one at the next login; add `HttpOnly` only if Stytch sets it. Without
/// `Max-Age` the browser keeps the cookie until it is closed; Stytch decides when the session expires.
pub(crate) fn set(name: &str, value: &str, origin: &Origin) -> Option<HeaderValue> {
    // Base64url and dots only: no character that ends the value and adds an attribute.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !value.bytes().all(is_plain) {
        return None;
    }
    let secure = if origin.is_https() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; SameSite=Lax{secure}");
    let mut cookie = HeaderValue::from_str(&cookie).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

pub(crate) const JWT: &str = "stytch_session_jwt";
pub(crate) const TOKEN: &str = "stytch_session";
const SESSION_HEADERS: [&str; 2] = ["x-stytch-member-sessionjwt", "x-stytch-member-session"];
