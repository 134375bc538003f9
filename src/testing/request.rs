//! A request as the HTTP server received it.

use serde_json::Value;

/// A request to one fake, without the path prefix that selects the fake.
pub(super) struct Received<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
    /// The body as JSON, or `None` if it is something else.
    pub(super) json: Option<Value>,
}

impl<'a> Received<'a> {
    /// The values of all headers of that name, which is in lower case.
    pub(super) fn header_values(&self, name: &str) -> Vec<&'a str> {
        let headers = self.headers.iter().filter(|(header, _)| header == name);
        headers.map(|(_, value)| value.as_str()).collect()
    }
}

/// Whether a request was delayed, and counted, before it is handled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Now,
    Delayed,
}
