//! What a response means, or its absence.
//!
//! - `error.rs` has the public error of a call.
//! - `kind.rs` has its kinds, and what the call changed.
//! - `response.rs` classifies responses and failed requests.
//! - `rbac.rs` maps Stytch's `error_type` to kinds.
//! - `body.rs` reads the fields of Stytch's error JSON.
//! - `build_error.rs` has the error of building a client.

mod body;
mod build_error;
mod error;
mod kind;
pub(crate) mod rbac;
pub(crate) mod response;

pub(crate) use body::loggable_request_id;
pub use build_error::BuildError;
pub use error::Error;
pub(crate) use error::{ErrorContext, Repeat};
pub use kind::{ErrorKind, Outcome};
pub(crate) use response::{BodyError, RawResponse, Success};
