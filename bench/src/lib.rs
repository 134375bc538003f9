//! What an update costs: the parts that the two commands share.
//!
//! Everything runs in processes of its own, so that what is measured is the client alone:
//! [`server`] answers on one core, a [`client`] asks from another.

pub mod client;
pub mod fixtures;
pub mod process;
pub mod report;
pub mod server;

/// Whatever goes wrong ends the benchmark.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
