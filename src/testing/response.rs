//! An HTTP response, as the fake or a scripted fault returns it.

use std::fmt;

use httpmock::HttpMockResponse;
use serde::Serialize;

use crate::wire::types;

/// The body of a scripted response: bytes, text, or an error of [`responses`](super::responses) as
/// JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Vec<u8>);

impl<T: AsRef<[u8]>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(bytes.as_ref().to_owned())
    }
}

impl From<&types::ErrorBody> for Body {
    fn from(error: &types::ErrorBody) -> Self {
        Self(serde_json::to_vec(error).expect("an error body is JSON"))
    }
}

impl Body {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Shows no content, which may contain credentials.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// An HTTP response to script with [`Fault::response`](super::Fault::response).
///
/// ```
/// use stytch_sso_external::testing::Response;
///
/// let response = Response::html(502, "<h1>Bad gateway</h1>").header("retry-after", "1");
/// assert_eq!(response.status(), 502);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Response {
    /// Creates a response with any status and body, without a content type.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Body>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Creates a JSON response.
    ///
    /// # Panics
    ///
    /// Panics if `body` can't be serialized as JSON, for example a map whose keys aren't
    /// strings.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the body of Response::json must be JSON");
        Self::new(status, body).header("content-type", "application/json")
    }

    /// Creates an HTML response, as gateways in front of Stytch return them.
    #[must_use]
    pub fn html(status: u16, body: &str) -> Self {
        Self::new(status, body).header("content-type", "text/html")
    }

    /// Creates an error response from one of the [`responses`](super::responses), with the
    /// status in its `status_code`.
    ///
    /// # Panics
    ///
    /// Panics if the error has no `status_code` that is an HTTP status.
    #[must_use]
    pub fn error(error: &types::ErrorBody) -> Self {
        let status = error.status_code.and_then(|status| status.try_into().ok());
        let status = status.expect("the error of Response::error must have a status_code");
        Self::json(status, error)
    }

    /// Adds a header. If the name is present already, the response has both.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the headers that were added, in order.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Returns the body.
    pub fn body(&self) -> &[u8] {
        &self.body.0
    }

    pub(super) fn into_httpmock(self) -> HttpMockResponse {
        HttpMockResponse::builder()
            .status(self.status)
            .headers(self.headers)
            .body(self.body.0)
            .build()
    }
}

/// Shows no body: a response of `sessions/authenticate` contains credentials.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
