//! Where requests go: the base URL, the one host that credentials are sent to, the URLs of the
//! operations below it, and the proxy for https.
//!
//! The base URL is https, or plain http on this machine's loopback; without user info, query and
//! fragment. The proxy variables of the environment are checked before they are used, since reqwest
//! ignores a value that it can't parse, and the requests would bypass the proxy. A proxy that rejects
//! `CONNECT` is asked for its status, which reqwest doesn't report.

use std::{env, net::IpAddr, time::Duration};

use http::{HeaderValue, StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use progenitor_client::ClientInfo;
use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    error::BuildError,
    wire::{Credential, Operation, check_id, generated},
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
        let host = url.host_str().unwrap_or_default().to_owned();
        let has_user = !url.username().is_empty() || url.password().is_some();
        let has_query = url.query().is_some() || url.fragment().is_some();
        match url.scheme() {
            "https" if cfg!(not(any(feature = "rustls", feature = "native-tls"))) => {
                return Err(BuildError::NoTls);
            }
            "https" | "http" if has_user => {
                return Err(invalid("contains a user name or password"));
            }
            "https" | "http" if has_query => return Err(invalid("contains a query or fragment")),
            "http" if !is_loopback(&host) => return Err(BuildError::InsecureBaseUrl),
            "https" | "http" => {}
            _ => return Err(invalid("does not start with https://")),
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
        Ok(Self { text, host_header, host, port, is_plain: url.scheme() == "http", operations })
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

/// The http proxy that requests to the base URL go through.
pub(crate) struct Proxy {
    /// Host and port.
    pub(super) address: String,
    connect: Credential,
}

impl Proxy {
    /// Finds the proxy in the `Debug` output of the HTTP client, which shows the proxies of the
    /// environment and of `configure_http`, without user name and password.
    pub(crate) fn of(client: &reqwest::Client, base_url: &BaseUrl) -> Option<Self> {
        let shown = format!("{client:?}");
        let (_, shown) = shown.split_once("https: Intercept { uri: ")?;
        let uri: Uri = shown.split_once(' ')?.0.parse().ok()?;
        let url: Uri = base_url.text.parse().ok()?;
        let of_environment = Matcher::from_system().intercept(&url);
        let credentials = of_environment
            .filter(|it| *it.uri() == uri)
            .and_then(|it| Some(it.basic_auth()?.to_str().ok()?.to_owned()))
            .map_or(String::new(), |basic| format!("Proxy-Authorization: {basic}\r\n"));
        let target = format!("{}:{}", base_url.host, base_url.port);
        let connect = Credential::new(format!(
            "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n"
        ));
        let address = format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(80));
        (uri.scheme_str() == Some("http")).then_some(Self { address, connect })
    }

    /// Sends `CONNECT` once more and returns the status, if it comes within that time and a second.
    ///
    /// Returns `None` for a 407 too: the credentials of `configure_http` are not known here.
    pub(super) async fn status(&self, max_wait: Duration) -> Option<StatusCode> {
        let mut head = [0; "HTTP/1.1 200".len()];
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(self.connect.expose_secret().as_bytes()).await?;
            stream.read_exact(&mut head).await
        };
        timeout(max_wait.min(Duration::from_secs(1)), exchange).await.ok()?.ok()?;
        let status = StatusCode::from_bytes(head.strip_prefix(b"HTTP/1.")?.get(2..)?).ok()?;
        (!matches!(status.as_u16(), 200 | 407)).then_some(status)
    }
}

/// Checks the variable from which reqwest takes the proxy for https, unless `NO_PROXY` exempts the
/// host.
pub(super) fn check_environment(base_url: &BaseUrl) -> Result<(), BuildError> {
    // reqwest reads no proxy variables in a CGI program, where a request could set them.
    if env::var_os("REQUEST_METHOD").is_some() || is_exempt(base_url) {
        return Ok(());
    }
    let first = |names: [&'static str; 2]| {
        let set = names.into_iter().find_map(|name| Some((name, env::var_os(name)?)));
        set.filter(|(_, value)| !value.is_empty())
    };
    let set = first(["HTTPS_PROXY", "https_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"]));
    set.map_or(Ok(()), |(variable, value)| {
        // reqwest ignores a value that isn't Unicode.
        let value = value.to_str().unwrap_or_default();
        check_proxy(value).map_err(|reason| BuildError::InvalidProxy { variable, reason })
    })
}

/// Asks the matcher that reqwest uses, with a proxy that is valid.
fn is_exempt(base_url: &BaseUrl) -> bool {
    let no_proxy = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| env::var(name).ok());
    let valid = "http://127.0.0.1:1".to_owned();
    let matcher = Matcher::builder().https(valid).no(no_proxy.unwrap_or_default()).build();
    let url: Result<Uri, _> = base_url.text.parse();
    url.is_ok_and(|url| matcher.intercept(&url).is_none())
}

/// Accepts what reqwest accepts: an http or https URL with a host, or `host:port`.
fn check_proxy(value: &str) -> Result<(), &'static str> {
    const EXPECTED: &str = "expected an http or https URL with a host, or host:port";
    let address = value.split_once("://").map_or(value, |(_, address)| address);
    let user_info = address.rsplit_once('@').map_or("", |(user_info, _)| user_info);
    if user_info.contains(['@', '#', '/', '?']) {
        return Err("percent-encode @, #, / and ? in the user name and password");
    }
    let uri: Uri = value.parse().map_err(|_| EXPECTED)?;
    match uri.scheme_str() {
        // reqwest accepts any text as a host. Without a port it is more likely a mistake.
        None if uri.port_u16().is_none() => return Err(EXPECTED),
        None | Some("http" | "https") => {}
        Some(scheme) if scheme.starts_with("socks") => return Err("SOCKS is not supported"),
        Some(_) => return Err(EXPECTED),
    }
    let authority = uri.authority().ok_or(EXPECTED)?;
    let (host, address) = (authority.host(), authority.as_str().rsplit('@').next());
    let is_valid_port = authority.port_u16().is_some() || address == Some(host);
    if !host.is_empty() && is_valid_port { Ok(()) } else { Err(EXPECTED) }
}

pub(super) const NOT_BELOW_THE_BASE_URL: &str =
    "the URL is not below the base URL that the client was built with";
const LIVE: &str = "https://api.stytch.com";
const TEST: &str = "https://test.stytch.com";

#[cfg(test)]
mod tests {
    use super::{BaseUrl, check_proxy};

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

    #[test]
    fn values_are_accepted_as_by_reqwest() {
        let accepted = [
            "http://proxy.example.com:3128",
            "https://user:password@proxy.example.com",
            "proxy.example.com:3128",
            "127.0.0.1:3128",
            "http://[::1]:3128/",
            "http://user:p%40ss%23%2F%3F@proxy:3128",
        ];
        for value in accepted {
            assert!(check_proxy(value).is_ok(), "{value}");
        }
        let rejected = [
            "ftp://proxy:1",
            "http://",
            "://",
            "/proxy",
            "a b",
            "http://user@:3128",
            "proxy:port",
            "proxy",
            "http://user:p@ss@proxy:3128",
            "http://us@er:pass@proxy:3128",
            "http://user:p#ss@proxy:3128",
            "http://user:p/ss@proxy:3128",
            "http://user:p?ss@proxy:3128",
            "user:p@ss@proxy:3128",
        ];
        for value in rejected {
            assert!(check_proxy(value).is_err(), "{value}");
        }
        for value in ["socks5://proxy:1080", "socks4a://proxy", "socks5h://proxy"] {
            assert_eq!(check_proxy(value), Err("SOCKS is not supported"), "{value}");
        }
    }
}
