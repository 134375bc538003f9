//! Benchmarks of an update: the parts that the commands share.
//!
//! Client and server run in separate processes, so that only the client is measured: a
//! [`server`] on one core, a [`client`] on another.

pub mod client;
pub mod fixtures;
pub mod process;
pub mod report;
pub mod server;

/// Any error ends the benchmark.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
