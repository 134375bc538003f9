//! Credentials as a type of their own, which nothing prints and which is zeroed in memory.

use std::{fmt, sync::Arc};

use aws_lc_rs::constant_time;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A session token or session JWT in a request or response of the
/// [`bindings`](crate::bindings).
///
/// `Debug` shows nothing of it; serializing it writes it. It is zeroed in memory when the last
/// clone is dropped.
#[derive(Clone)]
pub struct Credential(Arc<SecretString>);

impl Credential {
    /// Creates a credential from its text.
    pub fn new(credential: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::from(credential.into())))
    }

    /// Returns the credential. Whoever reads it can act as the member.
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// Shares the memory of the credential with a header value.
    pub(crate) fn share(&self) -> Bytes {
        Bytes::from_owner(Shared(self.clone()))
    }
}

struct Shared(Credential);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        let (own, other) = (self.expose_secret(), other.expose_secret());
        constant_time::verify_slices_are_equal(own.as_bytes(), other.as_bytes()).is_ok()
    }
}

impl Eq for Credential {}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// For the body of `sessions/authenticate`, the one request that carries a credential there.
impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
