//! Ids that can stand in a URL as exactly one path segment.
//!
//! The type is the check: whoever holds a [`Segment`] can't leave the path it is put into.

use std::{ops::Deref, sync::Arc};

/// An id that is safe as one path segment once it is percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment(Arc<str>);

impl Segment {
    /// Takes any opaque id but those that a URL parser would read as something else, or
    /// says what is wrong with it.
    ///
    /// URL parsers fold the segments `.` and `..` even where they are percent-encoded, and
    /// read a backslash as a slash. They drop tabs and line breaks.
    pub(crate) fn new(id: &str) -> Result<Self, String> {
        if id.is_empty() {
            return Err("is empty".to_owned());
        }
        if id == "." || id == ".." {
            return Err("is a path, not an id".to_owned());
        }
        let is_wrong = |character: char| character == '\\' || character.is_control();
        // Nearly every id is ASCII, where a byte is a character and needs no decoding.
        let has_wrong = if id.is_ascii() {
            id.bytes().any(|byte| is_wrong(char::from(byte)))
        } else {
            id.chars().any(is_wrong)
        };
        if has_wrong {
            return Err("has a backslash or a control character".to_owned());
        }
        if id.len() > MAX_BYTES {
            return Err(format!("has {} bytes, more than {MAX_BYTES}", id.len()));
        }
        Ok(Self(id.into()))
    }
}

impl Deref for Segment {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Ten times the longest id that Stytch documents, and far below the length at which a URL
/// can't be sent.
const MAX_BYTES: usize = 1024;
