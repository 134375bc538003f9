//! Values that must be newer than an event, such as a denial that the old value doesn't explain.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, timeout};
use tracing::Span;

use super::{Inner, RefreshingCache, Snapshot, state::Fetch};
use crate::{error::Error, sync::single_flight::MAX_WAIT};

impl<T: Clone + Send + Sync + 'static> RefreshingCache<T> {
    /// Returns a value whose fetch began at `since` or later. Starts such a fetch, but not less
    /// than `interval` after the last one of that kind. If there is none, or it fails, returns
    /// what [`get`](Self::get) returns.
    pub(crate) async fn get_since(
        &self,
        since: SystemTime,
        interval: Duration,
        max_wait: Duration,
    ) -> Result<Snapshot<T>, Error> {
        let newer = async {
            while let Some(fetch) = self.0.fetch_since(since, interval) {
                let is_newer = fetch.began >= since;
                let result = self.0.wait(fetch).await;
                if is_newer {
                    return result.and_then(Result::ok);
                }
            }
            None
        };
        match timeout(max_wait.min(MAX_WAIT), newer).await {
            Ok(Some(snapshot)) => Ok(snapshot),
            _ => self.get(max_wait).await,
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Inner<T> {
    /// The fetch to wait for if the value is older than `since`.
    fn fetch_since(self: &Arc<Self>, since: SystemTime, interval: Duration) -> Option<Fetch<T>> {
        let mut state = self.lock();
        // One of the same instant may be older.
        state.snapshot.as_ref().filter(|snapshot| snapshot.began <= since)?;
        // After a fetch without a response no call waits for the next one.
        let is_awaited = !state.failure.as_ref().is_some_and(|failure| failure.is_timeout);
        if let Some(fetch) = &state.in_flight {
            return is_awaited.then(|| fetch.clone());
        }
        let is_forced = state.last_forced.is_some_and(|(at, _)| self.clock.age(at) < interval);
        if is_forced || state.is_backing_off(&self.clock) {
            return None;
        }
        state.last_forced = Some((self.clock.now(), Instant::now()));
        let parent = if is_awaited { Span::current() } else { Span::none() };
        let fetch = self.start(&mut state, parent);
        is_awaited.then_some(fetch)
    }
}
