//! The pause after fetches that fail one after the other.
//!
//! With jitter, so that a fleet of processes doesn't fetch in step.

use std::time::{Duration, SystemTime};

use super::clock::Clock;

/// How many fetches failed in a row, and how long no further one begins.
#[derive(Clone, Copy)]
pub(crate) struct Backoff {
    failures: u32,
    failed: SystemTime,
    pause: Duration,
}

impl Backoff {
    /// The backoff after a fetch that failed at that time. `previous` is that of the fetch
    /// before it, if that failed too; `requested` is the `Retry-After` of the response.
    pub(crate) fn after(
        previous: Option<Self>,
        failed: SystemTime,
        requested: Option<Duration>,
    ) -> Self {
        let failures = previous.map_or(0, |previous| previous.failures);
        let limit = MIN.saturating_mul(1 << failures.min(10)).min(MAX);
        let jittered = limit.mul_f64(1.0 - fastrand::f64() / 4.0);
        let pause = jittered.max(requested.unwrap_or_default().min(MAX));
        Self { failures: failures + 1, failed, pause }
    }

    /// Extends the pause to the end of the `Retry-After` of a response that came after the fetch
    /// counted as failed.
    pub(crate) fn prolong(&mut self, now: SystemTime, requested: Option<Duration>) {
        let elapsed = now.duration_since(self.failed).unwrap_or_default();
        let requested = requested.map(|requested| elapsed + requested.min(MAX));
        self.pause = self.pause.max(requested.unwrap_or_default());
    }

    pub(crate) fn is_running(self, clock: &Clock) -> bool {
        clock.age(self.failed) < self.pause
    }
}

const MIN: Duration = Duration::from_secs(1);
const MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_doubles_up_to_the_maximum() {
        let mut backoff = None;
        for limit in [1, 2, 4, 8, 16, 30, 30] {
            let next = Backoff::after(backoff, SystemTime::UNIX_EPOCH, None);
            let limit = Duration::from_secs(limit);
            assert!(next.pause <= limit && next.pause >= limit * 3 / 4, "{:?}", next.pause);
            backoff = Some(next);
        }
    }

    #[test]
    fn retry_after_prolongs_the_pause_up_to_the_maximum() {
        for (requested, expected) in [(20, 20), (60, 30)] {
            let requested = Some(Duration::from_secs(requested));
            let backoff = Backoff::after(None, SystemTime::UNIX_EPOCH, requested);
            assert_eq!(backoff.pause, Duration::from_secs(expected));
        }
    }

    #[test]
    fn late_retry_after_prolongs_the_pause_and_never_shortens_it() {
        let second = Duration::from_secs(1);
        let failed = SystemTime::UNIX_EPOCH;
        for (pause, requested, expected) in [(1, 20, 29), (30, 1, 30), (30, 60, 39)] {
            let mut backoff = Backoff { failures: 1, failed, pause: pause * second };
            backoff.prolong(failed + 9 * second, Some(requested * second));
            assert_eq!(backoff.pause, expected * second);
        }
    }

    #[test]
    fn pauses_differ() {
        let pauses: Vec<_> =
            (0..8).map(|_| Backoff::after(None, SystemTime::UNIX_EPOCH, None).pause).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
