//! The policy and the budget, without waits.

use super::*;
use crate::{error::ErrorKind, wire::Operation};

const SECOND: Duration = Duration::from_secs(1);
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn failure(retryable: bool, retry_after: Option<Duration>) -> Error {
    let error = Error::new(ErrorKind::Transport, Operation::GetJwks, "failed");
    error.amend(|context| {
        context.retryable = retryable;
        context.retry_after = retry_after;
    })
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
fn ten_calls_add_a_retry_up_to_the_capacity() {
    for (capacity, of_25) in [(500, 2), (50, 2)] {
        let budget = RetryBudget::new(capacity, true, NOW);
        let withdraw_all = || (0..1_000).filter(|_| budget.withdraw(NOW)).count() as u64;
        let rounds = [(100, capacity), (9, 0), (1, 1), (25, of_25), (5, 1), (10_000, capacity)];
        for (calls, expected) in rounds {
            (0..calls).for_each(|_| budget.deposit());
            assert_eq!(withdraw_all(), expected, "after {calls} calls");
        }
    }
}

#[test]
fn time_refills_the_budget_without_a_remainder_lost() {
    let clock = Clock::stopped();
    let budget = RetryBudget::new(500, true, clock.now());
    let withdraw_all = || (0..1_000).filter(|_| budget.withdraw(clock.now())).count();
    // It is full already.
    clock.advance(Duration::from_secs(50));
    assert_eq!(withdraw_all(), 500);
    // A retry each 200 ms.
    let retries = (0..100).filter(|_| {
        clock.advance(Duration::from_millis(30));
        budget.withdraw(clock.now())
    });
    assert_eq!(retries.count(), 15);
    clock.advance(Duration::from_secs(1_000));
    assert_eq!(withdraw_all(), 500);
}

#[test]
fn without_a_limit_every_retry_is_allowed() {
    let budget = RetryBudget::new(500, false, NOW);
    assert!((0..1_000).all(|_| budget.withdraw(NOW)));
}

#[test]
fn clock_that_is_set_back_adds_nothing_and_refills_from_there() {
    let budget = RetryBudget::new(500, true, NOW);
    let withdrawn = (0..1_000).filter(|_| budget.withdraw(NOW)).count();
    assert_eq!(withdrawn, 500);
    let set_back = NOW - Duration::from_secs(30 * 60);
    assert!(!budget.withdraw(set_back));
    for second in 1..=2 {
        let now = set_back + Duration::from_secs(second);
        assert_eq!((0..10).filter(|_| budget.withdraw(now)).count(), 5);
    }
}
