//! What a refreshing cache keeps: the value and the newest fetch.

use std::time::{Duration, SystemTime};

use tokio::{sync::watch, time::Instant};

use crate::{error::Error, sync::clock::Clock};

/// A value, and which fetch it comes from. Fetches are numbered from 1 on as they begin.
#[derive(Clone)]
pub(crate) struct Snapshot<T> {
    pub(crate) value: T,
    pub(crate) fetch: u64,
    pub(super) began: SystemTime,
}

pub(super) struct State<T> {
    pub(super) snapshot: Option<Snapshot<T>>,
    pub(super) newest: Option<Fetch<T>>,
    /// When a fetch last was forced, whatever the age of the value: by the clock and in real time.
    pub(super) forced: Option<(SystemTime, Instant)>,
    /// Values of this fetch and of earlier ones are outdated.
    pub(super) outdated: u64,
}

#[derive(Clone)]
pub(super) struct Fetch<T> {
    pub(super) number: u64,
    pub(super) began: Instant,
    /// How many fetches before it failed in a row.
    pub(super) failures: u32,
    /// False after a fetch that failed too late for its callers.
    pub(super) is_awaited: bool,
    pub(super) end: watch::Receiver<Option<End<T>>>,
}

#[derive(Clone)]
pub(super) struct End<T> {
    pub(super) result: Result<Snapshot<T>, Error>,
    pub(super) is_late: bool,
    /// The next fetch is due this long after `since`.
    pub(super) pause: Duration,
    pub(super) since: SystemTime,
}

impl<T> Fetch<T> {
    pub(super) fn has_ended(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Whether its task exists. False if its runtime was dropped, or seems not to be polled.
    pub(super) fn is_alive(&self) -> bool {
        self.end.has_changed().is_ok() && self.began.elapsed() < LONGEST
    }
}

impl<T> State<T> {
    pub(super) fn fetches(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.number)
    }
}

impl<T> End<T> {
    pub(super) fn is_due(&self, clock: &Clock) -> bool {
        clock.age(self.since) >= self.pause
    }

    pub(super) fn is_outdated(&self, outdated: u64) -> bool {
        self.result.as_ref().is_ok_and(|snapshot| snapshot.fetch <= outdated)
    }
}

/// The pause after a fetch that failed after that many others: doubling, at least the `Retry-After`
/// of the response, and with jitter, so that a fleet of processes doesn't fetch in step.
pub(super) fn backoff(failures: u32, retry_after: Option<Duration>) -> Duration {
    let limit = Duration::from_secs(1 << failures.min(5)).min(MAX_PAUSE);
    let pause = limit.mul_f64(1.0 - fastrand::f64() / 4.0);
    pause.max(retry_after.unwrap_or_default().min(MAX_PAUSE))
}

/// The maximum of the backoff and of a `Retry-After`.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// A fetch that takes longer counts as one whose runtime isn't polled.
pub(super) const LONGEST: Duration = Duration::from_secs(60);
