//! The clock of sessions, keys and caches, injectable so that tests don't wait.
//!
//! One clock for a JWT's `exp`, the age of cached values, the backoff after a failed fetch and the
//! retry budget. Timeouts and the backoffs between attempts are in real time; with a stopped clock,
//! a `Retry-After` is not waited for.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use super::lock;

/// A clock: the system's, or one that a test advances.
///
/// Clones share the time: advancing one advances all.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use std::time::Duration;
/// use stytch_sso_external::testing::Clock;
///
/// let clock = Clock::stopped();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(300));
/// assert_eq!(clock.now(), before + Duration::from_secs(300));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Option<Arc<Mutex<SystemTime>>>);

impl Clock {
    /// The system's clock.
    pub(crate) fn system() -> Self {
        Self(None)
    }

    /// Creates a clock that stands at the current time until [`advance`](Self::advance) moves
    /// it.
    pub fn stopped() -> Self {
        Self::stopped_at(SystemTime::now())
    }

    /// Creates a clock that stands at the given time until [`advance`](Self::advance) moves it.
    pub fn stopped_at(start: SystemTime) -> Self {
        Self(Some(Arc::new(Mutex::new(start))))
    }

    /// Returns the time.
    pub fn now(&self) -> SystemTime {
        self.0.as_ref().map_or_else(SystemTime::now, |stopped| *lock(stopped))
    }

    /// Whether a test advances it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.0.is_some()
    }

    /// How long ago a time was. If the clock went back past it, it counts as very long ago.
    pub(crate) fn age(&self, at: SystemTime) -> Duration {
        self.now().duration_since(at).unwrap_or(Duration::MAX)
    }

    /// Moves the time forward. Does nothing to the system's clock, nor beyond the latest time that
    /// can be represented.
    pub fn advance(&self, by: Duration) {
        if let Some(stopped) = &self.0 {
            let mut now = lock(stopped);
            *now = now.checked_add(by).unwrap_or(*now);
        }
    }
}
