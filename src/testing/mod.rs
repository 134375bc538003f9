//! x
pub use crate::clock::Clock;
