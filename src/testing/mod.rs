//! Testing code that uses this crate: a stand-in for Stytch in the process, and typed mocks.
//!
//! Switch the feature on for tests alone:
//!
//! ```toml
//! [dev-dependencies]
//! stytch-sso-external = { version = "0.1", features = ["testing"] }
//! ```
//!
//! # A whole test
//!
//! [`Stytch`] is a project with organizations, members, sessions and connections. It checks
//! what Stytch checks (the project's credentials, the session, the organization, the roles,
//! the update) and refuses in Stytch's words, so a test says who somebody is rather than
//! what HTTP answers:
//!
//! ```
//! use stytch_sso_external::{Error, Session, testing::Stytch, types::UpdateExternalConnectionRequest};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let stytch = Stytch::start();
//! let acme = stytch.organization("acme");
//! let connection = acme.connection("Acme Okta");
//! let ada = acme.member("ada", &["stytch_admin"]).log_in();
//! let grace = acme.member("grace", &[]).log_in();
//!
//! let client = stytch.client();
//! let rename = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
//!
//! let as_ada = client.as_member(Session::jwt(ada.jwt()));
//! as_ada.update_connection(connection.id(), &rename).await.unwrap();
//! assert_eq!(connection.state().display_name, "Acme SSO");
//!
//! let as_grace = client.as_member(Session::token(grace.token()));
//! let denied = as_grace.update_connection(connection.id(), &rename).await;
//! assert!(matches!(denied, Err(Error::PermissionDenied { .. })));
//! # }
//! ```
//!
//! Code that makes its own client gets [`Stytch::project_id`], [`Stytch::secret`] and
//! [`Stytch::base_url`].
//!
//! # A handler of a web service
//!
//! [`LoggedIn::headers`] are what the member's browser sends, so that the whole handler is
//! tested, with how it finds the session and what it answers:
//!
//! ```
//! use http::{HeaderMap, StatusCode};
//! use stytch_sso_external::{Client, Error, Session, testing::Stytch};
//! # use stytch_sso_external::types::UpdateExternalConnectionRequest;
//!
//! async fn rename(client: &Client, headers: &HeaderMap, id: &str, name: &str) -> StatusCode {
//!     // The code under test.
//! #     let Some(session) = Session::from_headers(headers) else { return StatusCode::UNAUTHORIZED };
//! #     let update = UpdateExternalConnectionRequest::default().display_name(name);
//! #     match client.as_member(session).update_connection(id, &update).await {
//! #         Ok(_) => StatusCode::NO_CONTENT,
//! #         Err(Error::PermissionDenied { .. }) => StatusCode::FORBIDDEN,
//! #         Err(_) => StatusCode::BAD_GATEWAY,
//! #     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let stytch = Stytch::start();
//! let acme = stytch.organization("acme");
//! let connection = acme.connection("Acme Okta");
//! let bob = acme.member("bob", &[]).log_in();
//! assert_eq!(rename(&stytch.client(), &bob.headers(), connection.id(), "Mine").await, 403);
//! # }
//! ```
//!
//! `examples/axum_service` is a whole service, which runs on the stand-in too.
//!
//! # What to look at afterwards
//!
//! - [`Connection::state`] is the connection as Stytch has it.
//! - [`Stytch::updates`] are the updates that were accepted, with the member who made them.
//! - [`Stytch::requests`] is what was sent, to the header and the byte, credentials redacted.
//!   [`SeenRequest::carries`] tells which session a request went out with.
//! - [`Stytch::count`] counts requests: how often were keys fetched, sessions asked about?
//!
//! # Who may
//!
//! A member has `stytch_member` and the roles given. `stytch_admin` may update connections;
//! [`Stytch::role`] and [`Organization::role`] define others, [`Member::set_roles`] changes
//! a member's. [`Organization::connection_builder`] makes connections that refuse: pending
//! ones, ones with OIDC behind them, ones without a `groups` mapping.
//!
//! # Time
//!
//! The stand-in and its clients go by [`Stytch::clock`], which stands still: nothing expires
//! while a debugger holds a test, and nothing is waited for.
//!
//! ```
//! use std::time::Duration;
//! # use stytch_sso_external::{Session, testing::{Operation, Stytch}};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), stytch_sso_external::Error> {
//! # let stytch = Stytch::start();
//! # let ada = stytch.organization("acme").member("ada", &[]).log_in();
//! # let client = stytch.client();
//! let session = Session::jwt(ada.jwt());
//! stytch.clock().advance(Duration::from_secs(5 * 60));
//! // The JWT has expired, so the client has it renewed.
//! client.as_member(session).organization_id().await?;
//! assert_eq!(stytch.count(Operation::Authenticate), 1);
//! # Ok(())
//! # }
//! ```
//!
//! [`LoggedIn::revoke`] ends a session, [`Stytch::rotate_keys`] and
//! [`Stytch::drop_old_keys`] replace the keys.
//!
//! # When Stytch fails
//!
//! [`Stytch::fault`] scripts what goes wrong: rate limits, outages, HTML from a gateway,
//! delays, an answer that is lost after the update was made.
//!
//! ```
//! use stytch_sso_external::testing::{Fault, Operation};
//! # use stytch_sso_external::{Session, testing::Stytch, types::UpdateExternalConnectionRequest};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), stytch_sso_external::Error> {
//! # let stytch = Stytch::start();
//! # let acme = stytch.organization("acme");
//! # let connection = acme.connection("Acme Okta");
//! # let ada = acme.member("ada", &["stytch_admin"]).log_in();
//! # let member = stytch.client().as_member(Session::jwt(ada.jwt()));
//! # let update = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
//! stytch.fault(Operation::Update, Fault::status(503)).times(1);
//! member.update_connection(connection.id(), &update).await?;
//! assert_eq!(stytch.count(Operation::Update), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Attacks
//!
//! [`LoggedIn::mint`] makes a JWT with other claims, [`jwt`] any JWT at all.
//!
//! # Without a stand-in
//!
//! Where one answer is all that a test needs, [`mocks`] types httpmock's helpers and
//! [`responses`] has the bodies, one for each error that Stytch documents. A stand-in takes
//! them too, by [`Fault::answer`].
//!
//! # What it is and isn't
//!
//! It listens on loopback and lives until the last clone of its [`Stytch`] is dropped. Any
//! number run in a process at once: they share one HTTP server and one thread, and know
//! nothing of each other. The first one makes an RSA key, which takes up to half a second
//! in a debug build; the others start in microseconds. It speaks the three operations of
//! this crate and nothing else of Stytch's API, and it isn't made to be fast or safe: never
//! put it in front of anything real. httpmock logs requests as they are, credentials
//! included, at the level `debug`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    clippy::unwrap_used,
    reason = "a test kit fails the test, and says what the tester did wrong"
)]

mod answer;
mod authenticate;
mod builder;
mod connection;
mod fault;
mod jwks;
pub mod jwt;
mod key;
mod log;
pub mod mocks;
mod operation;
mod organization;
mod project;
mod rbac;
pub mod responses;
mod script;
mod server;
mod session;
mod stytch;
mod time;
mod update;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::{
    answer::Answer,
    builder::StytchBuilder,
    connection::{Connection, ConnectionBuilder},
    fault::Fault,
    log::{SeenRequest, Update},
    operation::Operation,
    organization::{Member, Organization},
    script::ScriptedFault,
    session::LoggedIn,
    stytch::Stytch,
};
pub use crate::clock::Clock;

/// A new id in Stytch's shape, such as `member-test-07971b06-ac8b-4cdb-9c15-63b17e653931`.
fn id(kind: &str, environment: &str) -> String {
    let random = format!("{:032x}", fastrand::u128(..));
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &random[group]);
    format!("{kind}-{environment}-{}", groups.join("-"))
}

/// As opaque and as long as Stytch's session tokens.
fn random_token() -> String {
    (0..44).map(|_| fastrand::alphanumeric()).collect()
}

/// Goes on after a panic elsewhere: a failed test must not fail the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
