//! Includes the code that the build generates from `openapi/generated/external-connections.json`,
//! without the lints that generated code doesn't pass.
//!
//! Nothing is added here.
#![allow(
    unreachable_pub,
    unused_mut,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
