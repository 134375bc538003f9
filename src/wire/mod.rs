//! What the OpenAPI document generates, and the types that it is given.
//!
//! - `generated.rs` includes the generated client and types.
//! - `operation.rs` has the operations and the permissions that they require, generated too.
//! - `session.rs` has the member's session and its header.
//! - `cookies.rs` finds the session of an incoming request, in its headers or cookies.
//! - `credential.rs` has the type of session tokens and JWTs inside generated types.
//! - `path_segment.rs` has ids that are safe inside a URL's path.
//! - `member_roles.rs` has the roles of a member.
//! - `json.rs` decodes JSON: the field at which that fails, null as a default.

mod cookies;
mod credential;
pub(crate) mod generated;
pub(crate) mod json;
mod member_roles;
mod operation;
pub(crate) mod path_segment;
mod session;

pub use cookies::SessionCookies;
pub use credential::Credential;
pub use generated::types;
pub use member_roles::MemberRoles;
pub(crate) use operation::ResponseBody;
#[cfg(any(feature = "testing", fuzzing))]
pub(crate) use operation::decode_success;
pub use operation::{Operation, Permission};
pub(crate) use path_segment::PathSegment;
pub(crate) use session::{JWT_HEADER, SessionDigest, SessionHeader, TOKEN_HEADER};
pub use session::{Session, SessionKind};
