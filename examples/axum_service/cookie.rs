//! The session cookies of Stytch's frontend SDKs.

use axum::http::HeaderValue;

use crate::origin::Origin;

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
