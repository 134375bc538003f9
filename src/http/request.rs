//! The URLs of the generated client's requests. `build/edits.rs` inserts the call.

use progenitor_client::ClientInfo;
use reqwest::Url;

use super::RequestContext;
use crate::wire::{Operation, generated, path_segment};

impl generated::Client {
    /// Returns the URL of an operation from its path, with `{}` for each id, and the ids.
    pub(crate) fn operation_url(&self, path: &str, ids: &[&str]) -> Result<Url, String> {
        let RequestContext { config, attempt, .. } = self.inner();
        // A caller can construct bindings with another base URL.
        if attempt.is_none() && self.baseurl != config.base_url {
            let reason = "the URL is not below the base URL that the client was built with";
            return Err(reason.to_owned());
        }
        config.urls.url(path, ids)
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

    /// Appends the rest of a path, with percent-encoded ids, to the URL of the operation.
    fn url(&self, path: &str, ids: &[&str]) -> Result<Url, String> {
        for id in ids {
            path_segment::check(id).map_err(|problem| format!("an id {problem}"))?;
        }
        let (prefix, rest) = path.split_at(path.find("/{}").unwrap_or(path.len()));
        let known = self.0.iter().find(|(known, _)| *known == prefix);
        let (_, url) = known.ok_or_else(|| format!("no operation's path begins with {prefix}"))?;
        let mut url = url.clone();
        let mut ids = ids.iter().copied();
        if let Ok(mut segments) = url.path_segments_mut() {
            let id_or = |segment| if segment == "{}" { ids.next() } else { Some(segment) };
            segments.extend(rest.split('/').skip(1).filter_map(id_or));
        }
        Ok(url)
    }
}
