//! Testing code that uses this crate, without an account and without mocking HTTP by hand.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    clippy::unwrap_used,
    reason = "a test kit fails the test, and says what the tester did wrong"
)]

mod answer;
mod authenticate;
mod connection;
mod fault;
mod jwks;
pub mod jwt;
mod key;
mod log;
pub mod mocks;
mod operation;
mod organization;
mod project;
mod rbac;
pub mod responses;
mod server;
mod session;
mod stytch;
mod time;
mod update;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::{
    answer::Answer,
    connection::{Connection, ConnectionBuilder},
    fault::{Fault, ScriptedFault},
    log::{SeenRequest, Update},
    operation::Operation,
    organization::{Member, Organization},
    session::LoggedIn,
    stytch::{Stytch, StytchBuilder},
};
pub use crate::clock::Clock;

/// A new id in Stytch's shape, such as `member-test-07971b06-ac8b-4cdb-9c15-63b17e653931`.
fn id(kind: &str, environment: &str) -> String {
    let random = format!("{:032x}", fastrand::u128(..));
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &random[group]);
    format!("{kind}-{environment}-{}", groups.join("-"))
}

/// As opaque and as long as Stytch's session tokens.
fn random_token() -> String {
    (0..44).map(|_| fastrand::alphanumeric()).collect()
}

/// Goes on after a panic elsewhere: a failed test must not fail the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
