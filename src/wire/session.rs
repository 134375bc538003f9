//! The member session that a request acts for: a token or a JWT, which nothing prints.
//!
//! It doesn't validate a session: `organization.rs` does.

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use aws_lc_rs::digest;
use http::{HeaderMap, HeaderName, HeaderValue, header::COOKIE};

use super::credential::Credential;

/// The session of a logged-in member, as a session token or a session JWT.
///
/// Cheap to clone: clones share the one copy of the credential that this crate keeps, which
/// is zeroed in memory when the last one is dropped. `Debug` shows the kind and nothing else.
///
/// ```
/// use stytch_sso_external::Session;
///
/// let session = Session::token("WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY");
/// assert_eq!(format!("{session:?}"), "Session(token)");
/// ```
///
/// Sessions compare equal when kind and credential are the same; the comparison takes the
/// same time wherever two credentials of one length differ.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    kind: SessionKind,
    credential: Credential,
    /// `None` if no header can contain the credential.
    header: Option<SessionHeader>,
    /// Takes a microsecond, so it is computed once, and only for a session that is resolved.
    digest: OnceLock<SessionDigest>,
}

/// The kind of a [`Session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionKind {
    /// An opaque session token, which lives as long as the session.
    Token,
    /// A session JWT, which Stytch signs for five minutes
    /// ([reference](https://stytch.com/docs/b2b/guides/sessions/resources/using-jwts)).
    Jwt,
}

impl Session {
    /// Creates a session from a session token, Stytch's opaque `session_token`.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self::new(SessionKind::Token, Credential::new(token.into()))
    }

    /// Creates a session from a session JWT, Stytch's `session_jwt`.
    ///
    /// It isn't verified here, but with the first call.
    #[must_use]
    pub fn jwt(jwt: impl Into<String>) -> Self {
        Self::new(SessionKind::Jwt, Credential::new(jwt.into()))
    }

    pub(crate) fn new(kind: SessionKind, credential: Credential) -> Self {
        let header = SessionHeader::new(kind, &credential);
        Self(Arc::new(Inner { kind, credential, header, digest: OnceLock::new() }))
    }

    /// Reads the session of an incoming request: in the headers `X-Stytch-Member-SessionJWT`
    /// and `X-Stytch-Member-Session`, else in the cookies `stytch_session_jwt` and
    /// `stytch_session` that Stytch's frontend SDKs set by default.
    ///
    /// The first of these that is present wins: the JWT header, the token header, the JWT
    /// cookie, the token cookie. A JWT comes before a token because resolving its organization
    /// needs no request. Empty values count as absent. `None` means that nobody is logged in.
    /// For cookies of other names see [`SessionCookies`].
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::COOKIE};
    /// use stytch_sso_external::{Session, SessionKind};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert(COOKIE, HeaderValue::from_static("theme=dark; stytch_session=WJtR5BCy38S"));
    /// let session = Session::from_headers(&headers).unwrap();
    /// assert_eq!(session.kind(), SessionKind::Token);
    /// assert!(Session::from_headers(&HeaderMap::new()).is_none());
    /// ```
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        // Faster than `to_str`, which looks at each byte by itself: a JWT has 1,500.
        let header = |name: &HeaderName| {
            let value = std::str::from_utf8(headers.get(name)?.as_bytes()).ok()?;
            (value.is_ascii() && !value.is_empty()).then_some(value)
        };
        if let Some(jwt) = header(&JWT_HEADER) {
            return Some(Self::jwt(jwt));
        }
        if let Some(token) = header(&TOKEN_HEADER) {
            return Some(Self::token(token));
        }
        SessionCookies::new("stytch_session_jwt", "stytch_session").session(headers)
    }

    /// Returns whether this is a token or a JWT.
    #[must_use]
    pub fn kind(&self) -> SessionKind {
        self.0.kind
    }

    /// Returns the credential, to set the session cookie to a renewed JWT. Whoever reads it can
    /// act as the member.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.credential.expose_secret()
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.0.credential
    }

    /// The one header that carries this session, or `None` if it is empty, longer than 16 KiB, or
    /// has other characters than visible ASCII.
    pub(crate) fn header(&self) -> Option<&SessionHeader> {
        self.0.header.as_ref()
    }

    /// The key of this session in a cache, which never contains the credential itself.
    pub(crate) fn digest(&self) -> SessionDigest {
        *self.0.digest.get_or_init(|| SessionDigest::new(self.0.kind, &self.0.credential))
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind && self.0.credential == other.0.credential
    }
}

impl Eq for Session {}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.kind {
            SessionKind::Token => "Session(token)",
            SessionKind::Jwt => "Session(jwt)",
        })
    }
}

/// Identifies a session in caches without its credential: the kind, and the SHA-256 digest of the
/// whole credential.
///
/// A cache hit supplies an organization and a session header, so it rests on a collision-free
/// hash of all of the credential: a digest of a JWT's signature alone would let a forged
/// payload hit the entry of the genuine JWT.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionDigest {
    kind: SessionKind,
    sha256: [u8; digest::SHA256_OUTPUT_LEN],
}

impl SessionDigest {
    fn new(kind: SessionKind, credential: &Credential) -> Self {
        let digest = digest::digest(&digest::SHA256, credential.expose_secret().as_bytes());
        let mut sha256 = [0; digest::SHA256_OUTPUT_LEN];
        sha256.copy_from_slice(digest.as_ref());
        Self { kind, sha256 }
    }
}

/// Hashes 8 bytes of the digest, which are uniformly distributed; `Eq` compares all of it.
impl Hash for SessionDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (first, _) = self.sha256.split_at(8);
        state.write(first);
    }
}

/// The request header that carries a session.
#[derive(Clone)]
pub(crate) struct SessionHeader {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

impl SessionHeader {
    fn new(kind: SessionKind, credential: &Credential) -> Option<Self> {
        let bytes = credential.expose_secret().as_bytes();
        if bytes.is_empty() || bytes.len() > MAX_CREDENTIAL_BYTES {
            return None;
        }
        // No early return, which would keep the compiler from checking many bytes at once.
        let visible = bytes.iter().fold(true, |all, byte| all & (0x21..=0x7e).contains(byte));
        if !visible {
            return None;
        }
        // The value shares the credential's memory: no copy outlives the zeroing.
        let mut value = HeaderValue::from_maybe_shared(credential.share()).ok()?;
        value.set_sensitive(true);
        let name = match kind {
            SessionKind::Token => TOKEN_HEADER,
            SessionKind::Jwt => JWT_HEADER,
        };
        Some(Self { name, value })
    }
}

/// Reads sessions from cookies of custom names.
///
/// For applications that configure their Stytch frontend SDK with other cookie names than
/// `stytch_session_jwt` and `stytch_session`. Reads cookies only; headers are ignored.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::COOKIE};
/// use stytch_sso_external::{SessionCookies, SessionKind};
///
/// let cookies = SessionCookies::new("acme_jwt", "acme_token");
/// let mut headers = HeaderMap::new();
/// headers.insert(COOKIE, HeaderValue::from_static("theme=dark; acme_token=WJtR5BCy38S"));
/// assert_eq!(cookies.session(&headers).unwrap().kind(), SessionKind::Token);
/// assert!(cookies.session(&HeaderMap::new()).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct SessionCookies {
    jwt_name: Cow<'static, str>,
    token_name: Cow<'static, str>,
}

impl SessionCookies {
    /// Names the cookie of the session JWT and that of the session token.
    #[must_use]
    pub fn new(
        jwt_name: impl Into<Cow<'static, str>>,
        token_name: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { jwt_name: jwt_name.into(), token_name: token_name.into() }
    }

    /// Returns the session in the cookies of a request: the JWT if there is one, else the
    /// token. Empty values count as absent.
    #[must_use]
    pub fn session(&self, headers: &HeaderMap) -> Option<Session> {
        cookie(headers, &self.jwt_name)
            .map(Session::jwt)
            .or_else(|| cookie(headers, &self.token_name).map(Session::token))
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        // Another cookie may be no text; that must not hide the session.
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
        .map(|(key, value)| (key, value.trim_matches('"')))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// The header of a session token.
pub(crate) const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-stytch-member-session");
/// The header of a session JWT.
pub(crate) const JWT_HEADER: HeaderName = HeaderName::from_static("x-stytch-member-sessionjwt");
/// Longer than a session JWT with Stytch's 4 KB of custom claims, shorter than what servers
/// accept as a header: a longer credential is rejected before any work is done on it.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_and_jwt_of_the_same_text_are_two_sessions() {
        let (token, jwt) = (Session::token("text"), Session::jwt("text"));
        assert!(token.digest() != jwt.digest());
        assert!(token.digest() == Session::token("text").digest());
        assert!(token != jwt);
    }

    #[test]
    fn header_of_a_session_is_sensitive() {
        assert!(Session::token("text").header().unwrap().value.is_sensitive());
    }
}
