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

/// Returns the value that a share `at` of the values doesn't exceed.
pub fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(at * (sorted.len() - 1) as f64).round() as usize]
}

/// Returns the median.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}
