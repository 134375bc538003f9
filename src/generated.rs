//! The fence around the generated code: what the build made of
//! `openapi/external-connections.json`, and the lints that it can't keep.
//!
//! Nothing is added here. Besides `lib.rs`, only `transport.rs`, `response.rs`,
//! `connection.rs`, `operation.rs` and `testing/` name generated code.
#![allow(
    unreachable_pub,
    unused_mut,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
