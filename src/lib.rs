//! Updates Stytch B2B External SSO connections **as the member who is logged in**.
//!
//! An *external SSO connection* lets the members of one organization log in through a
//! connection that another organization owns. [`MemberClient::update_connection`] changes its
//! name and the roles that it grants. The organization comes from the member's session,
//! Stytch's RBAC decides, and a refusal arrives as a typed [`Error`].
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
//! let update = UpdateExternalConnectionRequest::default().clear_connection_roles();
//! match client.as_member(Session::jwt(jwt)).update_connection(connection_id, &update).await {
//!     Ok(response) => println!("now named {}", response.connection.display_name),
//!     Err(Error::PermissionDenied { action, resource, .. }) => {
//!         println!("ask for a role that may {action} {resource}");
//!     }
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! # The map
//!
//! | item | what it is for |
//! | --- | --- |
//! | [`Client`], [`ClientBuilder`] | one project: credentials, timeouts, bounds |
//! | [`Session`] | a member's session token or JWT, also from the headers of a request |
//! | [`MemberClient`] | acts as that member |
//! | [`types`] | what is sent and what comes back, generated |
//! | [`Error`], [`Outcome`] | what went wrong, and whether the update may have been applied |
//! | [`RetryPolicy`] | what is tried again, and when |
//! | [`bindings`] | the generated client, with the project's full power |
//! | `testing` | a stand-in for Stytch and typed mocks, with the feature `testing` |
//!
//! # An update, step by step
//!
//! ```text
//! caller            this crate                                       Stytch
//!   |  update_connection(id, update)                                    |
//!   |------------------>|  checks the id and the update                 |
//!   |                   |  a JWT: verifies it by the project's keys     |
//!   |                   |---- GET /v1/b2b/sessions/jwks (seldom) ------>|
//!   |                   |  a token or an expired JWT: asks once         |
//!   |                   |---- POST /v1/b2b/sessions/authenticate ------>|
//!   |                   |  waits for its turn among those in flight     |
//!   |                   |---- PUT /v1/b2b/sso/external/{organization}   |
//!   |                   |         /connections/{id}, one session header |
//!   |                   |<--- 200, or a refusal with an error_type -----|
//!   |                   |  tries again what may pass, until the deadline|
//!   |<------------------|  checks that the answer is about that id      |
//!   |  typed answer, or an Error with its outcome                       |
//! ```
//!
//! The source reads in that order: `member.rs`, `organization.rs`, `retry.rs`, `wire.rs`, and
//! `rbac.rs` for what a refusal means.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod base_url;
mod build_error;
mod calls;
mod client;
#[cfg_attr(
    not(feature = "testing"),
    expect(dead_code, unreachable_pub, reason = "only `testing` hands out a clock that moves")
)]
mod clock;
mod deadline;
mod error;
mod flight;
mod generated;
mod jwks;
mod jwt;
mod member;
mod organization;
mod rbac;
mod retry;
mod said;
mod segment;
mod sent;
mod session;
#[cfg(feature = "testing")]
pub mod testing;
mod update;
mod wire;

pub use build_error::BuildError;
pub use client::{Client, ClientBuilder};
pub use error::{Details, Error, Outcome};
pub use generated::types;
pub use member::MemberClient;
pub use retry::RetryPolicy;
pub use session::{Session, SessionKind};

/// The generated client, for a service that acts for the project itself.
///
/// **Its requests run with the full power of the project.** Get it from
/// [`Client::bindings`], which says what it does and doesn't do.
pub mod bindings {
    pub use crate::{
        generated::{ByteStream, Client, ClientInfo, Error, ResponseValue},
        session::Credential,
        wire::Caller,
    };
}

// The README's examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
