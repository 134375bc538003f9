//! Sends one operation once.
//!
//! - `transport.rs` sends each operation with the generated client, under a permit.
//! - `hooks.rs` attaches credentials; `destination.rs` makes URLs.
//! - `result.rs` decodes responses, or finds out why there is none.
//! - `client.rs` configures reqwest; `destination.rs` checks the base URL and the proxy.

mod client;
mod destination;
mod hooks;
mod result;
mod transport;

pub(crate) use client::{HttpConfig, placeholder};
pub(crate) use destination::{BaseUrl, Proxy};
pub use hooks::RequestContext;
pub(crate) use hooks::TransportConfig;
pub(crate) use transport::{
    GetConnections, MemberRequest, NO_SUCH_CONNECTION, Transport, UpdateConnection,
};
