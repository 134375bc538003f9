//! What a refreshing cache knows: the value, the fetch in flight and the last failure.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::{
    error::Error,
    sync::{
        backoff::Backoff,
        clock::Clock,
        single_flight::{MAX_WAIT, SharedRequest},
    },
};

/// A value, and which fetch it comes from.
#[derive(Clone)]
pub(crate) struct Snapshot<T> {
    pub(crate) value: T,
    /// Fetches are numbered in the order in which they begin, from 1 on.
    pub(crate) fetch: u64,
    pub(super) began: SystemTime,
}

pub(super) struct State<T> {
    pub(super) snapshot: Option<Snapshot<T>>,
    pub(super) fetches: u64,
    /// The fetch that callers wait for. Older ones may still run in the background.
    pub(super) in_flight: Option<Fetch<T>>,
    pub(super) failure: Option<Failure>,
    /// When a fetch last began that ignores the backoff, by the clock and in real time.
    pub(super) last_forced: Option<(SystemTime, Instant)>,
}

#[derive(Clone)]
pub(super) struct Fetch<T> {
    pub(super) number: u64,
    pub(super) began: SystemTime,
    pub(super) request: SharedRequest<Result<Snapshot<T>, Error>>,
}

impl<T: Clone + Send + Sync + 'static> Fetch<T> {
    /// Whether nobody waits for it any more.
    pub(super) fn is_ended(&self) -> bool {
        self.request.age() >= MAX_WAIT || self.request.is_abandoned()
    }
}

/// The last fetch failed.
pub(super) struct Failure {
    pub(super) fetch: u64,
    pub(super) error: Error,
    /// It got no response in time.
    pub(super) is_timeout: bool,
    pub(super) backoff: Backoff,
}

impl<T> State<T> {
    pub(super) fn fail(&mut self, fetch: u64, error: Error, at: SystemTime, is_timeout: bool) {
        let previous = self.failure.as_ref().map(|failure| failure.backoff);
        let backoff = Backoff::after(previous, at, error.retry_after());
        self.failure = Some(Failure { fetch, error, is_timeout, backoff });
    }

    pub(super) fn is_backing_off(&self, clock: &Clock) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.backoff.is_running(clock))
    }

    /// Whether a value is cached that is younger than this.
    pub(super) fn has_value(&self, clock: &Clock, max_age: Duration) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| clock.age(snapshot.began) < max_age)
    }
}
