//! Includes the code that the build generates from `openapi/generated/external-connections.json`,
//! without the lints that generated code doesn't pass.
//!
//! Nothing is added here. `cargo xtask tidy` lists the files that may use it.
#![allow(
    unreachable_pub,
    unused_mut,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
