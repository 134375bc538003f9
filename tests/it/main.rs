//! Tests.

mod connections;
mod failures;
mod lies;
mod redirects;
mod standin;
mod support;
