//! A value that is fetched when a call needs it, refreshed in the background, and served stale
//! while the refresh fails.
//!
//! Every fetch is started by a call, never by a timer, and is a task of its own, so that it doesn't
//! end with that call. Only one runs at a time. Beside the value, the cache keeps nothing but the
//! newest fetch: its number, when it began, its result, and when the next one may begin. Ages and
//! backoffs go by the injectable clock, waits by real time.
//!
//! Own code: of the maintained cache crates, moka forgets a failure at once, serves nothing stale,
//! and runs the fetch inside a caller's future; `quick_cache` lets the next waiter fetch after a
//! failure.

mod state;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tracing::{Instrument, Span};

use self::state::{End, Fetch, Snapshot, State, backoff};
use super::{clock::Clock, lock};
use crate::{error::Error, wire::Operation};

/// A value that is fetched and refreshed. Clones share it.
#[derive(Clone)]
pub(crate) struct RefreshingCache<T>(Arc<Inner<T>>);

/// How old a value may be, counted from the moment its fetch began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxAge {
    /// From this age on, a call that uses the value has it refreshed in the background.
    pub(crate) fresh: Duration,
    /// From this age on, it isn't used any more.
    pub(crate) stale: Duration,
}

struct Inner<T> {
    clock: Clock,
    max_age: MaxAge,
    /// The time between two forced fetches.
    interval: Duration,
    operation: Operation,
    fetch: Box<dyn Fn() -> BoxFuture<'static, Result<T, Error>> + Send + Sync>,
    state: Mutex<State<T>>,
}

enum Step<T> {
    Return(Result<Snapshot<T>, Error>),
    /// Waits for a fetch. If it `is_enough`, returns its result, and waits until it is [`MAX_WAIT`]
    /// old.
    Wait {
        fetch: Fetch<T>,
        is_enough: bool,
    },
    Sleep(Duration),
}

impl<T: Clone + Send + Sync + 'static> RefreshingCache<T> {
    /// `fetch` makes one request of the operation, which ends by itself. Forced fetches begin at
    /// least `interval` apart.
    pub(crate) fn new(
        clock: Clock,
        max_age: MaxAge,
        interval: Duration,
        operation: Operation,
        fetch: impl Fn() -> BoxFuture<'static, Result<T, Error>> + Send + Sync + 'static,
    ) -> Self {
        let state = Mutex::new(State { snapshot: None, newest: None, forced: None, outdated: 0 });
        Self(Arc::new(Inner { clock, max_age, interval, operation, fetch: Box::new(fetch), state }))
    }

    /// How many fetches have begun so far.
    pub(crate) fn fetches(&self) -> u64 {
        lock(&self.0.state).fetches()
    }

    /// Whether a value is cached that may be used.
    pub(crate) fn is_usable(&self) -> bool {
        self.0.usable(&lock(&self.0.state)).is_some()
    }

    /// Marks the value as outdated: the next calls wait for a newer one.
    pub(crate) fn outdate(&self) {
        let mut state = lock(&self.0.state);
        state.outdated = state.fetches();
    }

    /// Returns a value that is young enough and not outdated. Without one, waits for a fetch until
    /// that is [`MAX_WAIT`] old, but no longer than `max_wait`. Doesn't wait during the backoff
    /// after a failure, nor for the fetch after one that failed late.
    pub(crate) async fn get(&self, max_wait: Duration) -> Result<Snapshot<T>, Error> {
        self.run(max_wait.min(MAX_WAIT), || self.0.find()).await
    }

    /// Fetches the value now, unless a fetch is in flight or the backoff after a failure is running.
    pub(crate) async fn refresh(&self) -> Result<Snapshot<T>, Error> {
        let step = || {
            let is_due = |end: &End<T>| end.result.is_ok() || end.is_due(&self.0.clock);
            let fetch = self.0.newest(&mut lock(&self.0.state), is_due, Span::current());
            Step::Wait { fetch, is_enough: true }
        };
        self.run(MAX_WAIT, step).await
    }

    /// Waits for a value of a fetch after the first `fetches` ones, or for one that `is_enough`, no
    /// longer than the interval and [`MAX_WAIT`]. Forces a fetch, whatever the backoff.
    pub(crate) async fn get_newer(
        &self,
        fetches: u64,
        is_enough: impl Fn(&T) -> bool,
    ) -> Result<Snapshot<T>, Error> {
        let step = || self.0.find_newer(fetches, &is_enough);
        self.run(self.0.interval.saturating_add(MAX_WAIT), step).await
    }

    /// Takes steps until there is a result, or the time is over.
    async fn run(
        &self,
        max_wait: Duration,
        step: impl Fn() -> Step<T>,
    ) -> Result<Snapshot<T>, Error> {
        let steps = async {
            loop {
                match step() {
                    Step::Return(result) => return result,
                    Step::Sleep(time) => sleep(time).await,
                    Step::Wait { mut fetch, is_enough } => {
                        let left = MAX_WAIT.saturating_sub(fetch.began.elapsed());
                        let left = if is_enough { left } else { Duration::MAX };
                        match timeout(left, fetch.end.wait_for(Option::is_some)).await {
                            Ok(Ok(end)) if is_enough => {
                                return end.clone().ok_or_else(|| self.0.no_response())?.result;
                            }
                            Err(_) => return Err(self.0.no_response()),
                            // An earlier fetch, or one whose runtime was dropped.
                            Ok(_) => {}
                        }
                    }
                }
            }
        };
        timeout(max_wait, steps).await.unwrap_or_else(|_| Err(self.0.no_response()))
    }
}

impl<T: Clone + Send + Sync + 'static> Inner<T> {
    fn find(self: &Arc<Self>) -> Step<T> {
        let mut state = lock(&self.state);
        let is_due = |end: &End<T>| end.is_due(&self.clock);
        let usable = self.usable(&state);
        if let Some(snapshot) = usable.filter(|snapshot| snapshot.fetch > state.outdated) {
            if self.clock.age(snapshot.began) >= self.max_age.fresh {
                // Nobody waits for it, so its span is no part of the call's.
                self.newest(&mut state, is_due, Span::none());
            }
            return Step::Return(Ok(snapshot));
        }
        let (fetches, outdated) = (state.fetches(), state.outdated);
        let is_forced = outdated > 0 && self.until_forced(&state).is_zero();
        let is_due = |end: &End<T>| is_due(end) || (is_forced && end.is_outdated(outdated));
        let fetch = self.newest(&mut state, is_due, Span::current());
        if is_forced && fetch.number > fetches {
            state.forced = Some((self.clock.now(), Instant::now()));
        }
        let has_ended = fetch.has_ended();
        if !has_ended && (!fetch.is_awaited || fetch.began.elapsed() >= MAX_WAIT) {
            return Step::Return(Err(self.no_response()));
        }
        let is_enough = has_ended || fetch.number > outdated;
        Step::Wait { fetch, is_enough }
    }

    fn find_newer(self: &Arc<Self>, fetches: u64, is_enough: impl Fn(&T) -> bool) -> Step<T> {
        let mut state = lock(&self.state);
        if let Some(snapshot) = &state.snapshot
            && (snapshot.fetch > fetches || is_enough(&snapshot.value))
        {
            return Step::Return(Ok(snapshot.clone()));
        }
        let (begun, remaining) = (state.fetches(), self.until_forced(&state));
        // Not by the backoff: a fetch that fails doesn't bring the next one forward.
        let fetch = self.newest(&mut state, |_| remaining.is_zero(), Span::current());
        if fetch.number > begun {
            state.forced = Some((self.clock.now(), Instant::now()));
        }
        let is_enough = fetch.number > fetches;
        if fetch.has_ended() && !is_enough {
            return Step::Sleep(remaining);
        }
        Step::Wait { fetch, is_enough }
    }

    fn usable(&self, state: &State<T>) -> Option<Snapshot<T>> {
        let snapshot = state.snapshot.as_ref();
        snapshot.filter(|it| self.clock.age(it.began) < self.max_age.stale).cloned()
    }

    /// How long no fetch may be forced. In real time too, since that is what callers sleep by.
    fn until_forced(&self, state: &State<T>) -> Duration {
        let elapsed = state.forced.map(|(at, began)| began.elapsed().max(self.clock.age(at)));
        elapsed.map_or(Duration::ZERO, |elapsed| self.interval.saturating_sub(elapsed))
    }

    /// The newest fetch. Starts it if there is none, or if that ended and the next `is_due`.
    fn newest(
        self: &Arc<Self>,
        state: &mut State<T>,
        is_due: impl FnOnce(&End<T>) -> bool,
        caller: Span,
    ) -> Fetch<T> {
        let (mut failures, mut is_awaited) = (0, true);
        if let Some(newest) = &state.newest {
            // Before the end is read, since the task publishes that and is then gone.
            let is_alive = newest.is_alive();
            let end = newest.end.borrow().clone();
            if end.as_ref().map_or(is_alive, |end| !is_due(end)) {
                return newest.clone();
            }
            if let Some(End { result: Err(_), is_late, .. }) = end {
                (failures, is_awaited) = (newest.failures + 1, !is_late);
            }
        }
        let (publish, end) = watch::channel(None);
        let number = state.fetches() + 1;
        let fetch = Fetch { number, began: Instant::now(), failures, is_awaited, end };
        state.newest = Some(fetch.clone());
        let (inner, started, since) = (Arc::clone(self), fetch.clone(), self.clock.now());
        let task = async move { publish.send_replace(Some(inner.fetch(&started, since).await)) };
        tokio::spawn(task.instrument(if is_awaited { caller } else { Span::none() }));
        fetch
    }

    async fn fetch(&self, fetch: &Fetch<T>, began: SystemTime) -> End<T> {
        let fetched = (self.fetch)().await;
        let is_late = fetch.began.elapsed() >= MAX_WAIT;
        match fetched {
            Ok(value) => {
                let snapshot = Snapshot { value, fetch: fetch.number, began };
                let mut state = lock(&self.state);
                // A fetch whose runtime wasn't polled for a while may end after a newer one.
                if state.snapshot.as_ref().is_none_or(|newest| newest.fetch < fetch.number) {
                    state.snapshot = Some(snapshot.clone());
                }
                End { result: Ok(snapshot), is_late, pause: self.max_age.fresh, since: began }
            }
            Err(error) => {
                tracing::warn!(%error, "refreshing a cached value failed");
                let pause = backoff(fetch.failures, error.retry_after());
                End { result: Err(error), is_late, pause, since: self.clock.now() }
            }
        }
    }

    fn no_response(&self) -> Error {
        let reason = "timed out waiting for the response; the request continues in the background";
        Error::timed_out(self.operation, reason)
    }
}

/// How long a call waits for a fetch, which may make no progress.
const MAX_WAIT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
