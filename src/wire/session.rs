//! The member session that a request acts for: a token or a JWT, which nothing prints.
//!
//! It doesn't validate a session: `organization/resolve.rs` does.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::digest;
use http::{HeaderName, HeaderValue};

use super::replacements::Credential;

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
    pub fn token(token: impl Into<String>) -> Self {
        Self::new(SessionKind::Token, Credential::new(token.into()))
    }

    /// Creates a session from a session JWT, Stytch's `session_jwt`.
    ///
    /// It isn't verified here, but with the first call.
    pub fn jwt(jwt: impl Into<String>) -> Self {
        Self::new(SessionKind::Jwt, Credential::new(jwt.into()))
    }

    pub(crate) fn new(kind: SessionKind, credential: Credential) -> Self {
        let header = header(kind, &credential);
        Self(Arc::new(Inner { kind, credential, header, digest: OnceLock::new() }))
    }

    /// Returns whether this is a token or a JWT.
    pub fn kind(&self) -> SessionKind {
        self.0.kind
    }

    /// Returns the credential, to set the session cookie to a renewed JWT. Whoever reads it can
    /// act as the member.
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
        *self.0.digest.get_or_init(|| {
            let mut sha256 = digest::Context::new(&digest::SHA256);
            sha256.update(&[self.0.kind as u8]);
            sha256.update(self.expose_secret().as_bytes());
            let mut bytes = SessionDigest::default();
            bytes.copy_from_slice(sha256.finish().as_ref());
            bytes
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

/// Identifies a session in caches without its credential: the SHA-256 digest of the kind and the
/// whole credential.
///
/// A cache hit supplies an organization and a session header, so it rests on a collision-free
/// hash of all of the credential: a digest of a JWT's signature alone would let a forged
/// payload hit the entry of the genuine JWT.
pub(crate) type SessionDigest = [u8; digest::SHA256_OUTPUT_LEN];

/// The request header that carries a session.
pub(crate) type SessionHeader = (HeaderName, HeaderValue);

fn header(kind: SessionKind, credential: &Credential) -> Option<SessionHeader> {
    let bytes = credential.expose_secret().as_bytes();
    // No early return, which would keep the compiler from checking many bytes at once.
    let is_visible = || bytes.iter().fold(true, |all, byte| all & (0x21..=0x7e).contains(byte));
    if bytes.is_empty() || bytes.len() > MAX_CREDENTIAL_BYTES || !is_visible() {
        return None;
    }
    // The value shares the credential's memory: no copy outlives the zeroing.
    let mut value = HeaderValue::from_maybe_shared(credential.share()).ok()?;
    value.set_sensitive(true);
    let name = match kind {
        SessionKind::Token => TOKEN_HEADER,
        SessionKind::Jwt => JWT_HEADER,
    };
    Some((name, value))
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
        assert!(Session::token("text").header().unwrap().1.is_sensitive());
    }
}
