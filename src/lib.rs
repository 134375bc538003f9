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
//! use stytch_sso_external::{Error, Session, types::UpdateExternalConnectionRequest};
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
//!     Err(Error::PermissionDenied { action, resource, .. }) => {
//!         println!("ask for a role that grants {action} on {resource}");
//!     }
//!     Err(error) => return Err(error.into()),
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
//! | [`Session`], [`SessionCookies`] | a member's session token or JWT, also from the headers of a request |
//! | [`MemberClient`] | acts as that member |
//! | [`types`] | request and response types, generated |
//! | [`Error`], [`Outcome`] | what failed, and whether the update may have been applied |
//! | [`Operation`], [`Permission`], [`Verdict`] | the operations, the permissions they require, and whether a member has one |
//! | [`RetryPolicy`] | which failures are retried, and when |
//! | [`bindings`] | the generated client, with the project's full power |
//! | `testing` | an in-process fake of Stytch and typed mocks, with the feature `testing` |
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
//! The source reads in that order: `member.rs`, `call.rs`, `organization.rs`, `retry.rs`,
//! `transport.rs`, `response.rs` and `rbac.rs`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod base_url;
mod build_error;
mod builder;
mod call;
mod call_context;
mod client;
#[cfg_attr(
    not(feature = "testing"),
    expect(unreachable_pub, reason = "only `testing` exposes a clock that moves")
)]
#[cfg_attr(
    not(any(feature = "testing", test)),
    expect(dead_code, reason = "only `testing` and unit tests move a clock")
)]
mod clock;
mod clock_difference;
mod connection;
mod credential;
mod deadline;
mod details;
mod edit_locks;
mod edits;
mod error;
mod error_body;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod generated;
mod json_path;
mod jwks;
mod jwt;
mod lock;
mod member;
mod member_roles;
mod null;
mod operation;
mod organization;
mod path_segment;
mod permission;
mod rbac;
mod refresh;
mod response;
mod retry;
mod retry_budget;
mod session;
mod single_flight;
mod span;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;

pub use build_error::BuildError;
pub use builder::ClientBuilder;
pub use client::Client;
pub use details::{Details, Outcome};
pub use error::Error;
pub use generated::types;
pub use member::MemberClient;
pub use operation::{Operation, Permission};
pub use permission::Verdict;
pub use reqwest;
pub use retry::RetryPolicy;
pub use session::{Session, SessionCookies, SessionKind};

/// The generated client, for a service that acts for the project itself.
///
/// **Its requests run with the full power of the project.** Obtained from
/// [`Client::bindings`], which documents what it does and doesn't do.
pub mod bindings {
    pub use crate::{
        credential::Credential,
        generated::{ByteStream, Client, ClientInfo, Error, ResponseValue},
        member_roles::MemberRoles,
        transport::RequestContext,
    };
}

// The README's examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
