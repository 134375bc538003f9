//! The tests of the public API, in one binary.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod attacks;
mod bindings;
mod browser;
mod budget;
mod build_script;
mod client;
mod clocks;
mod connections;
mod cookies;
mod decoding;
mod denial;
mod detours;
mod edits;
mod error_kit;
mod errors;
mod example;
mod failures;
mod fake;
mod generated_types;
mod http_settings;
mod lenient_responses;
mod load;
mod mocks;
mod organization;
mod outage;
mod permanent;
mod permissions;
mod properties;
mod proxies;
mod read;
mod readme;
mod redirects;
mod retries;
mod runtimes;
mod secrets;
mod service;
mod sessions;
mod soak;
mod span;
mod support;
mod update;
mod vectors;
