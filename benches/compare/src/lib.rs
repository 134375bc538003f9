//! Benchmarks of an update: the parts that the commands share.
//!
//! Each client runs in a process of its own, so that only the client is measured. The server is a
//! thread of the process that starts the clients, on another core.

pub mod client;
pub mod process;
pub mod project;
// The server of the other benchmarks.
#[path = "../../support/server.rs"]
mod server;

/// Any error ends the benchmark.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Returns the median.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
