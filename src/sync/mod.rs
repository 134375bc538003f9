//! Time, and what calls share while they wait.
//!
//! - `clock.rs` has the clock of sessions, keys and caches.
//! - `deadline.rs` has the instant by which a call returns.
//! - `refreshing.rs` has a value that is fetched when a call needs it.
//! - `single_flight.rs` shares one request between concurrent callers.

#![cfg_attr(
    not(feature = "testing"),
    expect(dead_code, unreachable_pub, reason = "only `testing` exposes a clock that moves")
)]

mod clock;
mod deadline;
mod refreshing;
mod single_flight;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use clock::Clock;
pub(crate) use deadline::Deadline;
pub(crate) use refreshing::{RefreshingCache, Schedule};
pub(crate) use single_flight::SingleFlight;

/// Locks a mutex whose data is valid even if a thread panicked while it held the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
