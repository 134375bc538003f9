//! The types that stand in place of generated ones: credentials, which nothing prints and which are
//! zeroed in memory, and the roles of a member.

use std::{fmt, sync::Arc};

use aws_lc_rs::constant_time;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

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

/// The roles of a member: an array of role ids.
///
/// JSON of any other type decodes too, to roles that are [unknown](Self::ids): only a permission
/// check reads them, and nothing else may fail because of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MemberRoles(Option<Vec<String>>);

impl MemberRoles {
    /// Roles that a response doesn't contain.
    pub(crate) const UNKNOWN: Self = Self(None);

    /// Creates roles from their ids.
    pub fn new<R: Into<String>>(ids: impl IntoIterator<Item = R>) -> Self {
        Self(Some(ids.into_iter().map(Into::into).collect()))
    }

    /// Returns the role ids, or `None` if the JSON was not an array of strings.
    pub fn ids(&self) -> Option<&[String]> {
        self.0.as_deref()
    }
}

/// No roles: what a session JWT without the claim has.
impl Default for MemberRoles {
    fn default() -> Self {
        Self(Some(Vec::new()))
    }
}

impl<'de> Deserialize<'de> for MemberRoles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(serde_json::from_value(value).ok()))
    }
}
