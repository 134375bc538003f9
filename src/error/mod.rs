//! What a response means, or its absence.
//!
//! - `error.rs` has the public error; `details.rs` has what it carries.
//! - `response.rs` classifies responses and failures.
//! - `rbac.rs` maps Stytch's `error_type` to errors.
//! - `body.rs` reads the fields of Stytch's error JSON.
//! - `json_path.rs` names the field at which decoding failed.
//! - `build_error.rs` has the error of building a client.

mod body;
mod build_error;
mod details;
mod error;
mod json_path;
pub(crate) mod rbac;
pub(crate) mod response;

pub use build_error::BuildError;
pub use details::Details;
pub use details::Outcome;
pub(crate) use details::{ErrorContext, Repeat, loggable_request_id};
pub use error::Error;
pub(crate) use response::{BodyError, Failure, RawResponse, Success};
