//! The reqwest client that all requests of a [`Client`](crate::Client) share.
//!
//! A caller's `configure_http` runs first, so that the settings on which this crate's promises
//! rest win.

use std::{
    env,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use super::{BaseUrl, destination, result::causes};
use crate::error::BuildError;

/// A caller's changes to the HTTP client.
pub(crate) type ConfigureHttp =
    Arc<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>;

/// The settings of a client that concern HTTP.
#[derive(Clone)]
pub(crate) struct HttpConfig {
    pub(crate) connect_timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) app_name: Option<String>,
    pub(crate) configure: Option<ConfigureHttp>,
}

impl HttpConfig {
    /// Builds the HTTP client for a base URL.
    pub(crate) fn build(&self, base_url: &BaseUrl) -> Result<reqwest::Client, BuildError> {
        let mut builder = defaults(base_url.is_plain);
        match &self.configure {
            Some(configure) => {
                builder = configure(builder);
                check_configured(&format!("{builder:?}"))?;
                // A caller's `read_timeout` can't be removed, so it is set to the attempt's.
                builder = builder.read_timeout(self.attempt_timeout.min(LONGEST_READ));
            }
            None if !base_url.is_plain => destination::check_environment(base_url)?,
            None => {}
        }
        builder = builder
            // A redirect would carry the session header, and on 307 the body, to another host.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Retries are made by `retry.rs`. `never()` alone still clones each request.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            // Another crate of the build may switch HTTP/2 on, where neither a connection for
            // each request nor what `hooks.rs` relies on would hold.
            .http1_only()
            .http1_max_headers(MAX_HEADERS)
            // Another crate may switch decompression on too: a body could then exceed
            // `max_response_bytes`.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(self.connect_timeout)
            .timeout(self.attempt_timeout)
            // It logs what is sent, credentials included.
            .connection_verbose(false)
            .user_agent(self.user_agent()?);
        if base_url.is_plain {
            // A proxy for http would get the credentials in the clear, and so would another host
            // that `localhost` is resolved to. Port 0 stands for the URL's.
            let loopback = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
            builder = builder.no_proxy().resolve_to_addrs("localhost", &loopback);
        }
        builder.build().map_err(describe)
    }

    fn user_agent(&self) -> Result<String, BuildError> {
        let Some(name) = &self.app_name else { return Ok(USER_AGENT.to_owned()) };
        let is_printable = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if name.is_empty() || name.trim() != name || !is_printable {
            return Err(BuildError::InvalidAppName);
        }
        Ok(format!("{USER_AGENT} {name}"))
    }
}

/// The settings applied before `configure_http`.
fn defaults(is_plain: bool) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder();
    #[cfg(feature = "rustls")]
    let builder = builder.tls_backend_rustls();
    // Nothing speaks TLS with a plain base URL, and reading the system's certificates takes
    // 20 ms, which every test with the fake would pay for each client.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    let builder = if is_plain { builder.tls_certs_only([]) } else { builder };
    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    let _ = is_plain;
    builder
}

/// The HTTP client that the bindings contain. It sends nothing: the hooks use the configured one,
/// whose `Debug` output shows default headers.
pub(crate) fn placeholder() -> Result<reqwest::Client, BuildError> {
    defaults(true).no_proxy().build().map_err(describe)
}

/// Fails if the `Debug` output of a builder shows a cookie store or a default header that carries
/// credentials. Cookies and default headers are added after the hooks, can't be removed again, and
/// appear nowhere else.
fn check_configured(shown: &str) -> Result<(), BuildError> {
    // The first field, so no value of a header is taken for it.
    if shown.starts_with("ClientBuilder { cookie_store: true") {
        return Err(BuildError::CookieStore);
    }
    for (name, shown_as) in [
        ("Authorization", "\"authorization\": "),
        ("Cookie", "\"cookie\": "),
        ("X-Stytch-…", "\"x-stytch-"),
    ] {
        // A quote inside of a value is escaped, so only names follow these.
        if ["{", ", "].iter().any(|before| shown.contains(&format!("{before}{shown_as}"))) {
            return Err(BuildError::CredentialHeader { name });
        }
    }
    Ok(())
}

/// Describes an error with the text of its sources, and with the variable that names the
/// certificates if none could be loaded.
fn describe(error: reqwest::Error) -> BuildError {
    let sources = causes(&error).skip(1).map(ToString::to_string);
    let mut reason = sources.collect::<Vec<_>>().join(": ");
    if reason.contains("No CA certificates") {
        let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter(is_set) {
            reason.extend(["; the environment variable ", name, " is set: check its value"]);
        }
    }
    BuildError::Http { reason, source: Box::new(error) }
}

/// `timeout` ends an attempt; a caller's `read_timeout` must not end it earlier. reqwest adds it
/// to a point in time, which `Duration::MAX` overflows.
const LONGEST_READ: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// More than Stytch and the gateways before it send. The HTTP library's default is 100.
pub(super) const MAX_HEADERS: usize = 256;
const USER_AGENT: &str = concat!("stytch-sso-external/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    /// Cookies are a feature of reqwest that only another crate of a build can enable: the text
    /// is that of its version 0.13.5. Default headers are tested with reqwest itself.
    #[test]
    fn a_cookie_store_is_a_build_error() {
        let stored = "ClientBuilder { cookie_store: true, accepts: Accepts, default_headers: {} }";
        assert!(matches!(check_configured(stored), Err(BuildError::CookieStore)));
        let header = r#"ClientBuilder { accepts: Accepts, default_headers: {"x": "ClientBuilder { cookie_store: true"} }"#;
        check_configured(header).unwrap();
    }
}
