//! The operations of Stytch's API and the permissions they require, generated from the OpenAPI
//! document. No other file contains operation ids, methods or paths.

use std::fmt;

/// A permission of Stytch's RBAC: an action on a resource.
///
/// Obtained from [`Operation::permission`]. Resources and actions are Stytch's
/// ([reference](https://stytch.com/docs/b2b/guides/rbac/stytch-default)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Permission {
    /// The resource, for example `stytch.sso`.
    pub resource: &'static str,
    /// The action, for example `update`.
    pub action: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/operations.rs"));

impl Operation {
    /// Whether the operation can change anything at Stytch that a caller asked for: only one
    /// that acts for a member and is not a GET.
    pub(crate) fn is_change(self) -> bool {
        self.carries_member_session() && self.method() != http::Method::GET
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
