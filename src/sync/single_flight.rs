//! Single flight: concurrent callers for the same key share one request and its result, failures
//! included.
//!
//! A request is polled by its callers and ends with the last of them. Each runtime has requests of
//! its own, since the timers and sockets of a future belong to the runtime that polls it: no caller
//! depends on another runtime.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, WeakShared},
};
use tokio::runtime::{self, Handle};

use super::lock;

/// The shared requests in flight, by key.
pub(crate) struct SingleFlight<K: Eq + Hash, T: Clone>(Arc<InFlight<K, T>>);

type InFlight<K, T> = Mutex<HashMap<(K, runtime::Id), WeakShared<BoxFuture<'static, T>>>>;

impl<K, T> SingleFlight<K, T>
where
    K: Copy + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Waits for the request in flight for `key`, or for the one that `start` returns.
    pub(crate) async fn run<F>(&self, key: K, start: impl FnOnce() -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let key = (key, Handle::current().id());
        let request = {
            let mut in_flight = lock(&self.0);
            let joined = in_flight.get(&key).and_then(WeakShared::upgrade);
            joined.unwrap_or_else(|| {
                let remove = RemoveOnDrop { in_flight: Arc::clone(&self.0), key };
                let future = start();
                let request = async move {
                    let _remove = remove;
                    future.await
                };
                let request = request.boxed().shared();
                in_flight.extend(request.downgrade().map(|weak| (key, weak)));
                request
            })
        };
        request.await
    }
}

/// Removes a request when it ends, in whatever way.
struct RemoveOnDrop<K: Eq + Hash, T: Clone> {
    in_flight: Arc<InFlight<K, T>>,
    key: (K, runtime::Id),
}

impl<K: Eq + Hash, T: Clone> Drop for RemoveOnDrop<K, T> {
    fn drop(&mut self) {
        // This may be a newer request of the key: later callers then start one of their own.
        lock(&self.in_flight).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use futures_util::future::join_all;
    use tokio::{
        runtime::Builder,
        sync::Notify,
        task::yield_now,
        time::{sleep, timeout},
    };

    use super::*;

    type Requests = SingleFlight<u8, u32>;

    /// The requests, and how many were started.
    #[derive(Default)]
    struct Counted(AtomicU32);

    impl Counted {
        /// A request with the number of requests before it as its result, after a while.
        async fn call(&self, requests: &Requests, key: u8) -> u32 {
            let start = || {
                let number = self.0.fetch_add(1, Ordering::SeqCst);
                async move {
                    sleep(Duration::from_secs(1)).await;
                    number
                }
            };
            requests.run(key, start).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_of_one_key_share_a_request_and_later_ones_do_not() {
        let (requests, counted) = (Requests::new(), Counted::default());
        for expected in [0, 1] {
            let results = join_all((0..10).map(|_| counted.call(&requests, 0))).await;
            assert_eq!(results, [expected; 10]);
            assert!(lock(&requests.0).is_empty());
        }
        let results = join_all((0..3).map(|key| counted.call(&requests, key))).await;
        assert_eq!(results, [2, 3, 4]);
    }

    #[tokio::test]
    async fn caller_that_gives_up_takes_nothing_from_the_others() {
        let (requests, go) = (Requests::new(), Arc::new(Notify::new()));
        let start = || {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                7
            }
        };
        let mut first = Box::pin(requests.run(0, start));
        let second = requests.run(0, || async { 8 });
        assert!((&mut first).now_or_never().is_none());
        let give_up = async {
            yield_now().await;
            drop(first);
            go.notify_one();
        };
        assert_eq!(tokio::join!(second, give_up).0, 7);
    }

    #[tokio::test]
    async fn request_ends_with_its_last_caller() {
        let requests = Requests::new();
        let is_alive = Arc::new(());
        let held = Arc::clone(&is_alive);
        let request = requests.run(0, || async move {
            std::future::pending::<()>().await;
            drop(held);
            0
        });
        assert!(timeout(Duration::from_millis(1), request).await.is_err());
        assert_eq!((Arc::strong_count(&is_alive), lock(&requests.0).len()), (1, 0));
        assert_eq!(requests.run(0, || async { 1 }).await, 1);
    }

    #[test]
    fn runtime_that_is_dropped_or_not_polled_concerns_no_other() {
        let requests = Requests::new();
        let runtime = || Builder::new_current_thread().build().unwrap();
        let (dropped, idle, other) = (runtime(), runtime(), runtime());
        for runtime in [&dropped, &idle] {
            let mut request = Box::pin(requests.run(0, std::future::pending));
            // Polled once, and kept.
            runtime.block_on(async { assert!((&mut request).now_or_never().is_none()) });
            assert_eq!(other.block_on(requests.run(0, || async { 1 })), 1);
        }
    }
}
