//! The fence around the generated code: what the build made of
//! `openapi/external-connections.json`, and the lints it can't keep.
//!
//! Nothing is added here. Beside `lib.rs`, only `wire.rs`, `rbac.rs`, `update.rs` and
//! `testing/` name this module.
#![allow(
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
