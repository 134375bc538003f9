//! Tests.

mod lies;
mod standin;
mod support;
