//! The member session that a request acts for: a token or a JWT, printed by nothing.
//!
//! It doesn't check what a session is worth: `organization.rs` does.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock, OnceLock},
};

use aws_lc_rs::constant_time;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::COOKIE};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The session of a logged-in member, as a session token or a session JWT.
///
/// Cheap to clone: clones share the one copy of the credential that this crate keeps, which
/// is wiped from memory when the last one is gone. `Debug` shows the kind and nothing else.
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
    // Both cost about a microsecond, so they are made once.
    header: OnceLock<Option<SessionHeader>>,
    digest: OnceLock<SessionDigest>,
}

/// What a [`Session`] is made of.
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
    /// Takes a session token: the opaque string that Stytch calls `session_token`.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self::new(SessionKind::Token, Credential::new(token.into()))
    }

    /// Takes a session JWT: what Stytch calls `session_jwt`.
    ///
    /// It isn't checked here but when an organization is inferred from it.
    #[must_use]
    pub fn jwt(jwt: impl Into<String>) -> Self {
        Self::new(SessionKind::Jwt, Credential::new(jwt.into()))
    }

    pub(crate) fn new(kind: SessionKind, credential: Credential) -> Self {
        Self(Arc::new(Inner { kind, credential, header: OnceLock::new(), digest: OnceLock::new() }))
    }

    /// Finds the session of an incoming request: in the headers `X-Stytch-Member-SessionJWT`
    /// and `X-Stytch-Member-Session`, else in the cookies `stytch_session_jwt` and
    /// `stytch_session` that Stytch's frontend SDKs set by default.
    ///
    /// A JWT is taken before a token, because it needs no round trip to infer the
    /// organization, and a header before a cookie. Empty values count as absent. `None`
    /// means that nobody is logged in: there is nothing to call Stytch with.
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
        if let Some(jwt) = cookie(headers, "stytch_session_jwt") {
            return Some(Self::jwt(jwt));
        }
        cookie(headers, "stytch_session").map(Self::token)
    }

    /// Tells whether this is a token or a JWT.
    #[must_use]
    pub fn kind(&self) -> SessionKind {
        self.0.kind
    }

    /// Hands out the credential itself, for the one purpose of giving it back to the member:
    /// a renewed JWT goes into the session cookie. Whoever reads it acts as the member.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.credential.expose()
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.0.credential
    }

    /// The one header that carries this session, or `None` where no header can: HTTP takes
    /// neither control characters nor an empty credential.
    pub(crate) fn header(&self) -> Option<&SessionHeader> {
        let header =
            self.0.header.get_or_init(|| SessionHeader::new(self.0.kind, &self.0.credential));
        header.as_ref()
    }

    /// What stands for this session in a cache, where the credential itself must not be.
    pub(crate) fn digest(&self) -> SessionDigest {
        *self.0.digest.get_or_init(|| {
            // One key for two inputs, told apart by the number: two halves that tell nothing
            // of each other.
            let half = |number: u8| DIGEST.hash_one((number, self.0.credential.expose()));
            SessionDigest { kind: self.0.kind, digest: [half(0), half(1)] }
        })
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

/// Stands for a credential: it can be kept and compared, and tells nothing.
///
/// 128 bits of the standard library's hash for tables that attackers fill, under a key that is
/// random in each process and never leaves it. Nobody can look for two credentials with the
/// same digest without the key, and a guess is right once in 2^128. SHA-256 would need no key
/// and take more than twice as long, which is spent for each request that a service handles.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionDigest {
    kind: SessionKind,
    digest: [u64; 2],
}

/// A session as it stands in a request.
#[derive(Clone)]
pub(crate) struct SessionHeader {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

impl SessionHeader {
    fn new(kind: SessionKind, credential: &Credential) -> Option<Self> {
        let bytes: &[u8] = credential.as_ref();
        if bytes.is_empty() || bytes.len() > MAX_CREDENTIAL_BYTES {
            return None;
        }
        // Without an early end, which would keep the compiler from checking many at once.
        let visible = bytes.iter().fold(true, |all, byte| all & (0x21..=0x7e).contains(byte));
        if !visible {
            return None;
        }
        // The value borrows the credential's own memory: no copy that outlives the wiping.
        let mut value =
            HeaderValue::from_maybe_shared(Bytes::from_owner(credential.clone())).ok()?;
        value.set_sensitive(true);
        let name = match kind {
            SessionKind::Token => TOKEN_HEADER,
            SessionKind::Jwt => JWT_HEADER,
        };
        Some(Self { name, value })
    }
}

/// A session token or session JWT in a request or answer of the
/// [`bindings`](crate::bindings).
///
/// `Debug` shows nothing of it. It is wiped from memory when the last clone is gone.
#[derive(Clone)]
pub struct Credential(Arc<SecretString>);

impl Credential {
    /// Takes a credential.
    #[must_use]
    pub fn new(credential: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::from(credential.into())))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl AsRef<[u8]> for Credential {
    fn as_ref(&self) -> &[u8] {
        self.expose().as_bytes()
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.as_ref(), other.as_ref()).is_ok()
    }
}

impl Eq for Credential {}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// Goes into the JSON of `sessions/authenticate`, the one place where Stytch wants it in a
/// body.
impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        // Another cookie may hold what isn't ASCII; that must not hide the session.
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
        .map(|(key, value)| (key, value.trim_matches('"')))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

static DIGEST: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The header of a session token.
pub(crate) const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-stytch-member-session");
/// The header of a session JWT.
pub(crate) const JWT_HEADER: HeaderName = HeaderName::from_static("x-stytch-member-sessionjwt");
/// Longer than a session JWT with Stytch's 4 KB of custom claims, shorter than what servers
/// take as a header: a longer credential is refused before any work is done on it.
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
