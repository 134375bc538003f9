//! The proxy for https: the variables of the environment are checked before they are used, since
//! reqwest ignores a value that it can't parse, and the requests would bypass the proxy. A
//! proxy that rejects `CONNECT` is asked for its status, which reqwest doesn't report.

use std::{env, time::Duration};

use http::{StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::url::BaseUrl;
use crate::{error::BuildError, wire::Credential};

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
            .and_then(|it| Some(format!("{}\r\n", it.basic_auth()?.to_str().ok()?)))
            .map_or(String::new(), |basic| format!("Proxy-Authorization: {basic}"));
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
        check(value).map_err(|reason| BuildError::InvalidProxy { variable, reason })
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
fn check(value: &str) -> Result<(), &'static str> {
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

#[cfg(test)]
mod tests {
    use super::check;

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
            assert!(check(value).is_ok(), "{value}");
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
            assert!(check(value).is_err(), "{value}");
        }
        for value in ["socks5://proxy:1080", "socks4a://proxy", "socks5h://proxy"] {
            assert_eq!(check(value), Err("SOCKS is not supported"), "{value}");
        }
    }
}
