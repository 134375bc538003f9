//! The URLs of requests, of which everything before the first id is parsed once.

use reqwest::Url;

use crate::{operation::Operation, path_segment};

/// The URL of each operation up to its first id, under that part of its path.
pub(crate) struct OperationUrls(Vec<(&'static str, Url)>);

impl OperationUrls {
    /// The URLs below a base URL whose path doesn't end in a slash.
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
    pub(super) fn url(&self, prefix: &str, segments: &[&str]) -> Result<Url, String> {
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
