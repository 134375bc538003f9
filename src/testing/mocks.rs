//! Typed helpers for a [`MockServer`](httpmock::MockServer) of a test, generated from the same
//! OpenAPI document as the bindings.
//!
//! Each operation has a `when` with its path and parameters and a `then` with the types of its
//! responses; [`responses`](super::responses) has bodies for them. The paths are anchored, so
//! the client's base URL must be the server's, without a prefix.
//!
//! [`testing::httpmock`](super::httpmock) is the version that they are generated for.
//!
//! | method of `MockServerExt` | `when` has | `then.success` takes |
//! | --- | --- | --- |
//! | `update_external_connection` | `organization_id`, `connection_id`, both session headers, `body` | `&UpdateExternalConnectionResponse` |
//! | `get_connections` | `organization_id`, both session headers | `&GetConnectionsResponse` |
//! | `authenticate_session` | `body` | `&AuthenticateSessionResponse` |
//! | `get_jwks` | `project_id` | `&GetJwksResponse` |
//! | `get_rbac_policy` | | `&GetRbacPolicyResponse` |
//! | `get_organization_rbac_policy` | `organization_id` | `&GetOrganizationRbacPolicyResponse` |
//!
//! The session headers are `x_stytch_member_session` and `x_stytch_member_session_jwt`; what a `when`
//! doesn't set matches any value. Each `then` has `success(status, &body)` for 2xx,
//! `client_error(status, &error)` for 4xx and `server_error(status, &error)` for 5xx. `into_inner`
//! returns httpmock's own `When` and `Then`, for everything else.
//!
//! ```
//! use stytch_sso_external::{
//!     Client, ErrorKind, Session,
//!     testing::{httpmock::MockServer, mocks::MockServerExt, responses},
//!     types::UpdateExternalConnectionRequest,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = MockServer::start();
//! server.authenticate_session(|_when, then| {
//!     then.success(200, &responses::authenticated("organization-test-1", "token", "jwt"));
//! });
//! let denied = server.update_external_connection(|when, then| {
//!     when.organization_id("organization-test-1").x_stytch_member_session("token");
//!     then.client_error(403, &responses::permission_denied());
//! });
//!
//! let client = Client::builder("project-test-1", "secret").base_url(server.base_url()).build()?;
//! let member = client.as_member(Session::token("token"));
//! let rename = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
//! let result = member.update_connection("external-connection-test-1", &rename).await;
//! assert!(result.is_err_and(|error| matches!(error.kind(), ErrorKind::PermissionDenied { .. })));
//! denied.assert();
//! # Ok(())
//! # }
//! ```
//!
//! An id matches itself, whatever characters it has.
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
