//! Tests.

mod attacks;
mod connections;
mod detours;
mod failures;
mod lies;
mod redirects;
mod secrets;
mod standin;
mod support;
mod tries;
