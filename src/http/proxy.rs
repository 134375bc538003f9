//! The proxy variables of the environment, checked before they are used: reqwest ignores a
//! value that it can't parse, and the requests would bypass the proxy.

use std::env;

use http::Uri;

use crate::error::BuildError;

/// Checks the variable from which reqwest takes the proxy for https.
pub(super) fn check_environment() -> Result<(), BuildError> {
    // reqwest reads no proxy variables in a CGI program, where a request could set them.
    if env::var_os("REQUEST_METHOD").is_some() {
        return Ok(());
    }
    let first = |names: [&'static str; 2]| {
        let set = names.into_iter().find_map(|name| Some((name, env::var_os(name)?)));
        set.filter(|(_, value)| !value.is_empty())
    };
    match first(["HTTPS_PROXY", "https_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"])) {
        Some((variable, value)) => {
            // reqwest ignores a value that isn't Unicode.
            let value = value.to_str().unwrap_or_default();
            check(value).map_err(|reason| BuildError::InvalidProxy { variable, reason })
        }
        _ => Ok(()),
    }
}

/// Accepts what reqwest accepts: an http or https URL with a host, or `host:port`.
fn check(value: &str) -> Result<(), &'static str> {
    const EXPECTED: &str = "expected an http or https URL with a host, or host:port";
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
        ];
        for value in rejected {
            assert!(check(value).is_err(), "{value}");
        }
        for value in ["socks5://proxy:1080", "socks4a://proxy", "socks5h://proxy"] {
            assert_eq!(check(value), Err("SOCKS is not supported"), "{value}");
        }
    }
}
