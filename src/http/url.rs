//! The base URL, the one host that credentials are sent to, and the URLs of the operations below it.
//!
//! https, or plain http on this machine's loopback; without user info, query and fragment.

use std::net::IpAddr;

use http::HeaderValue;
use progenitor_client::ClientInfo;
use reqwest::Url;

use crate::{
    error::BuildError,
    wire::{Operation, check_id, generated},
};

/// A base URL that credentials may be sent to.
pub(crate) struct BaseUrl {
    /// Without a slash at the end: paths are appended.
    pub(crate) text: String,
    /// The `Host` header: without the port if it is the scheme's default.
    pub(crate) host_header: HeaderValue,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_plain: bool,
    /// The URL of each operation up to its first id, keyed by its path up to there.
    operations: Vec<(&'static str, Url)>,
}

impl BaseUrl {
    pub(crate) fn new(given: Option<&str>, project_id: &str) -> Result<Self, BuildError> {
        let stytch = if project_id.starts_with("project-live-") { LIVE } else { TEST };
        let invalid = |reason| BuildError::InvalidBaseUrl { reason };
        let url = Url::parse(given.unwrap_or(stytch)).map_err(|_| invalid("is not a URL"))?;
        let is_plain = match url.scheme() {
            "https" if cfg!(not(any(feature = "rustls", feature = "native-tls"))) => {
                return Err(BuildError::NoTls);
            }
            "https" => false,
            "http" => true,
            _ => return Err(invalid("does not start with https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("contains a user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("contains a query or fragment"));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if is_plain && !is_loopback(&host) {
            return Err(BuildError::InsecureBaseUrl);
        }
        let host_header = HeaderValue::try_from(url.authority())
            .map_err(|_| invalid("has a host that no HTTP header can contain"))?;
        let port = url.port_or_known_default().unwrap_or_default();
        let text = url.as_str().trim_end_matches('/').to_owned();
        let up_to_the_first_id = |operation: &Operation| {
            let path = operation.path();
            let prefix = path.split_once("/{").map_or(path, |(prefix, _)| prefix);
            let mut below = url.clone();
            below.set_path(&format!("{}{prefix}", url.path().trim_end_matches('/')));
            (prefix, below)
        };
        let operations = Operation::ALL.iter().map(up_to_the_first_id).collect();
        Ok(Self { text, host_header, host, port, is_plain, operations })
    }
}

impl generated::Client {
    /// Returns the URL of an operation from its path, with `{}` for each id, and the ids, which are
    /// percent-encoded. `build/edits.rs` inserts the call.
    pub(crate) fn operation_url(&self, path: &str, ids: &[&str]) -> Result<Url, String> {
        let base_url = &self.inner().config.base_url;
        // A caller can construct bindings with another base URL.
        if self.inner().attempt.is_none() && self.baseurl != base_url.text {
            return Err(NOT_BELOW_THE_BASE_URL.to_owned());
        }
        for id in ids {
            check_id(id).map_err(|problem| format!("an id {problem}"))?;
        }
        let (prefix, rest) = path.split_at(path.find("/{}").unwrap_or(path.len()));
        let known = base_url.operations.iter().find(|(known, _)| *known == prefix);
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

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

pub(super) const NOT_BELOW_THE_BASE_URL: &str =
    "the URL is not below the base URL that the client was built with";
const LIVE: &str = "https://api.stytch.com";
const TEST: &str = "https://test.stytch.com";

#[cfg(test)]
mod tests {
    use super::BaseUrl;

    #[test]
    fn host_header_omits_the_default_port() {
        for (given, expected) in [
            ("https://login.example.com/", "login.example.com"),
            ("https://login.example.com:443/stytch", "login.example.com"),
            ("https://LOGIN.example.com:8443", "login.example.com:8443"),
            ("http://[::1]:80", "[::1]"),
        ] {
            let base_url = BaseUrl::new(Some(given), "project-test-1")
                .unwrap_or_else(|error| panic!("{given}: {error}"));
            assert_eq!(base_url.host_header, expected, "{given}");
        }
    }
}
