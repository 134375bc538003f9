//! The tests that stand where a user of the crate stands, in one binary.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod denial;
mod load;
mod organization;
mod standin;
mod support;
mod update;
mod vectors;
