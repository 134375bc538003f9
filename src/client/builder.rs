//! The configuration of a client: credentials, base URL, timeouts and limits.
//!
//! `builder/build.rs` checks it and builds what all members share.

mod build;

use std::{env, fmt, sync::Arc, time::Duration};

use secrecy::SecretString;

use super::client::Client;
use crate::{call::RetryPolicy, error::BuildError, http::HttpConfig, organization, sync::Clock};

impl Client {
    /// Returns a builder for a project's client.
    ///
    /// The project id selects Stytch's environment: it starts with `project-live-` or
    /// `project-test-`. Any other id requires a [`base_url`](ClientBuilder::base_url).
    pub fn builder(project_id: impl Into<String>, secret: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            project_id: project_id.into(),
            secret: SecretString::from(secret.into()),
            base_url: None,
            http: HttpConfig {
                connect_timeout: Duration::from_secs(5),
                attempt_timeout: Duration::from_secs(10),
                app_name: None,
                configure: None,
            },
            operation_timeout: Duration::from_secs(25),
            policy: RetryPolicy::default(),
            max_in_flight: 64,
            max_response_bytes: 1024 * 1024,
            clock: Clock::system(),
            organizations: organization::Settings::default(),
        }
    }

    /// Builds a client from the environment variables `STYTCH_PROJECT_ID`, `STYTCH_SECRET` and,
    /// if the project is reached through a custom domain, `STYTCH_BASE_URL`. An empty
    /// `STYTCH_BASE_URL` counts as absent.
    ///
    /// # Errors
    ///
    /// [`BuildError::MissingVariable`] if a variable is not set or not Unicode, and the errors
    /// of [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, BuildError> {
        let required = |name| env::var(name).map_err(|_| BuildError::MissingVariable { name });
        let builder = Self::builder(required("STYTCH_PROJECT_ID")?, required("STYTCH_SECRET")?);
        match env::var("STYTCH_BASE_URL") {
            Ok(base_url) if !base_url.is_empty() => builder.base_url(base_url).build(),
            Ok(_) | Err(env::VarError::NotPresent) => builder.build(),
            Err(env::VarError::NotUnicode(_)) => {
                Err(BuildError::MissingVariable { name: "STYTCH_BASE_URL" })
            }
        }
    }
}

/// Configures and builds a [`Client`]. Obtained from [`Client::builder`].
///
/// # Proxies
///
/// Requests to an https base URL use the proxy of the environment: `HTTPS_PROXY`, else
/// `https_proxy`, `ALL_PROXY` or `all_proxy`. The value is an http or https URL, or `host:port`; SOCKS
/// is not supported. In a user name and password, percent-encode `@`, `#`, `/` and `?`. Any other
/// value fails [`build`](Self::build), unless `NO_PROXY`, else `no_proxy`, exempts the host. That is a
/// list, separated by commas, of:
///
/// | entry | exempts |
/// | --- | --- |
/// | `stytch.com`, `.stytch.com` | the host and all of its subdomains |
/// | `10.0.0.7`, `fd00::7` | the address, if the base URL contains it |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of the network, likewise |
/// | `*` | all hosts |
///
/// Other forms, such as `*.stytch.com` and `stytch.com:443`, exempt nothing.
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    project_id: String,
    secret: SecretString,
    base_url: Option<String>,
    http: HttpConfig,
    operation_timeout: Duration,
    policy: RetryPolicy,
    max_in_flight: usize,
    max_response_bytes: usize,
    clock: Clock,
    organizations: organization::Settings,
}

impl ClientBuilder {
    /// Sets the base URL of the project, in place of Stytch's own host: an https URL, such as that
    /// of a custom domain, or plain http on this machine's loopback.
    ///
    /// It may have a path. [`build`](Self::build) fails if it has user info, a query or a fragment.
    /// The host `localhost` stands for 127.0.0.1 and `::1`, whatever it resolves to.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets the timeout for opening a connection, from the DNS lookup to the end of the TLS
    /// handshake. Default: 5 s. Zero fails [`build`](Self::build).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// Sets the timeout for one HTTP attempt, from connecting to the last byte of the response.
    /// Default: 10 s. Zero fails [`build`](Self::build).
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.http.attempt_timeout = timeout;
        self
    }

    /// Sets the timeout for a whole call, including session resolution, queueing and all
    /// attempts. Default: 25 s, so that a call returns before the 30 s after which many routers
    /// cut a request off. Zero fails [`build`](Self::build).
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = timeout;
        self
    }

    /// Sets how failed attempts are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how many requests for members may be in flight at once. Default: 64. Zero fails
    /// [`build`](Self::build).
    ///
    /// Each uses a TCP connection. Further calls are queued in order, and the time in the queue
    /// counts against their operation timeout. In addition, as many `sessions/authenticate`
    /// requests may be in flight, at least two, and as many requests for RBAC policies.
    ///
    /// A quarter of the `sessions/authenticate` requests is kept for session JWTs whose signature
    /// holds. Sessions that anybody can make up share the rest: tokens that were never resolved, and
    /// JWTs that can't be verified because the project's keys are unavailable. At most 1,024 of
    /// them wait; the call of a further one fails at once, with a retryable error.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Sets the maximum size of a response body in bytes. Default: 1 MiB. A longer body is an
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse). Zero fails
    /// [`build`](Self::build).
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Sets how long before its `exp` a session JWT counts as expired, so that it doesn't expire
    /// on the way to Stytch. Default: 5 s.
    pub fn expiry_margin(mut self, margin: Duration) -> Self {
        self.organizations.expiry_margin = margin;
        self
    }

    /// Sets the leeway for `iat` and `nbf` of a session JWT, since clocks differ. Default: 5 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.organizations.leeway = leeway;
        self
    }

    /// Sets the age up to which the project's keys are used while refreshing them fails.
    /// Default: 1 hour.
    ///
    /// From an age of 5 minutes on, or of half of `age` if that is less, a call that uses them
    /// refreshes them in the background. A failed refresh is retried after 1 s, doubling up to
    /// 30 s, or after the `Retry-After` of the response, at most 30 s.
    pub fn jwks_max_stale(mut self, age: Duration) -> Self {
        let jwks = &mut self.organizations.jwks;
        (jwks.fresh, jwks.stale) = (organization::FRESH.min(age / 2), age);
        self
    }

    /// Sets the minimum time between two fetches of the keys that unknown `kid`s cause.
    /// Default: 5 s.
    ///
    /// Anybody can send JWTs with made-up `kid`s, so they share fetches at this interval. After a key
    /// rotation, a member with a new key waits for the next fetch: up to this interval and 2 s.
    pub fn jwks_min_refetch_interval(mut self, interval: Duration) -> Self {
        self.organizations.jwks.interval = interval;
        self
    }

    /// Sets how long the organization of a session token is cached. Default: 1 hour.
    ///
    /// A longer time grants nobody access: Stytch checks the session with every request.
    pub fn session_cache_ttl(mut self, ttl: Duration) -> Self {
        self.organizations.token_ttl = ttl;
        self
    }

    /// Sets how many sessions' organizations are cached. Default: 10,000. Zero fails
    /// [`build`](Self::build).
    ///
    /// An entry takes about 550 bytes, so 10,000 take 6 MB. A renewed JWT takes two entries, one for
    /// the old and one for the new JWT: with those, of 1.6 kB each, 10,000 entries take 14 MB.
    pub fn session_cache_capacity(mut self, sessions: usize) -> Self {
        self.organizations.capacity = sessions;
        self
    }

    /// Sets the name of your application, such as `acme-admin/2.1`, which is appended to the
    /// `User-Agent` header.
    ///
    /// [`build`](Self::build) fails if it is empty or not printable ASCII.
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.http.app_name = Some(name.into());
        self
    }

    /// Configures the HTTP client: CA certificates, client certificates, proxies, DNS, the
    /// local address, the TLS backend.
    ///
    /// The closure receives a [`reqwest::ClientBuilder`] and returns it with its changes. It runs
    /// once for each [`build`](Self::build). [`reqwest`](crate::reqwest) is re-exported.
    ///
    /// The crate's own settings are applied afterwards and win: no redirects, no referer, no
    /// retries of reqwest, the timeouts, HTTP/1.1, the user agent, the `Host` header of the base
    /// URL, no decompression, no verbose logging of connections, at most 256 response headers. For
    /// plain http also: no proxy, and `localhost` is loopback.
    ///
    /// [`build`](Self::build) fails if a cookie store is enabled, or if a default header is
    /// `Authorization` or `Cookie` or starts with `X-Stytch-`. With this setting, `build` doesn't
    /// check the proxy variables of the environment: reqwest ignores a value that it can't parse.
    ///
    /// ```
    /// use stytch_sso_external::{Client, reqwest};
    ///
    /// # fn example(pem: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    /// let proxy = reqwest::Proxy::https("http://proxy.internal:3128")?;
    /// let client = Client::builder("project-test-16b34bbe", "secret-test-example")
    ///     .configure_http(move |http| http.proxy(proxy.clone()))
    ///     .build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure_http(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.http.configure = Some(Arc::new(configure));
        self
    }

    /// Uses a test's clock instead of the system's, except for timeouts and the backoffs between
    /// attempts. A `Retry-After` is not waited for.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("project_id", &self.project_id)
            .field("connect_timeout", &self.http.connect_timeout)
            .field("attempt_timeout", &self.http.attempt_timeout)
            .field("operation_timeout", &self.operation_timeout)
            .field("retry", &self.policy)
            .finish_non_exhaustive()
    }
}
