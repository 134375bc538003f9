//! Which failures are retried, when, and until when.
//!
//! An update sets values, so sending it again is safe. Never retried: a rejection, an unknown
//! 4xx, and a response that can't be decoded after Stytch accepted the request.

use std::time::Duration;

use super::retry_budget::RetryBudget;
use crate::{
    error::{Error, ErrorContext, Outcome, Repeat},
    sync::{Clock, Deadline},
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
/// [`without_budget`](Self::without_budget) switches it off.
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
    #[must_use]
    pub fn disabled() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets how many attempts to make in all, the first one included. 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the backoff before the second attempt. It doubles with each further attempt.
    #[must_use]
    pub fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = backoff;
        self
    }

    /// Sets the maximum backoff between two attempts.
    #[must_use]
    pub fn max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = backoff;
        self
    }

    /// Sets the longest `Retry-After` to wait for. A longer one isn't shortened: the error is
    /// returned at once, with [`Error::retry_after`].
    #[must_use]
    pub fn max_retry_after(mut self, duration: Duration) -> Self {
        self.max_retry_after = duration;
        self
    }

    /// Switches the retry budget off: every call makes all of its attempts.
    #[must_use]
    pub fn without_budget(mut self) -> Self {
        self.has_budget = false;
        self
    }

    /// Returns how long to wait before the attempt after `attempt` (the first is 1), or `None`
    /// to give up. `random` is from 0 to 1.
    fn wait(&self, error: &Error, attempt: u32, random: f64) -> Option<Duration> {
        if !error.is_retryable() || attempt >= self.max_attempts {
            return None;
        }
        let requested = error.retry_after().unwrap_or_default();
        if requested > self.max_retry_after {
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

/// How a client retries: the policy, and the budget of all its calls.
pub(crate) struct Retry {
    policy: RetryPolicy,
    budget: RetryBudget,
    clock: Clock,
}

impl Retry {
    pub(crate) fn new(policy: RetryPolicy, clock: Clock) -> Self {
        Self { policy, budget: RetryBudget::new(clock.clone()), clock }
    }

    /// The attempts of a call that begins now.
    pub(crate) fn begin(&self, deadline: Deadline) -> Attempts<'_> {
        if self.policy.has_budget {
            self.budget.deposit();
        }
        Attempts { retry: self, deadline, is_single: false, made: 0, maybe_applied: false }
    }

    /// The one attempt of a request that is retried by other means.
    pub(crate) fn begin_single(&self, deadline: Deadline) -> Attempts<'_> {
        Attempts { retry: self, deadline, is_single: true, made: 0, maybe_applied: false }
    }
}

/// The attempts of one call so far.
pub(crate) struct Attempts<'a> {
    retry: &'a Retry,
    deadline: Deadline,
    is_single: bool,
    made: u32,
    maybe_applied: bool,
}

impl Attempts<'_> {
    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Waits until the next attempt is due after one that failed, or returns the error that the
    /// call fails with.
    pub(crate) async fn retry_or_fail(&mut self, error: Error) -> Result<(), Error> {
        if error.context().repeat == Repeat::OutOfTimeUnsent {
            return Err(self.fail(error));
        }
        self.made += 1;
        let error = self.fail(error);
        if self.is_single {
            return Err(error);
        }
        let out_of_time = |context: &mut ErrorContext| context.repeat = Repeat::OutOfTime;
        let remaining = self.deadline.remaining();
        if error.is_retryable() && remaining.is_zero() {
            return Err(error.amend(out_of_time));
        }
        let Retry { policy, budget, clock } = self.retry;
        let Some(wait) = policy.wait(&error, self.made, fastrand::f64()) else {
            return Err(error);
        };
        if wait >= remaining {
            return Err(error.amend(out_of_time));
        }
        if policy.has_budget && !budget.withdraw() {
            return Err(error.amend(|context| {
                context.reason = format!("{}; retry budget exhausted", context.reason).into();
            }));
        }
        tracing::debug!(attempt = self.made, wait = ?wait, error = %error, "retrying");
        // With a stopped clock, `Retry-After` isn't waited for.
        let requested = error.retry_after().filter(|_| clock.is_stopped()).unwrap_or_default();
        tokio::time::sleep(wait.saturating_sub(requested)).await;
        Ok(())
    }

    /// Counts a failed attempt that is repeated at once, with a renewed session.
    pub(crate) fn repeat(&mut self, error: Error) {
        self.made += 1;
        self.fail(error);
    }

    /// The error of a call that fails with `error`: it covers all attempts, since a rejection
    /// doesn't revert what an earlier attempt may have done.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.maybe_applied |= error.outcome() == Outcome::Unknown;
        let (made, maybe_applied) = (self.made, self.maybe_applied);
        error.amend(|context| {
            context.attempts = context.attempts.max(made);
            if maybe_applied && context.outcome == Outcome::NotApplied {
                context.outcome = Outcome::Unknown;
            }
        })
    }

    /// How many attempts failed so far.
    pub(crate) fn failed(&self) -> u32 {
        self.made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::ErrorKind, wire::Operation};

    const SECOND: Duration = Duration::from_secs(1);

    fn failure(retryable: bool, retry_after: Option<Duration>) -> Error {
        let context = ErrorContext::new(ErrorKind::Transport, Operation::GetJwks, "failed");
        ErrorContext { retry_after, ..context }.into_error(Some(retryable))
    }

    #[test]
    fn backoff_doubles_up_to_the_maximum() {
        let policy = RetryPolicy::default().initial_backoff(SECOND).max_backoff(3 * SECOND);
        let backoffs: Vec<_> = (1..=4).map(|attempt| policy.backoff(attempt)).collect();
        assert_eq!(backoffs, [SECOND, 2 * SECOND, 3 * SECOND, 3 * SECOND]);
    }

    #[test]
    fn jitter_keeps_half_of_the_backoff() {
        let policy = RetryPolicy::default().initial_backoff(SECOND);
        let wait = |random| policy.wait(&failure(true, None), 1, random);
        assert_eq!(wait(0.0), Some(SECOND / 2));
        assert_eq!(wait(0.5), Some(SECOND * 3 / 4));
        assert_eq!(wait(1.0), Some(SECOND));
    }

    /// The documentation promises that a call outlasts an outage of this time.
    #[test]
    fn default_backoffs_add_up_to_a_second_and_a_half_whatever_the_jitter() {
        let policy = RetryPolicy::default();
        let wait = |attempt| policy.wait(&failure(true, None), attempt, 0.0);
        let waits: Vec<_> = (1..).map_while(wait).collect();
        assert_eq!(waits.len(), 4);
        assert_eq!(waits.iter().sum::<Duration>(), SECOND * 3 / 2);
    }

    #[test]
    fn gives_up_after_the_last_attempt_and_on_permanent_errors() {
        let policy = RetryPolicy::default().max_attempts(2);
        assert!(policy.wait(&failure(true, None), 1, 0.0).is_some());
        assert!(policy.wait(&failure(true, None), 2, 0.0).is_none());
        assert!(policy.wait(&failure(false, None), 1, 0.0).is_none());
        assert!(RetryPolicy::disabled().wait(&failure(true, None), 1, 0.0).is_none());
    }

    #[tokio::test]
    async fn no_wait_exceeds_the_deadline() {
        for (initial_backoff, retry_after) in [(4 * SECOND, None), (SECOND, Some(2 * SECOND))] {
            let policy = RetryPolicy::default().initial_backoff(initial_backoff);
            let retry = Retry::new(policy, Clock::system());
            let mut attempts = retry.begin(Deadline::after(Operation::GetJwks, 2 * SECOND));
            let error = attempts.retry_or_fail(failure(true, retry_after)).await.unwrap_err();
            assert_eq!(error.context().repeat, Repeat::OutOfTime);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_not_waited_for_with_a_stopped_clock() {
        let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
        for (clock, expected) in [(Clock::system(), 5 * SECOND), (Clock::stopped(), Duration::ZERO)]
        {
            let retry = Retry::new(policy.clone(), clock);
            let mut attempts = retry.begin(Deadline::after(Operation::GetJwks, 9 * SECOND));
            let began = tokio::time::Instant::now();
            attempts.retry_or_fail(failure(true, Some(5 * SECOND))).await.unwrap();
            assert_eq!(began.elapsed(), expected);
        }
    }

    #[tokio::test]
    async fn last_attempt_that_the_deadline_ended_is_out_of_time() {
        let retry = Retry::new(RetryPolicy::disabled(), Clock::system());
        let repeat_after = async |time| {
            let mut attempts = retry.begin(Deadline::after(Operation::GetJwks, time));
            let error = attempts.retry_or_fail(failure(true, None)).await.unwrap_err();
            error.context().repeat
        };
        assert_eq!(repeat_after(Duration::ZERO).await, Repeat::OutOfTime);
        assert_eq!(repeat_after(SECOND).await, Repeat::IfRetryable);
    }

    #[test]
    fn retry_after_of_zero_keeps_the_backoff() {
        let policy = RetryPolicy::default().initial_backoff(SECOND);
        let wait = policy.wait(&failure(true, Some(Duration::ZERO)), 1, 0.5);
        assert_eq!(wait, Some(SECOND * 3 / 4));
    }

    #[test]
    fn retry_after_is_waited_for_in_full_or_not_at_all() {
        let policy = RetryPolicy::default().max_retry_after(5 * SECOND);
        let wait = |requested| policy.wait(&failure(true, Some(requested)), 1, 0.0);
        assert_eq!(wait(5 * SECOND), Some(5 * SECOND + Duration::from_millis(100)));
        assert_eq!(wait(6 * SECOND), None);
    }

    #[test]
    fn outcome_covers_all_attempts() {
        let retry = Retry::new(RetryPolicy::default(), Clock::system());
        let mut attempts = retry.begin(Deadline::after(Operation::GetJwks, SECOND));
        let lost = failure(true, None).amend(|context| context.outcome = Outcome::Unknown);
        assert_eq!(attempts.fail(lost).outcome(), Outcome::Unknown);
        assert_eq!(attempts.fail(failure(false, None)).outcome(), Outcome::Unknown);
    }
}
