//! The tests that stand where a user of the crate stands, in one binary.

mod standin;
mod support;
mod vectors;
