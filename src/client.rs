//! The client and how it is configured: credentials, base URL, time and bounds.
//!
//! What is shared by all members (HTTP connections, keys, caches) is made here, once, and
//! handed down.

use std::{env, fmt, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    base_url::BaseUrl,
    build_error::BuildError,
    calls::Calls,
    clock::Clock,
    error::Error,
    jwks::{self, Keys},
    member::{MemberClient, Project},
    organization::{self, Organizations},
    retry::RetryPolicy,
    segment::Segment,
    session::{Credential, Session},
    wire::{Bindings, Seam, Wire},
};

/// A client for one Stytch project.
///
/// Make one and keep it: making it costs milliseconds, a clone costs nothing, and clones
/// share connections, keys and caches. It needs a Tokio runtime to run in.
///
/// ```no_run
/// use stytch_sso_external::{Client, Session, types::UpdateExternalConnectionRequest};
///
/// # async fn example(jwt: String) -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("project-test-16b34bbe", "secret-test-example").build()?;
/// let update = UpdateExternalConnectionRequest::default().display_name("Acme Okta");
/// client.as_member(Session::jwt(jwt)).update_connection("external-connection-test-d89ff7a0", &update).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Project>);

impl Client {
    /// Starts to configure a client for a project.
    ///
    /// The project's id decides which of Stytch's environments is spoken to: the live one
    /// for ids that start with `project-live-`, the test one for all others.
    pub fn builder(project_id: impl Into<String>, secret: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(project_id.into(), SecretString::from(secret.into()))
    }

    /// Makes a client from the environment: `STYTCH_PROJECT_ID`, `STYTCH_SECRET` and, where
    /// the project is reached through a domain of its own, `STYTCH_BASE_URL`.
    ///
    /// # Errors
    ///
    /// [`BuildError::MissingVariable`] where one isn't set, and what
    /// [`ClientBuilder::build`] returns.
    pub fn from_env() -> Result<Self, BuildError> {
        let required = |name| env::var(name).map_err(|_| BuildError::MissingVariable { name });
        let builder = Self::builder(required("STYTCH_PROJECT_ID")?, required("STYTCH_SECRET")?);
        match env::var("STYTCH_BASE_URL") {
            Ok(base_url) => builder.base_url(base_url).build(),
            Err(env::VarError::NotPresent) => builder.build(),
            Err(env::VarError::NotUnicode(_)) => {
                Err(BuildError::MissingVariable { name: "STYTCH_BASE_URL" })
            }
        }
    }

    /// Acts as the member whose session this is.
    #[must_use]
    pub fn as_member(&self, session: Session) -> MemberClient {
        MemberClient::new(Arc::clone(&self.0), session)
    }

    /// The generated client, configured like this one, for a service that acts for the
    /// project itself.
    ///
    /// **Its requests run with the full power of the project, over every organization.** No
    /// session, no role and no tenancy is checked unless a session header is passed; ids are
    /// sent unchecked, so that an id of `..` reaches another path; nothing is tried again;
    /// and an answer that isn't the documented JSON loses its status. It sends the project's
    /// credentials and keeps to the timeout and the bound on bodies.
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// # let client = stytch.client();
    /// let jwks = client.bindings().get_jwks(client.project_id()).await?;
    /// assert!(!jwks.keys.is_empty());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn bindings(&self) -> &Bindings {
        self.0.calls.wire.bindings()
    }

    /// The id of the project.
    #[must_use]
    pub fn project_id(&self) -> &str {
        self.0.calls.wire.project_id()
    }

    /// Fetches the project's keys and with that opens a connection, so that the first update
    /// waits for neither. It takes half of the deadline at most.
    ///
    /// # Errors
    ///
    /// What fetching them runs into; its [`outcome`](Error::outcome) is
    /// [`NotApplied`](crate::Outcome::NotApplied). The client works all the same: it fetches
    /// the keys when it needs them.
    pub async fn warm_up(&self) -> Result<(), Error> {
        self.0.keys.fetch(self.0.calls.deadline()).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("project_id", &self.project_id())
            .field("base_url", &self.0.base_url)
            .finish_non_exhaustive()
    }
}

/// Configures a [`Client`]; made by [`Client::builder`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    project_id: String,
    secret: SecretString,
    base_url: Option<String>,
    connect_timeout: Duration,
    timeout: Duration,
    deadline: Duration,
    policy: RetryPolicy,
    max_in_flight: usize,
    max_response_bytes: usize,
    clock: Clock,
    keys: jwks::Settings,
    sessions: organization::Settings,
}

impl ClientBuilder {
    fn new(project_id: String, secret: SecretString) -> Self {
        let expiry_margin = Duration::from_secs(5);
        Self {
            project_id,
            secret,
            base_url: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            deadline: Duration::from_secs(30),
            policy: RetryPolicy::default(),
            max_in_flight: 64,
            max_response_bytes: 1024 * 1024,
            clock: Clock::system(),
            keys: jwks::Settings {
                fresh_for: Duration::from_secs(5 * 60),
                max_age: Duration::from_secs(60 * 60),
                cooldown: Duration::from_secs(30),
                clock_skew: Duration::from_secs(5),
                expiry_margin,
            },
            sessions: organization::Settings {
                token_ttl: Duration::from_secs(60 * 60),
                capacity: 10_000,
                expiry_margin,
            },
        }
    }

    /// Where the project is reached, in place of Stytch's own host: an https URL of a custom
    /// domain, or plain http on this machine's loopback. It may have a path; userinfo, a
    /// query and a fragment are refused.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// How long opening a connection may take. 5 s unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, from the connection to the last byte of the answer.
    /// 15 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a whole call may take, with inference, waiting and all attempts. 30 s unless
    /// set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How failures are tried again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How many updates may be in flight at once. 64 unless set.
    ///
    /// Each takes a connection. Callers beyond it wait for their turn in order, and the
    /// wait counts against their deadline. As many requests that ask about sessions may be
    /// in flight besides.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// How long a body may be, in bytes. 1 MiB unless set. A longer one is an
    /// [`Error::UnexpectedResponse`].
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// How long before its end a session JWT counts as expired, so that it doesn't expire on
    /// the way to Stytch. 5 s unless set.
    pub fn expiry_margin(mut self, margin: Duration) -> Self {
        self.keys.expiry_margin = margin.min(LONGEST);
        self.sessions.expiry_margin = margin.min(LONGEST);
        self
    }

    /// By how much a session JWT may come from the future: the clocks here and at Stytch
    /// differ a little. 5 s unless set.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.keys.clock_skew = skew.min(LONGEST);
        self
    }

    /// How old the project's keys may become where refreshing them fails. 1 hour unless set.
    ///
    /// From an age of 5 minutes on, they are refreshed behind the call that uses them.
    pub fn keys_max_age(mut self, age: Duration) -> Self {
        self.keys.max_age = age;
        self
    }

    /// How long to wait after a fetch of the keys that an unknown `kid` caused before another
    /// unknown one causes the next. 30 s unless set.
    ///
    /// Anybody can send a JWT with a made-up `kid`; this keeps them from making the client
    /// fetch for each. It is also the rest after a refresh that failed.
    pub fn keys_cooldown(mut self, cooldown: Duration) -> Self {
        self.keys.cooldown = cooldown;
        self
    }

    /// How long the organization of a session token is remembered. 1 hour unless set.
    ///
    /// Remembering it longer lets nobody in: the update itself is checked by Stytch.
    pub fn token_ttl(mut self, ttl: Duration) -> Self {
        self.sessions.token_ttl = ttl.min(LONGEST);
        self
    }

    /// How many sessions' organizations are remembered. 10,000 unless set.
    ///
    /// One takes about 200 bytes, so 10,000 take 2 MB. Where a JWT was renewed the new one is
    /// kept too: 10,000 such, of 1.6 kB each, take 11 MB.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.sessions.capacity = sessions;
        self
    }

    /// Goes by a test's clock instead of the system's, for everything but timeouts and
    /// waits.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] that names the setting at fault. Nothing is sent.
    pub fn build(self) -> Result<Client, BuildError> {
        self.check()?;
        let project_id = Segment::new(&self.project_id).ok().filter(|id| !id.contains(':'));
        let project_id = project_id.ok_or(BuildError::InvalidProjectId)?;
        let base_url = BaseUrl::new(self.base_url.as_deref(), &self.project_id)?;
        let seam = Seam {
            http: self.http(&base_url)?,
            base_url: base_url.text.clone(),
            authorization: self.authorization()?,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            max_response_bytes: self.max_response_bytes,
        };
        let wire = Arc::new(Wire::new(seam, project_id, self.max_in_flight));
        let calls = Calls { wire, policy: self.policy, deadline: self.deadline, clock: self.clock };
        let keys = Keys::new(calls.clone(), self.keys, &base_url.text);
        let organizations = Organizations::new(calls.clone(), keys.clone(), self.sessions);
        Ok(Client(Arc::new(Project {
            calls,
            keys,
            organizations,
            base_url: base_url.text,
            server: base_url.host,
        })))
    }

    fn check(&self) -> Result<(), BuildError> {
        if self.project_id.is_empty() {
            return Err(BuildError::EmptyProjectId);
        }
        if self.secret.expose_secret().is_empty() {
            return Err(BuildError::EmptySecret);
        }
        let zero = [
            ("connect_timeout", self.connect_timeout.is_zero()),
            ("timeout", self.timeout.is_zero()),
            ("deadline", self.deadline.is_zero()),
            ("max_in_flight", self.max_in_flight == 0),
            ("max_response_bytes", self.max_response_bytes == 0),
            ("max_sessions", self.sessions.capacity == 0),
        ];
        match zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((setting, _)) => Err(BuildError::Zero { setting }),
            None => Ok(()),
        }
    }

    fn authorization(&self) -> Result<HeaderValue, BuildError> {
        let plain =
            SecretString::from(format!("{}:{}", self.project_id, self.secret.expose_secret()));
        let encoded = SecretString::from(BASE64_STANDARD.encode(plain.expose_secret()));
        // Lends its memory to the header, and is wiped with it.
        let basic = Credential::new(format!("Basic {}", encoded.expose_secret()));
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(basic))
            .map_err(|_| BuildError::InvalidProjectId)?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn http(&self, base_url: &BaseUrl) -> Result<reqwest::Client, BuildError> {
        let mut builder = reqwest::Client::builder()
            // A redirect would carry the session header, and on 307 the body, to another host.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // What is tried again is `retry.rs`'s to say. `never()` alone still copies each
            // request in case.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            // Another crate of the build may switch HTTP/2 on, where neither a connection for
            // each request nor what `sent.rs` goes by would hold.
            .http1_only()
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .user_agent(USER_AGENT);
        if base_url.is_plain {
            // A proxy for http would get the credentials in the clear.
            builder = builder.no_proxy();
            // Nothing here speaks TLS, and reading the system's certificates takes 20 ms, which
            // the tests of whoever uses the stand-in would pay for each client.
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            {
                builder = builder.tls_certs_only([]);
            }
        }
        #[cfg(feature = "rustls")]
        {
            builder = builder.tls_backend_rustls();
        }
        builder.build().map_err(|error| BuildError::Http { source: Box::new(error) })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("project_id", &self.project_id)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("retry", &self.policy)
            .finish_non_exhaustive()
    }
}

/// What is added to a point in time. `Duration::MAX` says forever, and would overflow.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
const USER_AGENT: &str = concat!("stytch-sso-external/", env!("CARGO_PKG_VERSION"));
