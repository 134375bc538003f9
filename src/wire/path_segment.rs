//! Ids that can stand in a URL as exactly one path segment.
//!
//! The type is the check: whoever holds a [`PathSegment`] can't leave the path it is put into.

use std::{ops::Deref, sync::Arc};

/// An id that stays one path segment once it is percent-encoded. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathSegment(Arc<str>);

impl PathSegment {
    /// Accepts an id that [`check`] accepts.
    pub(crate) fn new(id: &str) -> Result<Self, String> {
        check(id)?;
        Ok(Self(id.into()))
    }
}

/// Accepts visible ASCII without the characters that delimit a part of a URL, and neither `.` nor
/// `..`. The error completes a sentence such as "the connection id …".
///
/// URL parsers fold the segments `.` and `..` even where they are percent-encoded, and read a
/// backslash as a slash. A gateway may decode `%2F`, or drop what follows a semicolon.
pub(crate) fn check(id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err("is empty".to_owned());
    }
    if id == "." || id == ".." {
        return Err(format!("is `{id}`, which URL parsers resolve as a path"));
    }
    let is_allowed = |byte| {
        matches!(byte, b'!'..=b'~') && !matches!(byte, b'/' | b'\\' | b';' | b'%' | b'?' | b'#')
    };
    // No early return, so that the compiler checks many bytes at once.
    if !id.bytes().fold(true, |all, byte| all & is_allowed(byte)) {
        return Err(
            "contains one of / \\ ; % ? # or a character that is not visible ASCII".to_owned()
        );
    }
    if id.len() > MAX_BYTES {
        return Err(format!("has {} bytes; the limit is {MAX_BYTES}", id.len()));
    }
    Ok(())
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
