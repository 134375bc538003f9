//! Typed helpers for a [`MockServer`](httpmock::MockServer) of the tester's own, generated
//! from the same OpenAPI document as the bindings.
//!
//! Each operation has a `when` that knows its path and parameters and a `then` that takes
//! the types of its answers; [`responses`](super::responses) has bodies for them. The paths
//! are anchored, so the client's base URL must be the server's own, without a prefix.
//!
//! ```
//! use httpmock::MockServer;
//! use stytch_sso_external::testing::{mocks::MockServerExt, responses};
//!
//! let server = MockServer::start();
//! let denied = server.update_external_connection(|when, then| {
//!     when.connection_id("external-connection-test-1");
//!     then.client_error(403, &responses::permission_denied());
//! });
//! // Let the code under test update that connection, then:
//! assert_eq!(denied.calls(), 0);
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
