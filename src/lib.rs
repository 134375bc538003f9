//! Updates Stytch B2B External SSO connections **as the member who is logged in**.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod clock;
mod deadline;
mod error;
mod flight;
mod generated;
mod jwks;
mod member;
mod organization;
mod rbac;
mod retry;
mod said;
mod segment;
mod sent;
mod session;
#[cfg(feature = "testing")]
pub mod testing;
mod update;
mod wire;

pub use client::{BuildError, Client, ClientBuilder};
pub use error::{Details, Error, Outcome};
pub use generated::types;
pub use member::MemberClient;
pub use retry::RetryPolicy;
pub use session::{Session, SessionKind};

/// The generated client, for a service that acts for the project itself.
///
/// **Its requests run with the full power of the project.** Get it from
/// [`Client::bindings`], which says what it does and doesn't do.
pub mod bindings {
    pub use crate::{
        generated::{ByteStream, Client, ClientInfo, Error, ResponseValue},
        session::Credential,
        wire::Caller,
    };
}
