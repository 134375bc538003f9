//! Which failures are tried again, when, and until when.
//!
//! An update sets values, so sending it again is safe. What is never tried again: a
//! refusal, an unknown 4xx, and an answer that can't be read after Stytch accepted.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{
    deadline::Deadline,
    error::{Error, Outcome},
};

/// How failures are tried again.
///
/// Tried again are failures to connect, resets and timeouts, and the statuses 408, 429, 502,
/// 503 and 504. The wait before each further attempt is random, up to a bound that doubles
/// from [`base`](Self::base) to [`cap`](Self::cap); a `Retry-After` of the server's is
/// waited for besides. No wait goes beyond the deadline of the call: where it would, the
/// error comes back at once.
///
/// **Sending an update twice is safe**: it sets values, and the second time sets them again.
/// Only where somebody else changed the same connection in between does the second one undo
/// that.
///
/// ```
/// use std::time::Duration;
/// use stytch_sso_external::{Client, RetryPolicy};
///
/// # fn main() -> Result<(), stytch_sso_external::BuildError> {
/// let client = Client::builder("project-test-16b34bbe", "secret-test-example")
///     .retry(RetryPolicy::default().attempts(5).cap(Duration::from_secs(1)))
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    attempts: u32,
    base: Duration,
    cap: Duration,
    retry_after_cap: Duration,
}

/// Three attempts, waits of up to 100 ms and 200 ms, a `Retry-After` of up to 10 s.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(100),
            cap: Duration::from_secs(2),
            retry_after_cap: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// Tries nothing again.
    #[must_use]
    pub fn off() -> Self {
        Self::default().attempts(1)
    }

    /// How many attempts to make in all, the first one included. 0 counts as 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The bound of the wait before the second attempt; each further one's is twice as long.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The bound that the waits don't grow beyond.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// The longest `Retry-After` to wait for. A longer one isn't shortened: the error comes
    /// back at once, with [`Error::retry_after`].
    #[must_use]
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.retry_after_cap = cap;
        self
    }

    /// How long to wait before the attempt after `attempt` (the first is 1), or `None` to
    /// give up. `random` is from 0 to 1.
    fn wait(&self, error: &Error, attempt: u32, left: Duration, random: f64) -> Option<Duration> {
        if !error.is_retryable() || attempt >= self.attempts {
            return None;
        }
        let asked = error.retry_after().unwrap_or_default();
        if asked > self.retry_after_cap {
            return None;
        }
        // Beside what is asked for: all who were told the same would come back at once, and
        // all who were told 0 at once and forever.
        let wait = asked.saturating_add(self.bound(attempt).mul_f64(random));
        (wait < left).then_some(wait)
    }

    fn bound(&self, attempt: u32) -> Duration {
        // Its own jitter would add to the bound; the jitter here spreads from 0 to the bound.
        ExponentialBuilder::default()
            .with_min_delay(self.base)
            .with_max_delay(self.cap)
            .without_max_times()
            .build()
            .nth(attempt as usize - 1)
            .unwrap_or(self.cap)
            .min(self.cap)
    }
}

/// Makes attempts until one succeeds or trying again is over.
pub(crate) async fn run<T, F>(
    policy: &RetryPolicy,
    deadline: Deadline,
    attempt: impl Fn() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempts = Attempts::new(policy, deadline);
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => attempts.again(error).await?,
        }
    }
}

/// The attempts of one call so far.
pub(crate) struct Attempts<'a> {
    policy: &'a RetryPolicy,
    deadline: Deadline,
    made: u32,
    maybe_applied: bool,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy, deadline: Deadline) -> Self {
        Self { policy, deadline, made: 0, maybe_applied: false }
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Takes the failure of an attempt. Returns once it is time for the next one, or gives
    /// the error back with what can be said of all attempts.
    pub(crate) async fn again(&mut self, error: Error) -> Result<(), Error> {
        let error = self.last(error);
        let Some(wait) = self.policy.wait(&error, self.made, self.deadline.left(), fastrand::f64())
        else {
            return Err(error);
        };
        tracing::debug!(attempt = self.made, wait = ?wait, error = %error, "trying again");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// The error of an attempt after which none follows.
    pub(crate) fn last(&mut self, error: Error) -> Error {
        self.made += 1;
        self.verdict(error)
    }

    /// The error as the caller gets it: a refusal can't take back what an earlier attempt
    /// may have done.
    pub(crate) fn verdict(&mut self, error: Error) -> Error {
        self.maybe_applied |= error.outcome() == Outcome::Unknown;
        let (made, maybe_applied) = (self.made, self.maybe_applied);
        error.amend(|known| {
            known.attempts = known.attempts.max(made);
            if maybe_applied && known.outcome == Outcome::NotApplied {
                known.outcome = Outcome::Unknown;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Known;

    const SECOND: Duration = Duration::from_secs(1);

    fn failure(retryable: bool, retry_after: Option<Duration>) -> Error {
        let known = Known { retryable, retry_after, ..Known::never_sent("failed") };
        Error::Transport(known.into())
    }

    #[test]
    fn bound_doubles_up_to_the_cap() {
        let policy = RetryPolicy::default().base(SECOND).cap(3 * SECOND);
        let bounds: Vec<_> = (1..=4).map(|attempt| policy.bound(attempt)).collect();
        assert_eq!(bounds, [SECOND, 2 * SECOND, 3 * SECOND, 3 * SECOND]);
    }

    #[test]
    fn jitter_spreads_over_the_whole_bound() {
        let policy = RetryPolicy::default().base(SECOND);
        let wait = |random| policy.wait(&failure(true, None), 1, 60 * SECOND, random);
        assert_eq!(wait(0.0), Some(Duration::ZERO));
        assert_eq!(wait(0.5), Some(SECOND / 2));
        assert_eq!(wait(1.0), Some(SECOND));
    }

    #[test]
    fn gives_up_after_the_last_attempt_and_on_what_is_final() {
        let policy = RetryPolicy::default().attempts(2);
        assert!(policy.wait(&failure(true, None), 1, SECOND, 0.0).is_some());
        assert!(policy.wait(&failure(true, None), 2, SECOND, 0.0).is_none());
        assert!(policy.wait(&failure(false, None), 1, SECOND, 0.0).is_none());
        assert!(RetryPolicy::off().wait(&failure(true, None), 1, SECOND, 0.0).is_none());
    }

    #[test]
    fn no_wait_reaches_the_deadline() {
        let policy = RetryPolicy::default().base(SECOND);
        assert!(policy.wait(&failure(true, None), 1, SECOND, 1.0).is_none());
        assert!(policy.wait(&failure(true, Some(SECOND)), 1, SECOND, 0.0).is_none());
    }

    #[test]
    fn retry_after_of_zero_doesnt_switch_the_waits_off() {
        let policy = RetryPolicy::default().base(SECOND);
        let wait = policy.wait(&failure(true, Some(Duration::ZERO)), 1, 60 * SECOND, 0.5);
        assert_eq!(wait, Some(SECOND / 2));
    }

    #[test]
    fn retry_after_is_waited_for_in_full_or_not_at_all() {
        let policy = RetryPolicy::default().retry_after_cap(5 * SECOND);
        let wait = |asked| policy.wait(&failure(true, Some(asked)), 1, 60 * SECOND, 0.0);
        assert_eq!(wait(5 * SECOND), Some(5 * SECOND));
        assert_eq!(wait(6 * SECOND), None);
    }

    #[test]
    fn verdict_covers_all_attempts() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::new(&policy, Deadline::after(SECOND));
        let lost = failure(true, None).amend(|known| known.outcome = Outcome::Unknown);
        assert_eq!(attempts.verdict(lost).outcome(), Outcome::Unknown);
        assert_eq!(attempts.verdict(failure(false, None)).outcome(), Outcome::Unknown);
    }
}
