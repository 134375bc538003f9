//! Sends one operation once.
//!
//! - `transport.rs` sends each operation with the generated client, all but one under a permit.
//! - `hooks.rs` attaches credentials.
//! - `result.rs` decodes responses, or finds out why there is none: TLS, proxies, timeouts.
//! - `destination.rs` checks the base URL and the proxy, and makes the URLs of operations.
//! - `client.rs` configures reqwest.

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
