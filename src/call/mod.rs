//! Any call: attempts, retry policy and budget, span.
//!
//! - `context.rs` has what every call uses.
//! - `retry.rs` decides which failures are retried, and when; `retry_budget.rs` bounds retries.
//! - `span.rs` has the tracing span of a call.

mod context;
mod retry;
mod retry_budget;
mod span;

pub(crate) use context::CallContext;
pub use retry::RetryPolicy;
pub(crate) use retry::{Attempts, Retry};
pub(crate) use span::{CallSpan, Server};
