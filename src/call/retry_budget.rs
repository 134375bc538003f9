//! The retry budget of a client: a token bucket that keeps retries from multiplying the load
//! of an outage.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::sync::{Clock, lock};

/// Counts in thousandths of a retry.
pub(crate) struct RetryBudget {
    clock: Clock,
    /// The calls since the last withdrawal, counted without a lock or a clock read: nearly all
    /// calls need no retry.
    calls: AtomicU64,
    state: Mutex<State>,
}

struct State {
    available: u64,
    refilled: SystemTime,
}

impl RetryBudget {
    pub(crate) fn new(clock: Clock) -> Self {
        let state = State { available: CAPACITY, refilled: clock.now() };
        Self { clock, calls: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// Counts a call, which adds to the next refill.
    pub(crate) fn deposit(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one retry out, if there is one.
    pub(crate) fn withdraw(&self) -> bool {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        state.refill(self.calls.swap(0, Ordering::Relaxed), now);
        let rest = state.available.checked_sub(RETRY);
        if let Some(rest) = rest {
            state.available = rest;
        }
        rest.is_some()
    }
}

impl State {
    fn refill(&mut self, calls: u64, now: SystemTime) {
        // A clock that was set back adds nothing until the next withdrawal, which takes notice of it.
        let elapsed = now.duration_since(self.refilled).unwrap_or_default().as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(CAPACITY);
        let by_time = elapsed.saturating_mul(PER_MILLISECOND);
        let by_calls = calls.saturating_mul(PER_CALL);
        self.available =
            self.available.saturating_add(by_time.saturating_add(by_calls)).min(CAPACITY);
        // What is left of a millisecond counts the next time.
        let refilled = self.refilled.checked_add(Duration::from_millis(elapsed)).unwrap_or(now);
        self.refilled = refilled.min(now);
    }
}

const RETRY: u64 = 1_000;
const CAPACITY: u64 = 500 * RETRY;
const PER_CALL: u64 = RETRY / 10;
/// 5 retries a second.
const PER_MILLISECOND: u64 = 5 * RETRY / 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_calls_add_a_retry_up_to_the_capacity() {
        let budget = RetryBudget::new(Clock::stopped());
        let withdraw_all = || (0..1_000).filter(|_| budget.withdraw()).count();
        for (calls, expected) in [(100, 500), (9, 0), (1, 1), (25, 2), (5, 1), (10_000, 500)] {
            (0..calls).for_each(|_| budget.deposit());
            assert_eq!(withdraw_all(), expected, "after {calls} calls");
        }
    }

    #[test]
    fn clock_that_is_set_back_adds_nothing_and_refills_from_there() {
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(60 * 60);
        let mut budget = RetryBudget::new(Clock::stopped_at(late));
        let withdrawn = (0..1_000).filter(|_| budget.withdraw()).count();
        assert_eq!(withdrawn, 500);
        let clock = Clock::stopped_at(late - Duration::from_secs(30 * 60));
        budget.clock = clock.clone();
        assert!(!budget.withdraw());
        for _ in 0..2 {
            clock.advance(Duration::from_secs(1));
            assert_eq!((0..10).filter(|_| budget.withdraw()).count(), 5);
        }
    }
}
