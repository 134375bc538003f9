//! Single flight: concurrent callers for the same key share one request and its result,
//! failures included.
//!
//! A shared request is a task of its own, spawned once, by the call that started it, so a
//! cancelled caller takes nothing with it. A task depends on its runtime: if that is dropped,
//! or not polled for [`MAX_WAIT`], one caller of each other runtime starts another request. A
//! future that all callers poll would not do: its timers and sockets belong to the runtime that
//! polled it first, and the next poll panics once that runtime is gone.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    runtime::{self, Handle},
    sync::watch,
    time::{Instant, timeout},
};

use super::lock::lock;

/// How long a caller waits for a request that may make no progress: a fetch of keys, or a
/// request that another runtime runs.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(2);

/// A request that several callers wait for.
#[derive(Clone)]
pub(crate) struct SharedRequest<T> {
    result: watch::Receiver<Option<T>>,
    began: Instant,
    runtime: runtime::Id,
}

/// The task of a request ended without a result: its runtime was dropped, or it panicked.
#[derive(Debug)]
pub(crate) struct Abandoned;

impl<T: Clone + Send + Sync + 'static> SharedRequest<T> {
    /// Prepares a request of the current runtime. The task that runs it publishes the result;
    /// a dropped sender abandons the request.
    pub(crate) fn new() -> (watch::Sender<Option<T>>, Self) {
        let (sender, result) = watch::channel(None);
        (sender, Self { result, began: Instant::now(), runtime: Handle::current().id() })
    }

    /// Waits for the result.
    pub(crate) async fn result(&mut self) -> Result<T, Abandoned> {
        let result = self.result.wait_for(Option::is_some).await.map_err(|_| Abandoned)?;
        result.clone().ok_or(Abandoned)
    }

    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.result.has_changed().is_err() && self.result.borrow().is_none()
    }

    /// Whether the runtime of the current call runs it.
    pub(crate) fn is_local(&self) -> bool {
        self.runtime == Handle::current().id()
    }
}

/// The callers that wait for a shared request, as its task sees them.
pub(crate) struct Waiters<T>(watch::Sender<Option<T>>);

impl<T> Waiters<T> {
    /// Whether all of them gave up.
    pub(crate) fn is_empty(&self) -> bool {
        // One receiver is that of the map.
        self.0.receiver_count() <= 1
    }
}

/// The shared requests in flight, by key.
pub(crate) struct SingleFlight<K, T, E> {
    in_flight: Arc<Mutex<InFlight<K, Result<T, E>>>>,
    /// The time after which a request gives up.
    time_limit: Duration,
}

struct InFlight<K, T> {
    /// At most one of each runtime.
    requests: HashMap<K, Vec<(u64, SharedRequest<T>)>>,
    started: u64,
}

impl<K, T, E> SingleFlight<K, T, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(time_limit: Duration) -> Self {
        let in_flight = InFlight { requests: HashMap::new(), started: 0 };
        Self { in_flight: Arc::new(Mutex::new(in_flight)), time_limit }
    }

    /// Waits for the request in flight for `key`, or spawns the one that `start` returns.
    ///
    /// Starts another one if the requests of other runtimes make no progress for [`MAX_WAIT`] in
    /// all, or fail because the time of their own call ended.
    pub(crate) async fn run<F>(
        &self,
        key: &K,
        start: impl FnOnce(Waiters<Result<T, E>>) -> F,
        is_out_of_time: impl Fn(&E) -> bool,
    ) -> Result<Result<T, E>, Abandoned>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let give_up = Instant::now() + MAX_WAIT;
        loop {
            let max_wait = give_up.saturating_duration_since(Instant::now());
            let mut request = match self.join(key, max_wait.is_zero()) {
                Joined::InFlight(request) => request,
                Joined::New { publish, mut request, guard } => {
                    let future = start(Waiters(publish.clone()));
                    tokio::spawn(async move {
                        // Dropped last, so that nobody joins a request without a result.
                        let _guard = guard;
                        publish.send_replace(Some(future.await));
                    });
                    return request.result().await;
                }
            };
            if request.is_local() {
                match request.result().await {
                    Ok(Err(error)) if is_out_of_time(&error) => {}
                    result => return result,
                }
            } else {
                let max_wait = max_wait.min(MAX_WAIT.saturating_sub(request.age()));
                match timeout(max_wait, request.result()).await {
                    Ok(Ok(Err(error))) if is_out_of_time(&error) => {}
                    Ok(Ok(result)) => return Ok(result),
                    // The next caller starts another request.
                    Ok(Err(Abandoned)) | Err(_) => {}
                }
            }
        }
    }

    /// The request in flight to wait for, or a new one that has to be started.
    fn join(&self, key: &K, only_local: bool) -> Joined<K, Result<T, E>> {
        let mut in_flight = lock(&self.in_flight);
        in_flight.started += 1;
        let number = in_flight.started;
        let requests = in_flight.requests.entry(key.clone()).or_default();
        requests.retain(|(_, request)| !request.is_abandoned() && request.age() < self.time_limit);
        let local = requests.iter().find(|(_, request)| request.is_local());
        let may_join = |age: Duration| !only_local && age < MAX_WAIT;
        let joined = local.or_else(|| requests.iter().find(|(_, it)| may_join(it.age())));
        if let Some((_, request)) = joined {
            return Joined::InFlight(request.clone());
        }
        let (publish, request) = SharedRequest::new();
        requests.push((number, request.clone()));
        let in_flight = Arc::clone(&self.in_flight);
        let guard = RemoveOnDrop { in_flight, key: key.clone(), number };
        Joined::New { publish, request, guard }
    }
}

enum Joined<K: Eq + Hash, T> {
    InFlight(SharedRequest<T>),
    New { publish: watch::Sender<Option<T>>, request: SharedRequest<T>, guard: RemoveOnDrop<K, T> },
}

/// Removes a request when its task ends, in whatever way.
struct RemoveOnDrop<K: Eq + Hash, T> {
    in_flight: Arc<Mutex<InFlight<K, T>>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, T> Drop for RemoveOnDrop<K, T> {
    fn drop(&mut self) {
        let mut in_flight = lock(&self.in_flight);
        if let Some(requests) = in_flight.requests.get_mut(&self.key) {
            requests.retain(|(number, _)| *number != self.number);
            if requests.is_empty() {
                in_flight.requests.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    type Requests = SingleFlight<u8, (), ()>;

    #[tokio::test(start_paused = true)]
    async fn requests_of_other_runtimes_are_waited_for_two_seconds_in_all() {
        let requests = Requests::new(Duration::from_secs(60));
        let others = [(); 2].map(|()| Builder::new_current_thread().build().unwrap());
        let _first = begin_elsewhere(&requests, &others[0]);
        let began = Instant::now();
        let caller = requests.run(&0, |_| async { Ok(()) }, |()| false);
        let second = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            begin_elsewhere(&requests, &others[1])
        };
        let (result, _second) = tokio::join!(caller, second);
        assert_eq!(result.unwrap(), Ok(()));
        assert_eq!(began.elapsed(), MAX_WAIT);
        others.into_iter().for_each(Runtime::shutdown_background);
    }

    /// Begins a request that makes no progress.
    fn begin_elsewhere(
        requests: &Requests,
        runtime: &Runtime,
    ) -> watch::Sender<Option<Result<(), ()>>> {
        let (publish, request) = SharedRequest::new();
        let request = SharedRequest { runtime: runtime.handle().id(), ..request };
        let number = u64::MAX;
        lock(&requests.in_flight).requests.entry(0).or_default().push((number, request));
        publish
    }
}
