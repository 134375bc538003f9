//! How often and when a retryable failure is retried; the retry budget, which bounds retries.
//!
//! An update sets values, so sending it again is safe. Never retried: a rejection, an unknown
//! 4xx, and a response that can't be decoded after Stytch accepted the request.

use std::{
    sync::Mutex,
    time::{Duration, SystemTime},
};

use crate::{
    error::Error,
    sync::{Clock, lock},
};

/// How failed attempts are retried.
///
/// Failures to connect, resets, timeouts and the statuses 408, 429, 502, 503 and 504 are retried
/// ([`Error::is_retryable`]). The backoff before each further attempt doubles from
/// [`initial_backoff`](Self::initial_backoff) to [`max_backoff`](Self::max_backoff), reduced by a
/// random amount of up to half; the server's `Retry-After` is waited for in addition. No wait
/// exceeds the call's operation timeout: where it would, the error is returned at once.
///
/// The default makes 5 attempts with backoffs of 200, 400, 800 and 1,600 ms, so that a call
/// outlasts an outage of 1.5 s.
///
/// A **retry budget** for each client, all operations together, keeps retries from multiplying
/// the load in a longer outage: it has room for 500 retries, is full at the start, and is
/// refilled by 0.1 retry for each call and 5 retries a second. When it is empty, the error is
/// returned at once, and its [`reason`](Error::reason) ends in "retry budget exhausted".
/// [`without_budget`](Self::without_budget) switches it off. Retries of `sessions/authenticate` for
/// sessions that anybody can make up have a budget of their own, a tenth of the size.
///
/// **Sending an update twice is safe**: it sets values, and the second time sets them again.
/// Only if somebody else changes the same connection in between, the second one undoes that.
///
/// ```
/// use std::time::Duration;
/// use stytch_sso_external::{Client, RetryPolicy};
///
/// # fn main() -> Result<(), stytch_sso_external::BuildError> {
/// let client = Client::builder("project-test-16b34bbe", "secret-test-example")
///     .retry(RetryPolicy::default().max_attempts(5).max_backoff(Duration::from_secs(1)))
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: Duration,
    max_backoff: Duration,
    max_retry_after: Duration,
    has_budget: bool,
}

/// 5 attempts, backoffs from 200 ms to 5 s, a `Retry-After` of up to 10 s, with a budget.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(10),
            has_budget: true,
        }
    }
}

impl RetryPolicy {
    /// Returns a policy that retries nothing.
    pub fn disabled() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets how many attempts to make in all, the first one included. 0 counts as 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the backoff before the second attempt. It doubles with each further attempt.
    pub fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = backoff;
        self
    }

    /// Sets the maximum backoff between two attempts.
    pub fn max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = backoff;
        self
    }

    /// Sets the longest `Retry-After` to wait for. A longer one isn't shortened: the error is
    /// returned at once, with [`Error::retry_after`].
    pub fn max_retry_after(mut self, duration: Duration) -> Self {
        self.max_retry_after = duration;
        self
    }

    /// Switches the retry budget off: every call makes all of its attempts.
    pub fn without_budget(mut self) -> Self {
        self.has_budget = false;
        self
    }

    /// Returns how long to wait before the attempt after `attempt` (the first is 1), or `None`
    /// to give up. `random` is from 0 to 1.
    pub(super) fn wait(&self, error: &Error, attempt: u32, random: f64) -> Option<Duration> {
        let requested = error.retry_after().unwrap_or_default();
        let gives_up = attempt >= self.max_attempts || requested > self.max_retry_after;
        if gives_up || !error.is_retryable() {
            return None;
        }
        // In addition, since jitter spreads clients that got the same value.
        Some(requested.saturating_add(self.backoff(attempt).mul_f64(0.5 + random / 2.0)))
    }

    fn backoff(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
        self.initial_backoff.saturating_mul(factor).min(self.max_backoff)
    }
}

/// How a client retries: the policy, and the budgets of its calls.
pub(crate) struct Retry {
    pub(super) policy: RetryPolicy,
    pub(crate) budget: RetryBudget,
    /// For sessions that anybody can make up: their retries leave the other budget full.
    pub(crate) unproven_budget: RetryBudget,
    pub(crate) clock: Clock,
}

impl Retry {
    pub(crate) fn new(policy: RetryPolicy, clock: Clock) -> Self {
        let budget = |retries| RetryBudget::new(retries, policy.has_budget, clock.now());
        let (budget, unproven_budget) = (budget(RETRIES), budget(RETRIES / 10));
        Self { policy, budget, unproven_budget, clock }
    }
}

/// A token bucket that keeps retries from multiplying the load of an outage. It counts in
/// microseconds: a retry takes the time in which it is refilled.
pub(crate) struct RetryBudget {
    /// What a retry takes. 0 if there is no limit.
    retry: u64,
    /// What is available, and since when.
    bucket: Mutex<(u64, SystemTime)>,
}

impl RetryBudget {
    fn new(retries: u64, is_limited: bool, now: SystemTime) -> Self {
        let retry = if is_limited { FULL / retries } else { 0 };
        Self { retry, bucket: Mutex::new((FULL, now)) }
    }

    /// Counts a call, which adds a tenth of a retry.
    pub(super) fn deposit(&self) {
        let mut bucket = lock(&self.bucket);
        bucket.0 = FULL.min(bucket.0 + self.retry / 10);
    }

    /// Takes one retry out, if there is one.
    pub(super) fn withdraw(&self, now: SystemTime) -> bool {
        let mut bucket = lock(&self.bucket);
        let (available, since) = *bucket;
        // A clock that was set back adds nothing.
        let elapsed = now.duration_since(since).unwrap_or_default().as_micros();
        let refill = u64::try_from(elapsed).map_or(FULL, |elapsed| elapsed.min(FULL));
        let available = FULL.min(available + refill);
        let rest = available.checked_sub(self.retry);
        *bucket = (rest.unwrap_or(available), now);
        rest.is_some()
    }
}

/// How many retries a client's budget has room for; that of unproven sessions has a tenth.
const RETRIES: u64 = 500;
/// The time in which an empty budget is refilled, in microseconds.
const FULL: u64 = 100_000_000;

#[cfg(test)]
mod tests;
