//! Any call: attempts, retry policy and budget, span.
//!
//! - `call.rs` has what every call uses, and the attempts of one call.
//! - `retry.rs` has the retry policy and budget: how often, and when. Whether an error is retryable is
//!   decided in `error/response.rs`, and without a response in `http/result.rs`.
//! - `span.rs` has the tracing span of a call.

mod call;
mod retry;
mod span;

pub(crate) use call::{Attempts, CallContext};
pub(crate) use retry::Retry;
pub use retry::RetryPolicy;
