//! Sends one operation once.
//!
//! - `transport.rs` sends each operation with the generated client, under a permit.
//! - `hooks.rs` attaches credentials; `url.rs` makes URLs; `decode.rs` decodes responses.
//! - `client.rs` configures reqwest; `url.rs` and `proxy.rs` check settings.
//! - `failure.rs` finds out why there is no response, and whether a request was sent.

mod client;
mod decode;
mod failure;
mod hooks;
mod proxy;
mod transport;
mod url;

pub(crate) use client::{HttpConfig, placeholder};
pub use hooks::RequestContext;
pub(crate) use hooks::TransportConfig;
pub(crate) use proxy::Proxy;
pub(crate) use transport::{
    GetConnections, MemberRequest, NO_SUCH_CONNECTION, Transport, UpdateConnection,
};
pub(crate) use url::BaseUrl;
