//! What the OpenAPI document generates, and the types that it is given.
//!
//! - `generated` has the client and types that the build generates from
//!   `openapi/generated/external-connections.json`.
//! - `operation.rs` has the operations and the permissions that they require, generated too, and ids
//!   that are safe inside their paths.
//! - `session.rs` has the member's session and its header.
//! - `cookies.rs` finds the session of an incoming request, in its headers or cookies.
//! - `replacements.rs` has the types that stand in place of generated ones: credentials, and the
//!   roles of a member.
//! - `json.rs` decodes JSON: the field at which that fails, null as a default.

mod cookies;
pub(crate) mod json;
mod operation;
mod replacements;
mod session;

pub use cookies::SessionCookies;
pub use generated::types;
#[cfg(any(feature = "testing", fuzzing))]
pub(crate) use operation::decode_success;
pub use operation::{Operation, Permission};
pub(crate) use operation::{PathSegment, ResponseBody, check_id};
pub use replacements::{Credential, MemberRoles};
pub(crate) use session::{JWT_HEADER, SessionDigest, SessionHeader, TOKEN_HEADER};
pub use session::{Session, SessionKind};

/// The generated code, without the lints that it doesn't pass. Nothing is added here.
#[allow(unreachable_pub, unused_mut, unused_qualifications)]
#[allow(clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub(crate) mod generated {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}
