//! Tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by a panic and says what it measured"
)]

mod attacks;
mod connections;
mod detours;
mod failures;
mod lies;
mod properties;
mod redirects;
mod secrets;
mod soak;
mod standin;
mod support;
mod tries;
