//! The counters of a fake, and its bounded logs of requests and updates.
//!
//! A log contains no credential: its value is redacted, and only a digest is kept to compare
//! with.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::request::Received;
use crate::{
    sync::lock,
    wire::{JWT_HEADER, Operation, TOKEN_HEADER},
};

/// An update that the fake applied.
///
/// ```
/// use stytch_sso_external::{Session, testing::Stytch, types::UpdateExternalConnectionRequest};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), stytch_sso_external::Error> {
/// # let stytch = Stytch::start();
/// # let acme = stytch.organization("acme");
/// # let connection = acme.connection("Acme Okta");
/// # let client = stytch.client();
/// let ada = acme.member("ada", &["stytch_admin"]);
/// let session = Session::token(ada.log_in().token());
/// let revoke = UpdateExternalConnectionRequest::default().clear_group_roles();
/// client.as_member(session).update_connection(connection.id(), &revoke).await?;
///
/// let update = stytch.updates().pop().unwrap();
/// assert_eq!(update.member_id.as_deref(), Some(ada.id()));
/// assert_eq!(update.body["external_group_implicit_role_assignments"], serde_json::json!([]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Update {
    /// The id of the member whose session the request carried, or `None` if it ran with the
    /// project's full power.
    pub member_id: Option<String>,
    /// The id of the connection's organization.
    pub organization_id: String,
    /// The connection id.
    pub connection_id: String,
    /// The request body.
    pub body: Value,
}

/// A request that the fake received.
///
/// Credentials are replaced with `[redacted]`, in headers and body;
/// [`carries`](Self::carries) returns whether the request contained a given one.
///
/// ```
/// use stytch_sso_external::{Session, testing::Stytch, types::UpdateExternalConnectionRequest};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), stytch_sso_external::Error> {
/// # let stytch = Stytch::start();
/// # let acme = stytch.organization("acme");
/// # let connection = acme.connection("Acme Okta");
/// # let ada = acme.member("ada", &["stytch_admin"]).log_in();
/// # let member = stytch.client().as_member(Session::jwt(ada.jwt()));
/// let rename = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
/// member.update_connection(connection.id(), &rename).await?;
///
/// let sent = stytch.requests().pop().unwrap();
/// assert!(sent.path.ends_with(connection.id()));
/// assert_eq!(sent.text, r#"{"display_name":"Acme SSO"}"#);
/// assert_eq!(sent.header("X-Stytch-Member-SessionJWT"), Some("[redacted]"));
/// assert!(sent.carries(&ada.jwt()) && !sent.carries(&ada.token()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenRequest {
    /// The operation, or `None` for an unknown method or path.
    pub operation: Option<Operation>,
    /// The method.
    pub method: String,
    /// The path as it was sent, percent-encoded, with the query if there was one, and without
    /// the prefix that selects a fake of the process.
    pub path: String,
    /// The headers in the order in which they were received, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub text: String,
    /// The body as JSON, or `None` if it is something else.
    pub body: Option<Value>,
    /// The HTTP status of the response.
    pub status: u16,
    credentials: Digests,
}

impl SeenRequest {
    /// Returns the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Returns the names of the headers, in lower case, in the order in which they were received.
    pub fn header_names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Returns whether the request contained this session token, session JWT or project
    /// secret, in a header or in the body.
    pub fn carries(&self, credential: &str) -> bool {
        let digest = digest::digest(&digest::SHA256, credential.as_bytes());
        self.credentials.0.iter().any(|seen| {
            constant_time::verify_slices_are_equal(seen.as_ref(), digest.as_ref()).is_ok()
        })
    }

    pub(super) fn new(operation: Option<Operation>, received: &Received<'_>) -> Self {
        let mut seen = Self {
            operation,
            method: received.method.to_owned(),
            path: received.path.to_owned(),
            headers: received.headers.to_vec(),
            text: String::from_utf8_lossy(received.body).into_owned(),
            body: received.json.clone(),
            status: 0,
            credentials: Digests::default(),
        };
        seen.redact_headers();
        seen.redact_body();
        seen
    }

    fn redact_headers(&mut self) {
        for (name, value) in &mut self.headers {
            let is_session = *name == TOKEN_HEADER.as_str() || *name == JWT_HEADER.as_str();
            if is_session {
                self.credentials.add(value);
            } else if name == "authorization" {
                self.credentials.add(&secret_of(value).unwrap_or_default());
            } else if name != "cookie" {
                continue;
            }
            REDACTED.clone_into(value);
        }
    }

    fn redact_body(&mut self) {
        for field in ["session_token", "session_jwt"] {
            let value = self.body.as_mut().and_then(|body| body.get_mut(field));
            if let Some(Value::String(credential)) = value {
                self.credentials.add(credential);
                self.text = self.text.replace(credential.as_str(), REDACTED);
                REDACTED.clone_into(credential);
            }
        }
    }
}

/// SHA-256 of each credential of a request.
#[derive(Clone, Default, PartialEq, Eq)]
struct Digests(Vec<Vec<u8>>);

impl Digests {
    fn add(&mut self, credential: &str) {
        let digest = digest::digest(&digest::SHA256, credential.as_bytes());
        self.0.push(digest.as_ref().to_vec());
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} redacted", self.0.len())
    }
}

/// The counters and the bounded logs of one fake.
pub(super) struct Log {
    counts: [AtomicU64; Operation::ALL.len()],
    accepted: AtomicU64,
    requests: Bounded<SeenRequest>,
    updates: Bounded<Update>,
}

impl Log {
    pub(super) fn new(requests: usize, updates: usize) -> Self {
        Self {
            counts: Default::default(),
            accepted: AtomicU64::new(0),
            requests: Bounded::new(requests),
            updates: Bounded::new(updates),
        }
    }

    pub(super) fn count(&self, operation: Operation) {
        self.counter(operation).fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn counted(&self, operation: Operation) -> u64 {
        self.counter(operation).load(Ordering::SeqCst)
    }

    pub(super) fn accept(&self, update: Update) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        self.updates.push(update);
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(super) fn add_request(&self, request: SeenRequest) {
        self.requests.push(request);
    }

    pub(super) fn requests(&self) -> Vec<SeenRequest> {
        self.requests.latest()
    }

    pub(super) fn updates(&self) -> Vec<Update> {
        self.updates.latest()
    }

    fn counter(&self, operation: Operation) -> &AtomicU64 {
        // `ALL` is in the order of the variants.
        &self.counts[operation as usize]
    }
}

struct Bounded<T> {
    bound: usize,
    entries: Mutex<VecDeque<T>>,
}

impl<T: Clone> Bounded<T> {
    fn new(bound: usize) -> Self {
        Self { bound, entries: Mutex::default() }
    }

    fn push(&self, entry: T) {
        let mut entries = lock(&self.entries);
        entries.push_back(entry);
        if entries.len() > self.bound {
            entries.pop_front();
        }
    }

    fn latest(&self) -> Vec<T> {
        lock(&self.entries).iter().cloned().collect()
    }
}

/// The password of a Basic authorization.
fn secret_of(authorization: &str) -> Option<String> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    decoded.split_once(':').map(|(_, secret)| secret.to_owned())
}

const REDACTED: &str = "[redacted]";
