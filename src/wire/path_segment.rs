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

/// Accepts any opaque id except those that a URL parser would interpret. The error completes a
/// sentence such as "the connection id …".
///
/// URL parsers fold the segments `.` and `..` even where they are percent-encoded, and read a
/// backslash as a slash. They drop tabs and line breaks.
pub(crate) fn check(id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err("is empty".to_owned());
    }
    if id == "." || id == ".." {
        return Err(format!("is `{id}`, which URL parsers resolve as a path"));
    }
    // Nearly every id is ASCII, where many bytes are checked at once: no early return.
    let has_rejected = if id.is_ascii() {
        id.bytes().fold(false, |any, byte| any | matches!(byte, b'\\' | ..=0x1f | 0x7f))
    } else {
        id.chars().any(|character| character == '\\' || character.is_control())
    };
    if has_rejected {
        return Err("contains a backslash or a control character".to_owned());
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
