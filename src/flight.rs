//! Single flight: callers who want the same thing at the same time share one attempt and
//! its result, failures included.
//!
//! Written by hand on purpose: caches that offer single flight hand a failed attempt on to
//! the next caller, so that 200 callers fail one after another; and a mutex held across the
//! attempt does the same. Here nothing is locked across an await. A flight is driven by
//! whoever waits for it: dropping one caller leaves it to the others, and dropping all of
//! them ends it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

/// A flight that a caller waits for.
pub(crate) type Flight<T> = Shared<BoxFuture<'static, T>>;

/// The flights in the air, by what they are for.
pub(crate) struct Flights<K, T: Clone>(Arc<Mutex<Open<K, T>>>);

struct Open<K, T: Clone> {
    flights: HashMap<K, (u64, WeakShared<BoxFuture<'static, T>>)>,
    started: u64,
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Open { flights: HashMap::new(), started: 0 })))
    }

    /// Joins the flight for `key`, or starts what `start` makes, or does neither where that
    /// makes nothing.
    ///
    /// `start` is asked while no flight for `key` can begin or end, so what the last flight
    /// left behind is there for it to see.
    pub(crate) fn join<F>(&self, key: &K, start: impl FnOnce() -> Option<F>) -> Option<Flight<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut open = lock(&self.0);
        let in_the_air = open.flights.get(key).and_then(|(_, flight)| flight.upgrade());
        if in_the_air.is_some() {
            return in_the_air;
        }
        let future = start()?;
        open.started += 1;
        let landing = Landing { open: Arc::clone(&self.0), key: key.clone(), number: open.started };
        let flight = async move {
            let _landing = landing;
            future.await
        }
        .boxed()
        .shared();
        let number = open.started;
        open.flights.insert(key.clone(), (number, flight.downgrade()?));
        Some(flight)
    }
}

/// Takes a flight off the list when it ends or when its last caller is dropped.
struct Landing<K: Eq + Hash, T: Clone> {
    open: Arc<Mutex<Open<K, T>>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, T: Clone> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        // The next flight for the same key may have started already.
        if open.flights.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            open.flights.remove(&self.key);
        }
    }
}

/// No code that can panic runs under the lock but a caller's, so what a poisoned one
/// guards is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::future::{pending, ready};

    use super::*;

    fn is_empty(flights: &Flights<u8, u8>) -> bool {
        lock(&flights.0).flights.is_empty()
    }

    #[tokio::test]
    async fn flight_that_landed_leaves_nothing_behind() {
        let flights = Flights::new();
        let flight = flights.join(&1, || Some(ready(7))).unwrap();
        let joined = flights.join(&1, || Some(ready(8))).unwrap();
        assert_eq!((flight.await, joined.await), (7, 7));
        assert!(is_empty(&flights));
    }

    #[test]
    fn flight_that_all_callers_left_leaves_nothing_behind() {
        let flights = Flights::new();
        let first = flights.join(&1, || Some(pending())).unwrap();
        let second = flights.join(&1, || Some(pending())).unwrap();
        drop(first);
        assert!(!is_empty(&flights));
        drop(second);
        assert!(is_empty(&flights));
    }

    #[test]
    fn late_landing_takes_no_newer_flight_off_the_list() {
        let flights: Flights<u8, u8> = Flights::new();
        let older = Landing { open: Arc::clone(&flights.0), key: 1, number: 0 };
        let newer = flights.join(&1, || Some(pending())).unwrap();
        drop(older);
        assert!(!is_empty(&flights));
        drop(newer);
    }
}
