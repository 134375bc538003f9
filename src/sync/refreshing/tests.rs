//! One value, with paused time: when it is fetched, who waits for it, and which result counts.
#![expect(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use futures_util::FutureExt;
use tokio::{task::yield_now, time::sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const SCHEDULE: Schedule = Schedule {
    fresh: Duration::from_secs(300),
    stale: Duration::from_secs(3600),
    interval: Duration::from_secs(5),
};

/// How long a fetch takes, and whether it succeeds.
type Script = (Duration, Result<(), Option<Duration>>);

/// Succeeds at once.
const OK: Script = (Duration::ZERO, Ok(()));
/// Fails at once.
const ERR: Script = (Duration::ZERO, Err(None));

/// A cache whose fetches follow a script. The value is the number of the fetch.
struct Fixture {
    cache: Arc<RefreshingCache<u64>>,
    clock: Clock,
    begun: Arc<AtomicU64>,
}

impl Fixture {
    fn new(script: impl IntoIterator<Item = Script>) -> Self {
        let script = Mutex::new(script.into_iter().collect::<VecDeque<_>>());
        let (clock, begun) = (Clock::stopped(), Arc::new(AtomicU64::new(0)));
        let counter = Arc::clone(&begun);
        let fetch = move || {
            let number = counter.fetch_add(1, SeqCst) + 1;
            let (time, result) = lock(&script).pop_front().expect("a fetch that was not expected");
            async move {
                sleep(time).await;
                result.map(|()| number).map_err(|retry_after| {
                    Error::timed_out(Operation::GetJwks, format!("failure {number}"))
                        .amend(|context| context.retry_after = retry_after)
                })
            }
            .boxed()
        };
        let operation = Operation::GetJwks;
        let cache = RefreshingCache::new(clock.clone(), SCHEDULE, operation, fetch);
        Self { cache, clock, begun }
    }

    /// The value, or the reason of the error, and how long the caller waited.
    async fn get(&self) -> (Result<u64, String>, Duration) {
        timed(self.cache.get(Duration::MAX)).await
    }

    async fn refresh(&self) -> Result<u64, String> {
        timed(self.cache.refresh()).await.0
    }

    async fn get_newer(&self) -> (Result<u64, String>, Duration) {
        let fetches = self.cache.fetches();
        timed(self.cache.get_newer(fetches, |_| false)).await
    }

    fn begun(&self) -> u64 {
        self.begun.load(SeqCst)
    }

    /// Lets real time pass, and what ends in it.
    async fn settle(&self, time: Duration) {
        sleep(time + Duration::from_millis(1)).await;
    }

    /// Lets time pass, on the clock and in real time.
    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        sleep(time).await;
    }
}

async fn timed(call: impl Future<Output = Result<u64, Error>>) -> (Result<u64, String>, Duration) {
    let began = Instant::now();
    let result = call.await;
    (result.map_err(|error| error.reason().to_owned()), began.elapsed())
}

fn failure(number: u64) -> Result<u64, String> {
    Err(format!("failure {number}"))
}

fn is_no_response(result: &Result<u64, String>) -> bool {
    result.as_ref().is_err_and(|reason| reason.starts_with("timed out waiting for the response"))
}

#[tokio::test(start_paused = true)]
async fn value_is_fetched_once_and_refreshed_in_the_background_when_it_is_no_longer_fresh() {
    let it = Fixture::new([(SECOND, Ok(())), (SECOND, Ok(()))]);
    let calls = futures_util::future::join_all((0..10).map(|_| it.get())).await;
    assert!(calls.iter().all(|(result, time)| (result, *time) == (&Ok(1), SECOND)));
    it.clock.advance(SCHEDULE.fresh - SECOND);
    assert_eq!((it.get().await, it.begun()), ((Ok(1), Duration::ZERO), 1));
    it.clock.advance(SECOND);
    for _ in 0..3 {
        assert_eq!(it.get().await, (Ok(1), Duration::ZERO));
    }
    it.settle(SECOND).await;
    assert_eq!((it.get().await, it.begun()), ((Ok(2), Duration::ZERO), 2));
}

#[tokio::test(start_paused = true)]
async fn value_is_served_while_fetching_fails_until_it_is_stale() {
    let it = Fixture::new([OK, ERR, ERR]);
    it.get().await.0.unwrap();
    it.clock.advance(SCHEDULE.fresh);
    for _ in 0..3 {
        assert_eq!(it.get().await.0, Ok(1));
        yield_now().await;
    }
    assert_eq!(it.begun(), 2);
    it.clock.advance(SCHEDULE.stale - SCHEDULE.fresh);
    assert!(!it.cache.is_usable());
    assert_eq!((it.get().await.0, it.begun()), (failure(3), 3));
}

#[tokio::test(start_paused = true)]
async fn value_from_the_future_is_not_used() {
    let mut it = Fixture::new([OK, OK]);
    it.get().await.0.unwrap();
    assert!(it.cache.is_usable());
    let earlier = Clock::stopped_at(it.clock.now() - SECOND);
    Arc::get_mut(&mut it.cache).unwrap().clock = earlier;
    assert!(!it.cache.is_usable());
    assert_eq!(it.get().await.0, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn failure_is_remembered_for_the_backoff_which_doubles() {
    let it = Fixture::new([ERR; 8]);
    for (number, limit) in [1, 2, 4, 8, 16, 30, 30].into_iter().enumerate() {
        let (number, limit) = (number as u64 + 1, SECOND * limit);
        assert_eq!(it.get().await.0, failure(number));
        it.clock.advance(limit * 3 / 4 - SECOND / 100);
        assert_eq!((it.get().await.0, it.begun()), (failure(number), number));
        it.clock.advance(limit / 4 + SECOND / 100);
    }
}

#[tokio::test(start_paused = true)]
async fn success_clears_the_failure_and_its_backoff() {
    let it = Fixture::new([ERR, ERR, ERR, OK, ERR, OK]);
    for pause in [1, 2, 4] {
        it.get().await.0.unwrap_err();
        it.clock.advance(SECOND * pause);
    }
    assert_eq!(it.get().await.0, Ok(4));
    assert_eq!(it.refresh().await, failure(5));
    // A value is at hand, and the backoff begins anew.
    assert_eq!(it.get().await.0, Ok(4));
    it.clock.advance(SECOND);
    assert_eq!((it.refresh().await, it.begun()), (Ok(6), 6));
}

#[tokio::test(start_paused = true)]
async fn retry_after_prolongs_the_backoff_up_to_the_maximum() {
    for (retry_after, pause) in [(0, 1), (20, 20), (60, 30)] {
        let it = Fixture::new([(Duration::ZERO, Err(Some(SECOND * retry_after))), OK]);
        it.get().await.0.unwrap_err();
        it.clock.advance(SECOND * pause * 3 / 4 - SECOND / 100);
        it.get().await.0.unwrap_err();
        it.clock.advance(SECOND * pause / 4 + SECOND / 100);
        assert_eq!(it.get().await.0, Ok(2));
    }
}

#[test]
fn backoffs_differ() {
    let pauses: Vec<_> = (0..8).map(|_| backoff(0, None)).collect();
    assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn fetch_that_hangs_delays_the_first_calls_only() {
    let it =
        Fixture::new([(10 * SECOND, Err(None)), (10 * SECOND, Err(None)), (SECOND, Err(None))]);
    let (result, time) = it.get().await;
    assert!(is_no_response(&result) && time == MAX_WAIT, "{result:?} {time:?}");
    for _ in 0..3 {
        let (result, time) = it.get().await;
        assert!(is_no_response(&result) && time.is_zero(), "{result:?} {time:?}");
    }
    assert_eq!(it.begun(), 1);
    it.settle(8 * SECOND).await;
    assert_eq!(it.get().await, (failure(1), Duration::ZERO));
    // No call waits for the next fetch either; the one after it comes in time again.
    for number in [2, 3] {
        it.clock.advance(30 * SECOND);
        let (result, time) = it.get().await;
        assert!(is_no_response(&result) && time.is_zero(), "{result:?} {time:?}");
        it.settle(10 * SECOND).await;
        assert_eq!(it.get().await, (failure(number), Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_wait_again_after_a_failure_that_came_in_time() {
    let it = Fixture::new([(MAX_WAIT - SECOND / 100, Err(None)), (SECOND, Ok(()))]);
    assert_eq!(it.get().await.0, failure(1));
    it.clock.advance(SECOND);
    assert_eq!(it.get().await, (Ok(2), SECOND));
}

#[tokio::test(start_paused = true)]
async fn late_value_is_used() {
    let it = Fixture::new([(3 * SECOND, Ok(()))]);
    assert!(is_no_response(&it.get().await.0));
    it.settle(SECOND).await;
    assert_eq!(it.get().await, (Ok(1), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn caller_waits_no_longer_than_it_wants_to() {
    let it = Fixture::new([(SECOND, Ok(()))]);
    let (result, time) = timed(it.cache.get(SECOND / 2)).await;
    assert!(is_no_response(&result) && time == SECOND / 2, "{result:?} {time:?}");
    assert_eq!(it.get().await, (Ok(1), SECOND / 2));
}

#[tokio::test(start_paused = true)]
async fn dropped_caller_leaves_the_fetch_running() {
    let it = Fixture::new([(SECOND, Ok(()))]);
    assert!(it.get().now_or_never().is_none());
    it.settle(SECOND).await;
    assert_eq!(it.get().await, (Ok(1), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn earlier_fetch_that_ends_later_never_replaces_a_newer_value() {
    // Of a runtime that isn't polled for a long time, as it seems to the others.
    let it = Fixture::new([(LONGEST + 9 * SECOND, Ok(())), (SECOND, Ok(()))]);
    assert!(is_no_response(&it.get().await.0));
    sleep(LONGEST - MAX_WAIT - SECOND).await;
    assert!(is_no_response(&it.get().await.0));
    assert_eq!(it.begun(), 1);
    sleep(SECOND).await;
    assert_eq!(it.get().await, (Ok(2), SECOND));
    sleep(10 * SECOND).await;
    assert_eq!((it.get().await.0, it.begun()), (Ok(2), 2));
}

#[test]
fn fetch_of_a_dropped_runtime_is_followed_by_another() {
    let it = Fixture::new([(SECOND, Ok(())), OK]);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime().block_on(async {
        assert!(it.get().now_or_never().is_none());
        yield_now().await;
    });
    assert_eq!((it.begun(), runtime().block_on(it.get()).0), (1, Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn refresh_fetches_a_fresh_value_too_but_not_during_the_backoff() {
    let it = Fixture::new([OK, (SECOND, Ok(())), ERR, OK]);
    it.get().await.0.unwrap();
    // Joins the fetch in flight.
    let both = tokio::join!(it.refresh(), it.refresh());
    assert_eq!((both, it.begun()), ((Ok(2), Ok(2)), 2));
    for _ in 0..2 {
        assert_eq!((it.refresh().await, it.begun()), (failure(3), 3));
    }
    it.clock.advance(SECOND);
    assert_eq!((it.refresh().await, it.begun()), (Ok(4), 4));
}

#[tokio::test(start_paused = true)]
async fn newer_value_is_one_of_a_fetch_that_began_after_the_call() {
    let it = Fixture::new([(SECOND, Ok(())), (SECOND, Ok(())), (SECOND, Ok(()))]);
    let first = async { it.get().await };
    let newer = async {
        yield_now().await;
        // The fetch in flight isn't enough; forcing one right after it is allowed.
        assert_eq!(it.begun(), 1);
        it.get_newer().await
    };
    assert_eq!(tokio::join!(first, newer), ((Ok(1), SECOND), (Ok(2), 2 * SECOND)));
    // The next one waits for the rest of the interval since the last forced fetch began.
    assert_eq!(it.get_newer().await, (Ok(3), SCHEDULE.interval));
}

#[tokio::test(start_paused = true)]
async fn value_that_is_enough_ends_the_wait_for_a_newer_one() {
    let it = Fixture::new([OK, (SECOND, Ok(()))]);
    it.get().await.0.unwrap();
    let fetches = it.cache.fetches();
    let enough = it.cache.get_newer(fetches, |value| *value == 1);
    assert_eq!((timed(enough).await, it.begun()), ((Ok(1), Duration::ZERO), 1));
    // A caller from before the last fetch needs no other one.
    assert_eq!(timed(it.cache.get_newer(0, |_| false)).await, (Ok(1), Duration::ZERO));
    assert_eq!(it.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn forced_fetches_are_an_interval_apart_whatever_the_backoff() {
    let it = Fixture::new([OK, ERR, ERR, OK]);
    it.get().await.0.unwrap();
    assert_eq!(it.get_newer().await, (failure(2), Duration::ZERO));
    // The backoff of 1 s is over long before.
    it.pass(2 * SECOND).await;
    assert_eq!(it.get_newer().await, (failure(3), SCHEDULE.interval - 2 * SECOND));
    // By the clock as well as in real time.
    it.clock.advance(SCHEDULE.interval);
    assert_eq!(it.get_newer().await, (Ok(4), Duration::ZERO));
    assert_eq!(it.begun(), 4);
}

#[tokio::test(start_paused = true)]
async fn fresh_value_is_not_refreshed_after_a_forced_fetch_failed() {
    let it = Fixture::new([OK, ERR, ERR]);
    it.get().await.0.unwrap();
    it.get_newer().await.0.unwrap_err();
    for (advance, begun) in [(SCHEDULE.fresh - SECOND, 2), (SECOND, 3)] {
        it.clock.advance(advance);
        assert_eq!(it.get().await.0, Ok(1));
        yield_now().await;
        assert_eq!(it.begun(), begun);
    }
}

#[tokio::test(start_paused = true)]
async fn newer_value_is_waited_for_no_longer_than_the_interval_and_two_seconds() {
    let it = Fixture::new([OK, OK, (10 * SECOND, Ok(()))]);
    it.get().await.0.unwrap();
    it.get_newer().await.0.unwrap();
    let (result, time) = it.get_newer().await;
    assert!(is_no_response(&result) && time == SCHEDULE.interval + MAX_WAIT, "{result:?} {time:?}");
    // It hangs, and no other one begins beside it. The next caller waits for what follows.
    let (result, time) = it.get_newer().await;
    assert!(is_no_response(&result) && time == SCHEDULE.interval + MAX_WAIT, "{result:?} {time:?}");
    assert_eq!(it.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn fetch_for_a_newer_value_that_hangs_is_waited_for_two_seconds() {
    let it = Fixture::new([OK, (10 * SECOND, Ok(()))]);
    it.get().await.0.unwrap();
    let fetches = it.cache.fetches();
    for wait in [MAX_WAIT, Duration::ZERO] {
        let (result, time) = timed(it.cache.get_newer(fetches, |_| false)).await;
        assert!(is_no_response(&result) && time == wait, "{result:?} {time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn outdated_value_is_fetched_anew_at_most_once_in_an_interval() {
    let it = Fixture::new([OK, (SECOND, Ok(())), OK]);
    it.get().await.0.unwrap();
    it.cache.outdate();
    let both = tokio::join!(it.get(), it.get());
    assert_eq!((both, it.begun()), (((Ok(2), SECOND), (Ok(2), SECOND)), 2));
    // Meanwhile the value of the last forced fetch serves.
    for _ in 0..4 {
        it.cache.outdate();
        assert_eq!((it.get().await.0, it.begun()), (Ok(2), 2));
        it.pass(SECOND).await;
    }
    // And the value of a fetch that began after it was outdated serves on.
    for _ in 0..2 {
        it.clock.advance(SCHEDULE.interval);
        assert_eq!((it.get().await.0, it.begun()), (Ok(3), 3));
    }
}

#[tokio::test(start_paused = true)]
async fn fetch_that_began_before_the_value_was_outdated_is_not_enough() {
    let it = Fixture::new([(SECOND, Ok(())), (SECOND / 2, Ok(()))]);
    assert!(it.get().now_or_never().is_none());
    it.cache.outdate();
    assert_eq!((it.get().await, it.begun()), ((Ok(2), SECOND * 3 / 2), 2));
}

#[tokio::test(start_paused = true)]
async fn outdated_value_is_not_fetched_during_the_backoff() {
    let it = Fixture::new([OK, (Duration::ZERO, Err(Some(20 * SECOND))), OK]);
    it.get().await.0.unwrap();
    it.cache.outdate();
    for _ in 0..3 {
        assert_eq!((it.get().await.0, it.begun()), (failure(2), 2));
        it.clock.advance(SCHEDULE.interval);
    }
    it.clock.advance(SCHEDULE.interval);
    assert_eq!((it.get().await.0, it.begun()), (Ok(3), 3));
}

#[tokio::test(start_paused = true)]
async fn outdated_value_serves_no_call_while_fetching_fails() {
    let it = Fixture::new([OK, ERR, (9 * SECOND, Err(None)), OK]);
    it.get().await.0.unwrap();
    it.cache.outdate();
    for _ in 0..2 {
        assert_eq!((it.get().await.0, it.begun()), (failure(2), 2));
    }
    // After the backoff, whatever the interval.
    it.clock.advance(SECOND);
    let (result, time) = it.get().await;
    assert!(is_no_response(&result) && time == MAX_WAIT, "{result:?} {time:?}");
    let (result, time) = it.get().await;
    assert!(is_no_response(&result) && time.is_zero(), "{result:?} {time:?}");
    it.settle(9 * SECOND).await;
    assert_eq!((it.get().await.0, it.begun()), (failure(3), 3));
    it.clock.advance(2 * SECOND);
    assert!(is_no_response(&it.get().await.0));
    it.settle(Duration::ZERO).await;
    assert_eq!((it.get().await.0, it.begun()), (Ok(4), 4));
}
