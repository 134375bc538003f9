//! The operations of Stytch's API and the permissions they require, generated from the OpenAPI
//! document, and the ids in their paths. No other file contains operation ids, methods or paths.
//!
//! [`PathSegment`] is the check of an id: whoever holds one can't leave the path it is put into.

use std::{fmt, ops::Deref, sync::Arc};

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

/// An id that stays one path segment once it is percent-encoded. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathSegment(Arc<str>);

impl PathSegment {
    /// Accepts an id that [`check_id`] accepts.
    pub(crate) fn new(id: &str) -> Result<Self, String> {
        check_id(id)?;
        Ok(Self(id.into()))
    }
}

/// Accepts visible ASCII without the characters that delimit a part of a URL, and neither `.` nor
/// `..`. The error completes a sentence such as "the connection id …".
///
/// URL parsers fold the segments `.` and `..` even where they are percent-encoded, and read a
/// backslash as a slash. A gateway may decode `%2F`, or drop what follows a semicolon.
pub(crate) fn check_id(id: &str) -> Result<(), String> {
    let is_allowed = |byte| {
        matches!(byte, b'!'..=b'~') && !matches!(byte, b'/' | b'\\' | b';' | b'%' | b'?' | b'#')
    };
    // No early return, so that the compiler checks many bytes at once.
    let are_allowed = || id.bytes().fold(true, |all, byte| all & is_allowed(byte));
    Err(match id {
        "" => "is empty".to_owned(),
        "." | ".." => format!("is `{id}`, which URL parsers resolve as a path"),
        _ if !are_allowed() => {
            "contains one of / \\ ; % ? # or a character that is not visible ASCII".to_owned()
        }
        _ if id.len() > MAX_BYTES => format!("has {} bytes; the limit is {MAX_BYTES}", id.len()),
        _ => return Ok(()),
    })
}

impl Deref for PathSegment {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Ten times the longest id that Stytch documents, and far below the length at which a URL
/// can't be sent.
const MAX_BYTES: usize = 1024;
