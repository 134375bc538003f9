//! Time, and what calls share while they wait.
//!
//! - `clock.rs` has the clock of sessions, keys and caches.
//! - `deadline.rs` has the instant by which a call returns.
//! - `refreshing.rs` has a value that is fetched when a call needs it.
//! - `single_flight.rs` shares one request between concurrent callers.
//! - `lock.rs` locks a mutex.

#[cfg_attr(
    not(feature = "testing"),
    expect(unreachable_pub, reason = "only `testing` exposes a clock that moves")
)]
#[cfg_attr(
    not(any(feature = "testing", test)),
    expect(dead_code, reason = "only `testing` and unit tests move a clock")
)]
mod clock;
mod deadline;
mod lock;
mod refreshing;
mod single_flight;

#[cfg_attr(
    not(feature = "testing"),
    expect(unreachable_pub, reason = "only `testing` exposes a clock that moves")
)]
pub use clock::Clock;
pub(crate) use deadline::Deadline;
pub(crate) use lock::lock;
pub(crate) use refreshing::{MaxAge, RefreshingCache};
pub(crate) use single_flight::SingleFlight;
