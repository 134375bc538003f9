//! The tests that stand where a user of the crate stands, in one binary.

mod denial;
mod load;
mod organization;
mod standin;
mod support;
mod update;
mod vectors;
