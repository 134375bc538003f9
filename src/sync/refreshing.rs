//! A value that is fetched when a call needs it, refreshed in the background, and served stale
//! while the refresh fails.
//!
//! A fetch is started by a call, never by a timer, in a task of its own, so that it doesn't end with
//! that call. One runs at a time. Ages and backoffs go by the injectable clock, waits by real time.
//!
//! Own code: moka forgets a failure at once, serves nothing stale, and runs the fetch inside a
//! caller's future; `quick_cache` lets the next waiter fetch after a failure.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::watch,
    time::{self, Instant},
};
use tracing::{Instrument, Span};

use super::{clock::Clock, lock};
use crate::{error::Error, wire::Operation};

/// A value that is fetched and refreshed.
pub(crate) struct RefreshingCache<T> {
    clock: Clock,
    schedule: Schedule,
    operation: Operation,
    fetch: Box<dyn Fn() -> BoxFuture<'static, Result<T, Error>> + Send + Sync>,
    state: Mutex<State<T>>,
}

/// When a value is fetched again. Its age counts from the moment its fetch began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// From this age on, a call that uses the value has it refreshed in the background.
    pub(crate) fresh: Duration,
    /// From this age on, it isn't used any more.
    pub(crate) stale: Duration,
    /// The time between two forced fetches.
    pub(crate) interval: Duration,
}

struct State<T> {
    snapshot: Option<Snapshot<T>>,
    newest: Option<Fetch<T>>,
    begun: u64,
    /// When a fetch last was forced, whatever the age of the value: by the clock and in real time.
    forced: Option<(SystemTime, Instant)>,
    /// Values of this fetch and of earlier ones are outdated.
    outdated: u64,
}

/// A value, and which fetch it comes from. Fetches are numbered from 1 on as they begin.
struct Snapshot<T> {
    value: T,
    fetch: u64,
    began: SystemTime,
}

#[derive(Clone)]
struct Fetch<T> {
    number: u64,
    began: Instant,
    /// How many fetches before it failed in a row.
    failures: u32,
    /// False after a fetch that failed too late for its callers.
    is_awaited: bool,
    end: Option<End<T>>,
    /// Closed once the task of the fetch is gone.
    task: watch::Receiver<()>,
}

#[derive(Clone)]
struct End<T> {
    result: Result<T, Error>,
    is_late: bool,
    /// The next fetch is due this long after `since`.
    pause: Duration,
    since: SystemTime,
}

enum Step<T> {
    Return(Result<T, Error>),
    /// Until the task is gone, but no longer than that.
    Wait(watch::Receiver<()>, Duration),
    Sleep(Duration),
}

impl<T: Clone + Send + Sync + 'static> RefreshingCache<T> {
    /// `fetch` makes one request of the operation, which ends by itself.
    pub(crate) fn new(
        clock: Clock,
        schedule: Schedule,
        operation: Operation,
        fetch: impl Fn() -> BoxFuture<'static, Result<T, Error>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let state =
            Mutex::new(State { snapshot: None, newest: None, begun: 0, forced: None, outdated: 0 });
        Arc::new(Self { clock, schedule, operation, fetch: Box::new(fetch), state })
    }

    /// How many fetches have begun so far.
    pub(crate) fn fetches(&self) -> u64 {
        lock(&self.state).begun
    }

    /// Whether a value is cached that may be used.
    pub(crate) fn is_usable(&self) -> bool {
        self.usable(&lock(&self.state)).is_some()
    }

    /// Marks the value as outdated: the next calls wait for a newer one.
    pub(crate) fn outdate(&self) {
        let mut state = lock(&self.state);
        state.outdated = state.begun;
    }

    /// Returns a value that is young enough and not outdated. Without one, waits for a fetch until
    /// that is [`MAX_WAIT`] old, but no longer than `max_wait`. Doesn't wait during the backoff
    /// after a failure, nor for the fetch after one that failed late.
    pub(crate) async fn get(self: &Arc<Self>, max_wait: Duration) -> Result<T, Error> {
        self.run(max_wait.min(MAX_WAIT), || self.find()).await
    }

    /// Fetches the value now, unless a fetch is in flight or the backoff after a failure is running.
    pub(crate) async fn refresh(self: &Arc<Self>) -> Result<T, Error> {
        let is_due = |end: &End<T>| end.result.is_ok() || self.is_due(end);
        let fetch = self.newest(&mut lock(&self.state), is_due, false, Span::current());
        self.run(MAX_WAIT, || self.find_newer(fetch.number - 1, |_| false)).await
    }

    /// Waits for a value of a fetch after the first `fetches` ones, or for one that `is_enough`, no
    /// longer than the interval and [`MAX_WAIT`]. Forces a fetch, whatever the backoff.
    pub(crate) async fn get_newer(
        self: &Arc<Self>,
        fetches: u64,
        is_enough: impl Fn(&T) -> bool,
    ) -> Result<T, Error> {
        let max_wait = self.schedule.interval.saturating_add(MAX_WAIT);
        self.run(max_wait, || self.find_newer(fetches, &is_enough)).await
    }

    async fn run(&self, max_wait: Duration, step: impl Fn() -> Step<T>) -> Result<T, Error> {
        let steps = async {
            loop {
                match step() {
                    Step::Return(result) => return result,
                    Step::Wait(mut task, time) => drop(time::timeout(time, task.changed()).await),
                    Step::Sleep(time) => time::sleep(time).await,
                }
            }
        };
        time::timeout(max_wait, steps).await.unwrap_or_else(|_| Err(self.no_response()))
    }

    fn find(self: &Arc<Self>) -> Step<T> {
        let state = &mut *lock(&self.state);
        let usable = self.usable(state).filter(|snapshot| snapshot.fetch > state.outdated);
        if let Some((value, began)) = usable.map(|it| (it.value.clone(), it.began)) {
            if self.clock.age(began) >= self.schedule.fresh {
                // Nobody waits for it, so its span is no part of the call's.
                self.newest(state, |end| self.is_due(end), false, Span::none());
            }
            return Step::Return(Ok(value));
        }
        let is_forced = state.outdated > 0 && self.until_forced(state).is_zero();
        let is_due = |end: &End<T>| self.is_due(end) || is_forced && end.result.is_ok();
        let newest = self.newest(state, is_due, is_forced, Span::current());
        if newest.end.is_none() && !newest.is_awaited {
            return Step::Return(Err(self.no_response()));
        }
        // A value that is outdated serves until the next fetch may be forced.
        self.result_of(newest)
    }

    fn find_newer(self: &Arc<Self>, fetches: u64, is_enough: impl Fn(&T) -> bool) -> Step<T> {
        let state = &mut *lock(&self.state);
        if let Some(Snapshot { value, fetch, .. }) = &state.snapshot
            && (*fetch > fetches || is_enough(value))
        {
            return Step::Return(Ok(value.clone()));
        }
        let remaining = self.until_forced(state);
        // Not by the backoff: a fetch that fails doesn't bring the next one forward.
        let is_due = state.begun <= fetches && remaining.is_zero();
        let newest = self.newest(state, |_| is_due, true, Span::current());
        match newest.end {
            _ if newest.number > fetches => self.result_of(newest),
            Some(_) => Step::Sleep(remaining),
            None => Step::Wait(newest.task, Duration::MAX),
        }
    }

    fn result_of(&self, fetch: Fetch<T>) -> Step<T> {
        let left = MAX_WAIT.saturating_sub(fetch.began.elapsed());
        match fetch.end {
            Some(end) => Step::Return(end.result),
            None if left.is_zero() => Step::Return(Err(self.no_response())),
            None => Step::Wait(fetch.task, left),
        }
    }

    fn is_due(&self, end: &End<T>) -> bool {
        self.clock.age(end.since) >= end.pause
    }

    fn usable<'a>(&self, state: &'a State<T>) -> Option<&'a Snapshot<T>> {
        let snapshot = state.snapshot.as_ref();
        snapshot.filter(|snapshot| self.clock.age(snapshot.began) < self.schedule.stale)
    }

    /// How long no fetch may be forced. In real time too, since that is what callers sleep by.
    fn until_forced(&self, state: &State<T>) -> Duration {
        let elapsed = state.forced.map(|(at, began)| began.elapsed().max(self.clock.age(at)));
        elapsed.map_or(Duration::ZERO, |elapsed| self.schedule.interval.saturating_sub(elapsed))
    }

    /// The newest fetch. Starts it if there is none, or if that ended and the next `is_due`.
    fn newest(
        self: &Arc<Self>,
        state: &mut State<T>,
        is_due: impl FnOnce(&End<T>) -> bool,
        is_forced: bool,
        caller: Span,
    ) -> Fetch<T> {
        let (mut failures, mut is_awaited) = (0, true);
        if let Some(newest) = &state.newest {
            match &newest.end {
                // Else its runtime was dropped, or seems not to be polled.
                None if newest.task.has_changed().is_ok() && newest.began.elapsed() < LONGEST => {
                    return newest.clone();
                }
                Some(end) if !is_due(end) => return newest.clone(),
                Some(End { result: Err(_), is_late, .. }) => {
                    (failures, is_awaited) = (newest.failures + 1, !is_late);
                }
                _ => {}
            }
        }
        let (sender, task) = watch::channel(());
        state.begun += 1;
        let (number, began) = (state.begun, Instant::now());
        let fetch = Fetch { number, began, failures, is_awaited, end: None, task };
        state.newest = Some(fetch.clone());
        let (cache, since) = (Arc::clone(self), self.clock.now());
        if is_forced {
            state.forced = Some((since, began));
        }
        let request = async move {
            let _sender = sender;
            cache.finish(number, since, (cache.fetch)().await);
        };
        tokio::spawn(request.instrument(if is_awaited { caller } else { Span::none() }));
        fetch
    }

    fn finish(&self, number: u64, began: SystemTime, result: Result<T, Error>) {
        if let Err(error) = &result {
            tracing::warn!(%error, "refreshing a cached value failed");
        }
        let state = &mut *lock(&self.state);
        // One whose runtime wasn't polled for a while may end after a newer one.
        let Some(fetch) = state.newest.as_mut().filter(|it| it.number == number) else { return };
        let is_late = fetch.began.elapsed() >= MAX_WAIT;
        let (pause, since) = match &result {
            Ok(value) => {
                state.snapshot = Some(Snapshot { value: value.clone(), fetch: number, began });
                (self.schedule.fresh, began)
            }
            Err(error) => (backoff(fetch.failures, error.retry_after()), self.clock.now()),
        };
        fetch.end = Some(End { result, is_late, pause, since });
    }

    fn no_response(&self) -> Error {
        let reason = "timed out waiting for the response; the request continues in the background";
        Error::timed_out(self.operation, reason)
    }
}

/// The pause after a fetch that failed after that many others: doubling, at least the `Retry-After`
/// of the response, and with jitter, so that a fleet of processes doesn't fetch in step.
fn backoff(failures: u32, retry_after: Option<Duration>) -> Duration {
    let limit = Duration::from_secs(1 << failures.min(5)).min(MAX_PAUSE);
    let pause = limit.mul_f64(1.0 - fastrand::f64() / 4.0);
    pause.max(retry_after.unwrap_or_default().min(MAX_PAUSE))
}

/// The maximum of the backoff and of a `Retry-After`.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// A fetch that takes longer counts as one whose runtime isn't polled.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a call waits for a fetch, which may make no progress.
const MAX_WAIT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
