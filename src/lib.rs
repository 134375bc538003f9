//! Reads, checks and updates Stytch B2B External SSO connections **as the logged-in member**.
//!
//! An *external SSO connection* lets the members of one organization log in through a
//! connection that another organization owns. [`MemberClient::update_connection`] changes its
//! name and the roles that it grants. The organization is resolved from the member's session,
//! Stytch's RBAC decides, and a denial is a typed [`Error`].
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use stytch_sso_external::testing::Stytch;
//! use stytch_sso_external::{ErrorKind, Session, types::UpdateExternalConnectionRequest};
//!
//! # let stytch = Stytch::start();
//! # let acme = stytch.organization("acme");
//! # let connection = acme.connection("Acme Okta");
//! # let connection_id = connection.id();
//! # let jwt = acme.member("bob", &["stytch_member"]).log_in().jwt();
//! # let client = stytch.client();
//! // Once: `let client = Client::from_env()?;`
//! let update = UpdateExternalConnectionRequest::default().clear_connection_roles();
//! match client.as_member(Session::jwt(jwt)).update_connection(connection_id, &update).await {
//!     Ok(response) => println!("updated {}", response.connection.display_name),
//!     Err(error) => match error.kind() {
//!         ErrorKind::PermissionDenied { action, resource } => {
//!             println!("ask for a role that grants {action} on {resource}");
//!         }
//!         _ => return Err(error.into()),
//!     },
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! # Items
//!
//! | item | purpose |
//! | --- | --- |
//! | [`Client`], [`ClientBuilder`], [`BuildError`] | one project: credentials, timeouts, limits |
//! | [`Session`], [`SessionCookies`] | a member's session token or JWT, also from a request |
//! | [`MemberClient`], [`ConnectionEdit`] | acts as that member; an edit of a connection |
//! | [`types`] | request and response types, generated |
//! | [`Error`], [`ErrorKind`], [`Outcome`] | what failed, and whether an update may have been applied |
//! | [`Operation`], [`Permission`], [`Verdict`] | which permissions a member has |
//! | [`RetryPolicy`] | which failures are retried, and when |
//! | [`bindings`] | the generated client, with the project's full power |
//! | `testing` | an in-process fake of Stytch and typed mocks, with the feature `testing` |
//! | [`docs`] | how sessions are resolved, requests, retries, outages, proxies |
//!
//! # An update, step by step
//!
//! ```text
//! caller            this crate                                       Stytch
//!   |  update_connection(id, update)                                    |
//!   |------------------>|  checks the id and the update                 |
//!   |                   |  JWT: verifies it with the project's keys     |
//!   |                   |---- GET /v1/b2b/sessions/jwks (rarely) ------>|
//!   |                   |  token or expired JWT, unless cached          |
//!   |                   |---- POST /v1/b2b/sessions/authenticate ------>|
//!   |                   |  queued for a permit (max_in_flight)          |
//!   |                   |---- PUT /v1/b2b/sso/external/{organization}   |
//!   |                   |         /connections/{id}, one session header |
//!   |                   |<--- 200, or an error with an error_type ------|
//!   |                   |  retries transient failures until the timeout |
//!   |<------------------|  checks that the response is about that id    |
//!   |  typed response, or an Error with its outcome                     |
//! ```
//!
//! The source has a folder for each job, and each uses only those in earlier rows:
//!
//! | folder | job |
//! | --- | --- |
//! | `wire/` | what the document generates, and the types that it is given |
//! | `error/` | what a response, or its absence, means |
//! | `sync/` | time, and what calls share while they wait |
//! | `http/` | sends one operation once |
//! | `call/` | any call: attempts, retries, span |
//! | `organization/` | whose organization a session is in |
//! | `member/` | what a member can do |
//! | `client/` | one project |
//! | `testing/` | the fake and the typed mocks |
//!
//! An update goes from `member/member.rs` by `member/call.rs`, `organization/resolve.rs`,
//! `http/transport.rs`, the generated client, `http/destination.rs` and `http/hooks.rs` to Stytch,
//! and back by `http/result.rs`, `error/response.rs` and `error/kind.rs`, `http/transport.rs` and
//! `member/call.rs` to `call/call.rs`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
mod client;
#[doc = include_str!("docs.md")]
pub mod docs {}
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod member;
mod organization;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod wire;

pub use call::RetryPolicy;
pub use client::{Client, ClientBuilder};
pub use error::{BuildError, Error, ErrorKind, Outcome};
pub use member::{ConnectionEdit, MemberClient, Verdict};
pub use reqwest;
pub use wire::{Operation, Permission, Session, SessionCookies, SessionKind, types};

/// The generated client, for a service that acts for the project itself.
///
/// **Its requests run with the full power of the project.** Obtained from
/// [`Client::bindings`], which documents what it does and doesn't do. The signatures of generated
/// methods show `Client` and `Error`: they are [`ProjectClient`](bindings::ProjectClient) and
/// [`ProjectClientError`](bindings::ProjectClientError).
pub mod bindings {
    pub use crate::http::RequestContext;
    pub use crate::wire::{
        Credential, MemberRoles,
        generated::{
            ByteStream, Client as ProjectClient, ClientInfo, Error as ProjectClientError,
            ResponseValue,
        },
    };
}
