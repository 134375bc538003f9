//! A value that is fetched when a call needs it, refreshed in the background, and served stale
//! while the refresh fails.
//!
//! Own code: of the maintained cache crates, moka hands one failure to all waiters of
//! `try_get_with`, but forgets it at once, serves nothing stale, and runs the fetch inside a
//! caller's future, so that it ends with that caller; `quick_cache`'s `get_or_insert_async` lets
//! the next waiter fetch after a failure. The limit on waiting and the backoff would have to be
//! built around either of them.
//!
//! Nothing is fetched by a timer: every fetch is started by a call. Ages of values and backoffs
//! go by the injectable clock, waits by real time.

mod since;
mod state;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, Span};

pub(crate) use self::state::Snapshot;
use self::state::{Fetch, State};
use super::{
    clock::Clock,
    lock::lock,
    single_flight::{Abandoned, MAX_WAIT, SharedRequest},
};
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
    operation: Operation,
    fetch: Box<dyn Fn() -> BoxFuture<'static, Result<T, Error>> + Send + Sync>,
    state: Mutex<State<T>>,
}

enum Step<T> {
    Return(Result<Snapshot<T>, Error>),
    Wait(Fetch<T>),
    Sleep(Duration),
}

impl<T: Clone + Send + Sync + 'static> RefreshingCache<T> {
    /// `fetch` makes one request of the operation, which ends by itself.
    pub(crate) fn new(
        clock: Clock,
        max_age: MaxAge,
        operation: Operation,
        fetch: impl Fn() -> BoxFuture<'static, Result<T, Error>> + Send + Sync + 'static,
    ) -> Self {
        let state =
            State { snapshot: None, fetches: 0, in_flight: None, failure: None, last_forced: None };
        let (fetch, state) = (Box::new(fetch), Mutex::new(state));
        Self(Arc::new(Inner { clock, max_age, operation, fetch, state }))
    }

    /// How many fetches have begun so far.
    pub(crate) fn fetches(&self) -> u64 {
        lock(&self.0.state).fetches
    }

    /// Whether a value is cached that may be used.
    pub(crate) fn is_usable(&self) -> bool {
        lock(&self.0.state).has_value(&self.0.clock, self.0.max_age.stale)
    }

    /// Returns a value that is young enough. Without one, waits for a fetch until that is
    /// [`MAX_WAIT`] old, but no longer than `max_wait`. Doesn't wait during the backoff, nor if
    /// the last fetch got no response in time: the next one runs in the background.
    pub(crate) async fn get(&self, max_wait: Duration) -> Result<Snapshot<T>, Error> {
        // Over all fetches: one whose runtime is dropped is followed by another.
        let found = timeout(max_wait.min(MAX_WAIT), self.run_steps(0, || self.0.find()));
        found.await.unwrap_or_else(|_| Err(self.0.no_response()))
    }

    /// Fetches the value now, unless a fetch is in flight or the backoff after a failure is running.
    pub(crate) async fn refresh(&self) -> Result<Snapshot<T>, Error> {
        let wait = || match self.0.join_or_start(&mut self.0.lock(), Span::current()) {
            Ok(fetch) => Step::Wait(fetch),
            Err(error) => Step::Return(Err(error)),
        };
        self.run_steps(0, wait).await
    }

    /// Waits for a value of a fetch that begins after the first `fetches` ones, or for one that
    /// `is_enough`. Starts such fetches at least `interval` apart, whatever the backoff. Waits no
    /// longer than `interval` and [`MAX_WAIT`].
    pub(crate) async fn get_newer(
        &self,
        fetches: u64,
        interval: Duration,
        is_enough: impl Fn(&T) -> bool,
    ) -> Result<Snapshot<T>, Error> {
        let step = || self.0.find_newer(fetches, interval, &is_enough);
        let newer = timeout(interval.saturating_add(MAX_WAIT), self.run_steps(fetches, step));
        newer.await.unwrap_or_else(|_| Err(self.0.no_response()))
    }

    /// Takes steps until there is a result of a fetch after the first `fetches` ones.
    async fn run_steps(
        &self,
        fetches: u64,
        step: impl Fn() -> Step<T>,
    ) -> Result<Snapshot<T>, Error> {
        loop {
            match step() {
                Step::Return(result) => return result,
                Step::Sleep(time) => sleep(time).await,
                Step::Wait(fetch) => {
                    let number = fetch.number;
                    if let Some(result) = self.0.wait(fetch).await
                        && number > fetches
                    {
                        return result;
                    }
                }
            }
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Inner<T> {
    /// The state, in which a fetch that is too old to wait for counts as failed.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        let mut state = lock(&self.state);
        let ended = state.in_flight.take_if(|fetch| fetch.is_ended());
        // With another runtime, a fetch is abandoned too, which is no failure of the request.
        if let Some(fetch) = ended.filter(|it| !it.request.is_abandoned() || it.request.is_local())
        {
            let at = (fetch.began + MAX_WAIT).min(self.clock.now());
            state.fail(fetch.number, self.no_response(), at, true);
        }
        state
    }

    fn find(self: &Arc<Self>) -> Step<T> {
        let MaxAge { fresh, stale } = self.max_age;
        let mut state = self.lock();
        let usable = state.snapshot.clone().filter(|_| state.has_value(&self.clock, stale));
        let Some(snapshot) = usable else {
            return self.wait_or_fail(&mut state);
        };
        if self.clock.age(snapshot.began) >= fresh {
            // Nobody waits for it, so its span is no part of the call's.
            let _ = self.join_or_start(&mut state, Span::none());
        }
        Step::Return(Ok(snapshot))
    }

    fn wait_or_fail(self: &Arc<Self>, state: &mut State<T>) -> Step<T> {
        let timeout_error = state.failure.as_ref().filter(|failure| failure.is_timeout);
        let timeout_error = timeout_error.map(|failure| failure.error.clone());
        let parent = if timeout_error.is_some() { Span::none() } else { Span::current() };
        match (self.join_or_start(state, parent), timeout_error) {
            (Ok(fetch), None) => Step::Wait(fetch),
            (Ok(_), Some(error)) | (Err(error), _) => Step::Return(Err(error)),
        }
    }

    fn find_newer(
        self: &Arc<Self>,
        fetches: u64,
        interval: Duration,
        is_enough: impl Fn(&T) -> bool,
    ) -> Step<T> {
        let mut state = self.lock();
        if let Some(snapshot) = &state.snapshot
            && (snapshot.fetch > fetches || is_enough(&snapshot.value))
        {
            return Step::Return(Ok(snapshot.clone()));
        }
        if let Some(fetch) = &state.in_flight {
            return Step::Wait(fetch.clone());
        }
        if let Some(failure) = &state.failure
            && failure.fetch > fetches
        {
            return Step::Return(Err(failure.error.clone()));
        }
        // In real time too, since that is what callers sleep by.
        let elapsed = state.last_forced.map(|(at, began)| began.elapsed().max(self.clock.age(at)));
        let remaining = elapsed.map(|elapsed| interval.saturating_sub(elapsed));
        if let Some(remaining) = remaining.filter(|remaining| !remaining.is_zero()) {
            return Step::Sleep(remaining);
        }
        state.last_forced = Some((self.clock.now(), Instant::now()));
        Step::Wait(self.start(&mut state, Span::current()))
    }

    fn join_or_start(
        self: &Arc<Self>,
        state: &mut State<T>,
        parent: Span,
    ) -> Result<Fetch<T>, Error> {
        if let Some(fetch) = &state.in_flight {
            return Ok(fetch.clone());
        }
        match &state.failure {
            Some(failure) if failure.backoff.is_running(&self.clock) => Err(failure.error.clone()),
            _ => Ok(self.start(state, parent)),
        }
    }

    fn start(self: &Arc<Self>, state: &mut State<T>, parent: Span) -> Fetch<T> {
        let (sender, request) = SharedRequest::new();
        state.fetches += 1;
        let (number, began) = (state.fetches, self.clock.now());
        let inner = Arc::clone(self);
        let task = async move {
            let fetched = (inner.fetch)().await;
            let _ = sender.send(Some(inner.complete(number, began, fetched)));
        };
        tokio::spawn(task.instrument(parent));
        let fetch = Fetch { number, began, request };
        state.in_flight = Some(fetch.clone());
        fetch
    }

    /// Keeps the result of a fetch, however late it comes.
    fn complete(
        &self,
        number: u64,
        began: SystemTime,
        fetched: Result<T, Error>,
    ) -> Result<Snapshot<T>, Error> {
        if let Err(error) = &fetched {
            // Before the lock is taken: a subscriber may block.
            tracing::warn!(%error, "refreshing a cached value failed");
        }
        let mut state = lock(&self.state);
        let is_awaited = state.in_flight.take_if(|fetch| fetch.number == number).is_some();
        match fetched {
            Ok(value) => {
                let snapshot = Snapshot { value, fetch: number, began };
                if state.snapshot.as_ref().is_none_or(|newest| newest.fetch < number) {
                    state.snapshot = Some(snapshot.clone());
                }
                state.failure = None;
                Ok(snapshot)
            }
            Err(error) => {
                let now = self.clock.now();
                if is_awaited {
                    state.fail(number, error.clone(), now, false);
                } else if let Some(failure) =
                    state.failure.as_mut().filter(|failure| failure.fetch == number)
                {
                    failure.backoff.prolong(now, error.retry_after());
                    failure.error = error.clone();
                }
                Err(error)
            }
        }
    }

    /// Waits for a fetch. `None` if its runtime was dropped.
    async fn wait(&self, mut fetch: Fetch<T>) -> Option<Result<Snapshot<T>, Error>> {
        let max_wait = MAX_WAIT.saturating_sub(fetch.request.age());
        match timeout(max_wait, fetch.request.result()).await {
            Ok(Ok(result)) => Some(result),
            Ok(Err(Abandoned)) => None,
            Err(_) => Some(Err(self.no_response())),
        }
    }

    fn no_response(&self) -> Error {
        let reason = "timed out waiting for the response; the request continues in the background";
        Error::timed_out(self.operation, reason)
    }
}
