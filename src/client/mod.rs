//! One project.
//!
//! - `client.rs` has the client; `builder.rs` has its configuration.

mod builder;
mod client;

pub use builder::ClientBuilder;
pub use client::Client;
