//! The roles of a member, as a session JWT or `sessions/authenticate` contains them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

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
