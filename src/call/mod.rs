//! Any call: attempts, retry policy and budget, span.
//!
//! - `call.rs` has what every call uses, and the attempts of one call.
//! - `retry.rs` decides which failures are retried, and when.
//! - `span.rs` has the tracing span of a call.

mod call;
mod retry;
mod span;

pub(crate) use call::{Attempts, CallContext};
pub(crate) use retry::Retry;
pub use retry::RetryPolicy;
