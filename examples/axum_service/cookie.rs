//! The cookies that Stytch's frontend SDKs keep a session in: a renewed JWT goes back there.

use axum::http::{HeaderMap, HeaderValue};
use stytch_sso_external::{Session, SessionKind};

use crate::origin::Origin;

/// The `Set-Cookie` for a session JWT that was renewed while a request was served, or `None`
/// where the session is the one that came.
///
/// A caller who sent a header gets none: it keeps its session elsewhere.
pub(crate) fn renewed(
    presented: &Session,
    in_use: &Session,
    headers: &HeaderMap,
    origin: &Origin,
) -> Option<HeaderValue> {
    let came_by_header = SESSION_HEADERS.iter().any(|name| headers.contains_key(*name));
    if came_by_header || in_use == presented || in_use.kind() != SessionKind::Jwt {
        return None;
    }
    set(JWT, in_use.expose_secret(), origin)
}

/// A cookie that no script reads, sent to this host alone.
///
/// Where your login sets the cookies with a `Domain`, add the same one here: otherwise the
/// browser keeps two of the same name. Without `Max-Age` it lives until the browser closes;
/// when the session ends is Stytch's to say.
pub(crate) fn set(name: &str, value: &str, origin: &Origin) -> Option<HeaderValue> {
    // Base64url and dots: nothing that could end the value and add an attribute.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !value.bytes().all(is_plain) {
        return None;
    }
    let secure = if origin.is_https() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}");
    let mut cookie = HeaderValue::from_str(&cookie).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

pub(crate) const JWT: &str = "stytch_session_jwt";
pub(crate) const TOKEN: &str = "stytch_session";
const SESSION_HEADERS: [&str; 2] = ["x-stytch-member-sessionjwt", "x-stytch-member-session"];
