//! An HTTP answer, as the stand-in or a scripted fault gives it.

use std::fmt;

use httpmock::HttpMockResponse;
use serde::Serialize;

use crate::generated::types;

/// An HTTP answer to script with [`Fault::answer`](super::Fault::answer).
///
/// ```
/// use stytch_sso_external::testing::Answer;
///
/// let answer = Answer::html(502, "<h1>Bad gateway</h1>").header("retry-after", "1");
/// assert_eq!(answer.status(), 502);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// Makes an answer of any status and body, without a content type.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Makes a JSON answer.
    ///
    /// # Panics
    ///
    /// When `body` can't be written as JSON, such as a map whose keys aren't strings.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the body of Answer::json must be JSON");
        Self::new(status, body).header("content-type", "application/json")
    }

    /// Makes an HTML answer, as gateways in front of Stytch give them.
    #[must_use]
    pub fn html(status: u16, body: &str) -> Self {
        Self::new(status, body).header("content-type", "text/html")
    }

    /// Makes a refusal from one of the [`responses`](super::responses), with the status
    /// that it names.
    ///
    /// # Panics
    ///
    /// When the error has no `status_code` that is an HTTP status.
    #[must_use]
    pub fn error(error: &types::Error) -> Self {
        let status = error.status_code.and_then(|status| status.try_into().ok());
        let status = status.expect("the error of Answer::error must have a status_code");
        Self::json(status, error)
    }

    /// Adds a header. A name that is there already comes twice.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers that were added, in order.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn into_response(self) -> HttpMockResponse {
        HttpMockResponse::builder()
            .status(self.status)
            .headers(self.headers)
            .body(self.body)
            .build()
    }
}

/// Shows no body: an answer to `authenticate` holds credentials.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
