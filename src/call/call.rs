//! What every call uses, one for each client: the transport, the retries with their clock, and the
//! timeout; and the attempts of one call.

use std::{sync::Arc, time::Duration};

use tracing::Instrument;

use super::{
    retry::{Retry, RetryBudget},
    span::CallSpan,
};
use crate::{
    error::{Attempted, Error, Outcome},
    http::Transport,
    sync::Deadline,
    wire::{Operation, ResponseBody},
};

#[derive(Clone)]
pub(crate) struct CallContext {
    pub(crate) transport: Arc<Transport>,
    pub(crate) retry: Arc<Retry>,
    /// The time for a whole call.
    pub(crate) operation_timeout: Duration,
}

impl CallContext {
    /// The deadline of a call that begins now.
    pub(crate) fn deadline(&self, operation: Operation) -> Deadline {
        Deadline::after(operation, self.operation_timeout)
    }

    /// The span of a call that begins now.
    pub(crate) fn span(&self, operation: Operation) -> CallSpan {
        CallSpan::new(operation, &self.transport.config().base_url)
    }

    /// The deadline of a request whose result is cached. It has one attempt: the backoff of the
    /// cache takes the place of retries.
    pub(crate) fn fetch_deadline(&self, operation: Operation) -> Deadline {
        Deadline::after(operation, self.transport.config().attempt_timeout)
    }

    /// Makes a call for the project: a span with all its attempts, one if there is no budget.
    pub(crate) async fn call_as_project<T: ResponseBody, F: Future<Output = Attempted<T>>>(
        &self,
        budget: Option<&RetryBudget>,
        deadline: Deadline,
        attempt: impl Fn() -> F,
    ) -> Attempted<T> {
        let mut attempts = Attempts::begin(&self.retry, budget, deadline);
        let span = self.span(deadline.operation());
        let attempted = async {
            loop {
                match attempt().await {
                    Ok(success) => return Ok(success),
                    Err(error) => attempts.retry_or_fail(error).await?,
                }
            }
        };
        let outcome = attempted.instrument(span.span.clone()).await;
        span.finish(&outcome, attempts.made);
        outcome
    }
}

/// The attempts of one call so far.
pub(crate) struct Attempts<'a> {
    retry: &'a Retry,
    /// `None` for a request that is retried by other means.
    budget: Option<&'a RetryBudget>,
    pub(crate) deadline: Deadline,
    /// How many attempts failed so far.
    pub(crate) made: u32,
    maybe_applied: bool,
    /// The error of the last attempt.
    last: Option<Error>,
}

impl<'a> Attempts<'a> {
    /// The attempts of a call that begins now.
    pub(crate) fn begin(
        retry: &'a Retry,
        budget: Option<&'a RetryBudget>,
        deadline: Deadline,
    ) -> Self {
        if let Some(budget) = budget {
            budget.deposit();
        }
        Self { retry, budget, deadline, made: 0, maybe_applied: false, last: None }
    }

    /// Waits until the next attempt is due after one that failed, or returns the error that the
    /// call fails with.
    pub(crate) async fn retry_or_fail(&mut self, error: Error) -> Result<(), Error> {
        let is_sent = !error.is_unsent();
        self.made += u32::from(is_sent);
        let error = self.fail(error);
        if !is_sent || self.budget.is_none() {
            return Err(error);
        }
        let remaining = self.deadline.remaining();
        if error.is_retryable() && remaining.is_zero() {
            return Err(elapsed(error));
        }
        let Retry { policy, clock, .. } = self.retry;
        let Some(wait) = policy.wait(&error, self.made, fastrand::f64()) else {
            return Err(error);
        };
        if wait >= remaining {
            return Err(error.amend(|context| context.out_of_time = true));
        }
        let error = self.withdraw(error)?;
        tracing::debug!(attempt = self.made, wait = ?wait, error = %error, "retrying");
        // With a stopped clock, `Retry-After` isn't waited for.
        let requested = error.retry_after().filter(|_| clock.is_stopped()).unwrap_or_default();
        self.last = Some(error);
        tokio::time::sleep(wait.saturating_sub(requested)).await;
        Ok(())
    }

    /// Counts a failed attempt that is repeated at once, with a renewed session, if the budget
    /// allows it. Its error isn't kept: a renewal that runs out of time is no `InvalidSession`.
    pub(crate) fn repeat(&mut self, error: Error) -> Result<(), Error> {
        self.made += 1;
        let error = self.fail(error);
        self.withdraw(error).map(|_| ())
    }

    /// Takes a retry out of the budget, or fails with the error.
    fn withdraw(&self, error: Error) -> Result<Error, Error> {
        let now = self.retry.clock.now();
        if self.budget.is_some_and(|budget| budget.withdraw(now)) {
            return Ok(error);
        }
        Err(append(error, "retry budget exhausted"))
    }

    /// The error of a call that fails with `error`: it covers all attempts, since a rejection
    /// doesn't revert what an earlier attempt may have done. If the time of the call ended before
    /// another attempt, the last one shows the cause.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        let error = match self.last.take() {
            Some(last) if error.is_unsent() => elapsed(last),
            _ => error,
        };
        self.maybe_applied |= error.outcome() == Outcome::Unknown;
        error.amend(|context| {
            context.attempts = context.attempts.max(self.made);
            if self.maybe_applied && context.outcome == Outcome::NotApplied {
                context.outcome = Outcome::Unknown;
            }
        })
    }
}

fn elapsed(error: Error) -> Error {
    let error = append(error, "operation_timeout elapsed");
    error.amend(|context| context.out_of_time = true)
}

fn append(error: Error, what: &str) -> Error {
    error.amend(|context| context.reason = format!("{}; {what}", context.reason).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{call::RetryPolicy, error::ErrorKind, sync::Clock};

    const SECOND: Duration = Duration::from_secs(1);

    fn failure(retryable: bool, retry_after: Option<Duration>) -> Error {
        let error = Error::new(ErrorKind::Transport, Operation::GetJwks, "failed");
        error.amend(|context| {
            context.retryable = retryable;
            context.retry_after = retry_after;
        })
    }

    #[tokio::test]
    async fn no_wait_exceeds_the_deadline() {
        for (initial_backoff, retry_after) in [(4 * SECOND, None), (SECOND, Some(2 * SECOND))] {
            let policy = RetryPolicy::default().initial_backoff(initial_backoff);
            let retry = Retry::new(policy, Clock::system());
            let mut attempts = Attempts::begin(
                &retry,
                Some(&retry.budget),
                Deadline::after(Operation::GetJwks, 2 * SECOND),
            );
            let error = attempts.retry_or_fail(failure(true, retry_after)).await.unwrap_err();
            assert!(error.is_out_of_time() && !error.is_unsent());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_not_waited_for_with_a_stopped_clock() {
        let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
        for (clock, expected) in [(Clock::system(), 5 * SECOND), (Clock::stopped(), Duration::ZERO)]
        {
            let retry = Retry::new(policy.clone(), clock);
            let mut attempts = Attempts::begin(
                &retry,
                Some(&retry.budget),
                Deadline::after(Operation::GetJwks, 9 * SECOND),
            );
            let began = tokio::time::Instant::now();
            attempts.retry_or_fail(failure(true, Some(5 * SECOND))).await.unwrap();
            assert_eq!(began.elapsed(), expected);
        }
    }

    #[tokio::test]
    async fn last_attempt_that_the_deadline_ended_is_out_of_time() {
        let retry = Retry::new(RetryPolicy::disabled(), Clock::system());
        let is_out_of_time = async |time| {
            let mut attempts = Attempts::begin(
                &retry,
                Some(&retry.budget),
                Deadline::after(Operation::GetJwks, time),
            );
            let error = attempts.retry_or_fail(failure(true, None)).await.unwrap_err();
            error.is_out_of_time()
        };
        assert!(is_out_of_time(Duration::ZERO).await);
        assert!(!is_out_of_time(SECOND).await);
    }

    #[test]
    fn outcome_covers_all_attempts() {
        let retry = Retry::new(RetryPolicy::default(), Clock::system());
        let mut attempts = Attempts::begin(
            &retry,
            Some(&retry.budget),
            Deadline::after(Operation::GetJwks, SECOND),
        );
        let lost = failure(true, None).amend(|context| context.outcome = Outcome::Unknown);
        assert_eq!(attempts.fail(lost).outcome(), Outcome::Unknown);
        assert_eq!(attempts.fail(failure(false, None)).outcome(), Outcome::Unknown);
    }
}
