//! What a response means, or its absence.
//!
//! - `error.rs` has the public error of a call.
//! - `kind.rs` has its kinds, with the table from Stytch's `error_type`, and what the call changed.
//! - `response.rs` classifies responses, and reads Stytch's error JSON.
//! - `build_error.rs` has the error of building a client.

mod build_error;
mod error;
mod kind;
pub(crate) mod response;

pub use build_error::BuildError;
pub use error::Error;
pub(crate) use error::loggable_request_id;
pub use kind::{ErrorKind, Outcome};
pub(crate) use response::{Attempted, BodyError, RawResponse};
