//! Sends one operation once.
//!
//! - `transport.rs` sends each operation with the generated client, under a permit.
//! - `hooks.rs` attaches credentials; `destination.rs` makes URLs; `decode.rs` decodes responses.
//! - `client.rs` configures reqwest; `destination.rs` checks the base URL and the proxy.
//! - `failure.rs` finds out why there is no response, and whether a request was sent.

mod client;
mod decode;
mod destination;
mod failure;
mod hooks;
mod transport;

pub(crate) use client::{HttpConfig, placeholder};
pub(crate) use destination::{BaseUrl, Proxy};
pub use hooks::RequestContext;
pub(crate) use hooks::TransportConfig;
pub(crate) use transport::{
    GetConnections, MemberRequest, NO_SUCH_CONNECTION, Transport, UpdateConnection,
};
