//! Typed helpers for a [`MockServer`](httpmock::MockServer) of the tester's own, generated
//! from the same OpenAPI document as the bindings.
//!
//! Each operation has a `when` that knows its path and parameters and a `then` that takes
//! the types of its answers; [`responses`](super::responses) has bodies for them. The paths
//! are anchored, so the client's base URL must be the server's own, without a prefix.
//!
//! ```
//! use httpmock::MockServer;
//! use stytch_sso_external::{
//!     Client, Error, Session,
//!     testing::{mocks::MockServerExt, responses},
//!     types::UpdateExternalConnectionRequest,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = MockServer::start();
//! server.authenticate_session(|_when, then| {
//!     then.ok(&responses::authenticated("organization-test-1", "token", "jwt"));
//! });
//! let denied = server.update_external_connection(|when, then| {
//!     when.organization_id("organization-test-1").x_stytch_member_session("token");
//!     then.client_error(403, &responses::permission_denied());
//! });
//!
//! let client = Client::builder("project-test-1", "secret").base_url(server.base_url()).build()?;
//! let member = client.as_member(Session::token("token"));
//! let rename = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
//! let outcome = member.update_connection("external-connection-test-1", &rename).await;
//! assert!(matches!(outcome, Err(Error::PermissionDenied { .. })));
//! denied.assert();
//! # Ok(())
//! # }
//! ```
//!
//! Ids go into a regular expression as they are: an id with a dot or a slash matches more,
//! or nothing.
#![allow(
    missing_debug_implementations,
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "generated code"
)]

include!(concat!(env!("OUT_DIR"), "/mocks.rs"));
