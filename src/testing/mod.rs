//! An in-process fake of Stytch and typed mocks, for tests of code that uses this crate.
//!
//! Enable the feature for tests only:
//!
//! ```toml
//! [dev-dependencies]
//! stytch-sso-external = { version = "0.1", features = ["testing"] }
//! httpmock = "0.9" # for a mock server of your own, or use `testing::httpmock`
//! ```
//!
//! # A whole test
//!
//! [`Stytch`] is a project with organizations, members, sessions and connections. It checks
//! what Stytch checks (the project's credentials, the session, the organization, the roles,
//! the update) and responds with Stytch's errors, so a test defines members and roles rather
//! than HTTP responses:
//!
//! ```
//! use stytch_sso_external::{ErrorKind, Session, testing::Stytch, types::UpdateExternalConnectionRequest};
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
//! assert!(denied.is_err_and(|error| matches!(error.kind(), ErrorKind::PermissionDenied { .. })));
//! # }
//! ```
//!
//! Code that builds its own client needs [`Stytch::project_id`], [`Stytch::secret`] and
//! [`Stytch::base_url`].
//!
//! # A handler of a web service
//!
//! [`LoggedIn::headers`] returns the headers that the member's browser sends, so that a test
//! covers the whole handler, from reading the session to the status of its response:
//!
//! ```
//! use http::{HeaderMap, StatusCode};
//! use stytch_sso_external::{Client, Session, testing::Stytch};
//! # use stytch_sso_external::types::UpdateExternalConnectionRequest;
//!
//! async fn rename(client: &Client, headers: &HeaderMap, id: &str, name: &str) -> StatusCode {
//!     // The code under test.
//! #     let Some(session) = Session::from_headers(headers) else { return StatusCode::UNAUTHORIZED };
//! #     let update = UpdateExternalConnectionRequest::default().display_name(name);
//! #     match client.as_member(session).update_connection(id, &update).await {
//! #         Ok(_) => StatusCode::NO_CONTENT,
//! #         Err(error) => error.kind().response_status(),
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
//! `examples/axum_service` is a whole service that also runs on the fake.
//!
//! # Assertions
//!
//! - [`Connection::state`] returns the connection as it is stored.
//! - [`Stytch::updates`] returns the updates that were applied, with the member who made them.
//! - [`Stytch::requests`] returns the requests with their headers and bodies, credentials
//!   redacted. [`SeenRequest::carries`] returns whether a request carried a given session.
//! - [`Stytch::count`] returns how many requests of an operation were received, for example
//!   how often the JWKS was fetched.
//!
//! # Roles and permissions
//!
//! A member has `stytch_member` and the roles given. `stytch_admin` grants all actions on
//! connections. [`Stytch::role`] and [`Organization::role`] define other roles,
//! [`Member::set_roles`] changes the roles of a member. [`Organization::connection_builder`]
//! creates connections for which updates fail: pending ones, OIDC ones, and ones without a
//! `groups` mapping.
//!
//! # Time
//!
//! The fake and its clients use [`Stytch::clock`], which stands still until a test advances it:
//! nothing expires while a debugger pauses a test. JWTs, caches and the retry budget follow it, and a
//! `Retry-After` is not waited for. Timeouts and the backoffs between attempts are in real time. Don't
//! pause tokio's clock (`start_paused`): it jumps to the next timeout while a request is in flight on a
//! real socket, so that calls time out at once.
//!
//! ```
//! use std::time::Duration;
//! # use stytch_sso_external::{Operation, Session, testing::Stytch};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), stytch_sso_external::Error> {
//! # let stytch = Stytch::start();
//! # let ada = stytch.organization("acme").member("ada", &[]).log_in();
//! # let client = stytch.client();
//! let session = Session::jwt(ada.jwt());
//! stytch.clock().advance(Duration::from_secs(5 * 60));
//! // The JWT has expired, so the client renews it.
//! client.as_member(session).organization_id().await?;
//! assert_eq!(stytch.count(Operation::AuthenticateSession), 1);
//! # Ok(())
//! # }
//! ```
//!
//! [`LoggedIn::revoke`] ends a session, [`Stytch::rotate_keys`] and
//! [`Stytch::drop_old_keys`] rotate the keys.
//!
//! # Faults
//!
//! [`Stytch::fault`] scripts failures: rate limits, outages, HTML from a gateway, delays, a
//! connection that is closed after the update was applied.
//!
//! ```
//! use stytch_sso_external::{Operation, testing::Fault};
//! # use stytch_sso_external::{Session, testing::Stytch, types::UpdateExternalConnectionRequest};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), stytch_sso_external::Error> {
//! # let stytch = Stytch::start();
//! # let acme = stytch.organization("acme");
//! # let connection = acme.connection("Acme Okta");
//! # let ada = acme.member("ada", &["stytch_admin"]).log_in();
//! # let member = stytch.client().as_member(Session::jwt(ada.jwt()));
//! # let update = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
//! stytch.fault(Operation::UpdateExternalConnection, Fault::status(503)).times(1);
//! member.update_connection(connection.id(), &update).await?;
//! assert_eq!(stytch.count(Operation::UpdateExternalConnection), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Attacks
//!
//! [`LoggedIn::mint`] creates a JWT with other claims, [`jwt`] any JWT.
//!
//! # Mocks without the fake
//!
//! For a test that needs a single response, [`mocks`] has typed helpers for [`httpmock`] and
//! [`responses`] has bodies, one for each error type that this crate classifies. The fake returns them
//! too, with [`Fault::response`].
//!
//! # Limits
//!
//! The fake listens on loopback until the last clone of its [`Stytch`] is dropped. Any number
//! of fakes run in a process at once: they share one HTTP server and one thread, but no state.
//! The first one generates an RSA key, which takes up to half a second in a debug build; the
//! others start in microseconds. The fake supports the operations of this crate and nothing
//! else of Stytch's API. It is neither fast nor secure: never use it with real credentials.
//! `httpmock` logs whole requests, including credentials, at the level `debug`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    clippy::unwrap_used,
    reason = "wrong use fails the test, with a message"
)]

// Dependencies go one way, from the top to the bottom of this list:
// - `builder`, `stytch`: the public entry
// - `dispatch`: from a request to its operation
// - `update`, `read`, `authenticate`, `jwks`: the operations
// - `connection`, `organization`, `session`: what a test handles
// - `project`: the state
// - `script`, `fault`, `log`: scripted faults, recorded requests
// - `server`: the HTTP server
// - `responses`, `errors`, `response`, `request`, `route`, `mocks`: HTTP
// - `jwt`, `key`, `rbac`, `time`, `ids`: everything else
mod authenticate;
mod builder;
mod connection;
mod dispatch;
mod errors;
mod fault;
mod ids;
mod jwks;
pub mod jwt;
mod key;
mod log;
pub mod mocks;
mod organization;
mod project;
mod rbac;
mod read;
mod request;
mod response;
pub mod responses;
mod route;
mod script;
mod server;
mod session;
mod stytch;
mod time;
mod update;

pub use self::{
    builder::StytchBuilder,
    connection::{Connection, ConnectionBuilder},
    errors::{error, error_with_headers, transport_error},
    fault::Fault,
    log::{SeenRequest, Update},
    organization::{Member, Organization},
    response::{Body, Response},
    script::ScriptedFault,
    session::LoggedIn,
    stytch::Stytch,
};
pub use crate::sync::Clock;
pub use httpmock;
