//! Tests.

mod standin;
