//! The time that sessions, keys and caches go by, injectable so that tests don't wait.
//!
//! One clock for all of it: a JWT's `exp`, the age of the keys and the age of a cache
//! entry. Timeouts and backoff are real time and not its business.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Tells the time: the system's, or a test's.
///
/// A clone shares the time: advancing one advances all.
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
#[derive(Clone)]
pub struct Clock(Option<Arc<Stopped>>);

struct Stopped {
    start: SystemTime,
    advanced_ms: AtomicU64,
}

impl Clock {
    /// The system's clock.
    pub(crate) fn system() -> Self {
        Self(None)
    }

    /// Makes a clock that stands at the present time until [`advance`](Self::advance)
    /// moves it.
    #[must_use]
    pub fn stopped() -> Self {
        Self::stopped_at(SystemTime::now())
    }

    /// Makes a clock that stands at the given time until [`advance`](Self::advance) moves it.
    #[must_use]
    pub fn stopped_at(start: SystemTime) -> Self {
        Self(Some(Arc::new(Stopped { start, advanced_ms: AtomicU64::new(0) })))
    }

    /// Tells the time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(stopped) => {
                stopped.start + Duration::from_millis(stopped.advanced_ms.load(Ordering::SeqCst))
            }
        }
    }

    /// Moves the time forward, in whole milliseconds. The system's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Some(stopped) = &self.0 {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            let advanced = |ms: u64| Some(ms.saturating_add(by));
            let _ = stopped.advanced_ms.fetch_update(Ordering::SeqCst, Ordering::SeqCst, advanced);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_none() { "Clock(system)" } else { "Clock(stopped)" })
    }
}
