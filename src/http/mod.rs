//! Sends one operation once.
//!
//! - `transport.rs` sends each operation with the generated client, under a permit.
//! - `hooks.rs` attaches credentials; `request.rs` makes URLs; `decode.rs` decodes responses.
//! - `client.rs` configures reqwest; `base_url.rs` and `proxy.rs` check settings.
//! - `failure.rs` finds out why there is no response.
//! - `body_progress.rs` detects whether a request was sent.

mod base_url;
mod body_progress;
mod client;
mod decode;
mod failure;
mod hooks;
mod proxy;
mod request;
mod transport;

pub(crate) use base_url::BaseUrl;
pub(crate) use client::{HttpConfig, placeholder};
pub use hooks::RequestContext;
pub(crate) use hooks::TransportConfig;
pub(crate) use proxy::Proxy;
pub(crate) use request::OperationUrls;
pub(crate) use transport::{
    AuthenticateSessionResponse, Bindings, ExternalConnection, GetConnections,
    GetConnectionsResponse, GetJwksResponse, Jwk, MemberRequest, NO_SUCH_CONNECTION, RbacRole,
    Transport, UpdateConnection, UpdateExternalConnectionRequest, UpdateExternalConnectionResponse,
};
