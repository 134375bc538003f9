//! The tests that stand where a user of the crate stands, in one binary.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod attacks;
mod browser;
mod client;
mod connections;
mod denial;
mod detours;
mod example;
mod failures;
mod lies;
mod load;
mod organization;
mod outside;
mod properties;
mod redirects;
mod secrets;
mod service;
mod soak;
mod span;
mod standin;
mod support;
mod tries;
mod update;
mod vectors;
