//! Begins the requests of the generated client: their URLs, and the room for their headers.
//! `build/edits.rs` inserts the calls.

use http::{HeaderValue, Method, header::ACCEPT};
use progenitor_client::ClientInfo;
use reqwest::{Request, RequestBuilder, Url};

use super::RequestContext;
use crate::wire::{Operation, generated, path_segment};

impl generated::Client {
    /// Returns the URL of an operation from its path before the first id, and the segments from
    /// there on.
    pub(crate) fn operation_url(&self, prefix: &str, segments: &[&str]) -> Result<Url, String> {
        let RequestContext { config, attempt, .. } = self.inner();
        // A caller can construct bindings with another base URL.
        if attempt.is_none() && self.baseurl != config.base_url {
            let reason = "the URL is not below the base URL that the client was built with";
            return Err(reason.to_owned());
        }
        config.urls.url(prefix, segments)
    }

    /// Begins a request, with room for the headers of an update: otherwise the HTTP library's copy of
    /// their map would be rebuilt for the last of them.
    pub(crate) fn begin_request(&self, method: Method, url: Url) -> RequestBuilder {
        let mut request = Request::new(method, url);
        let headers = request.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        RequestBuilder::from_parts(self.client.clone(), request)
    }
}

/// The URL of each operation up to its first id, keyed by its path up to there.
pub(crate) struct OperationUrls(Vec<(&'static str, Url)>);

impl OperationUrls {
    /// The URLs below a base URL.
    pub(crate) fn new(base: &Url) -> Self {
        let up_to_the_first_id = |operation: &Operation| {
            let path = operation.path();
            let prefix = path.split_once("/{").map_or(path, |(prefix, _)| prefix);
            let mut url = base.clone();
            url.set_path(&format!("{}{prefix}", base.path().trim_end_matches('/')));
            (prefix, url)
        };
        Self(Operation::ALL.iter().map(up_to_the_first_id).collect())
    }

    /// Appends segments, percent-encoded, to the URL of the operations with this prefix.
    fn url(&self, prefix: &str, segments: &[&str]) -> Result<Url, String> {
        for segment in segments {
            path_segment::check(segment).map_err(|problem| format!("an id {problem}"))?;
        }
        let known = self.0.iter().find(|(known, _)| *known == prefix);
        let (_, url) = known.ok_or_else(|| format!("no operation's path begins with {prefix}"))?;
        let mut url = url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        Ok(url)
    }
}

/// `Accept`, `Content-Type`, `Authorization`, `Host`, the session, and the HTTP library's `User-Agent`
/// and `Content-Length`.
const HEADERS: usize = 7;
