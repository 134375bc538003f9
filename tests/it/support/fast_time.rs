//! Tokio's time, made to pass quickly.

use std::{thread, time::Duration};

use stytch_sso_external::testing::Clock;

/// Makes tokio's time pass ten times as fast on this runtime of one thread. It stands still while
/// the thread is busy or waits for a processor, so that no test depends on how loaded the machine
/// is.
///
/// With tokio's paused time alone, a timeout would elapse whenever nothing is ready, also while a
/// response is on its way through a socket.
pub(crate) fn accelerate() {
    accelerate_with(Clock::stopped());
}

/// The same, and the client's clock with it.
pub(crate) fn accelerate_with(clock: Clock) {
    const STEP: Duration = Duration::from_millis(1);
    tokio::time::pause();
    tokio::spawn(async move {
        loop {
            // Meanwhile tokio doesn't advance the paused time itself.
            tokio::task::spawn_blocking(|| thread::sleep(STEP)).await.unwrap();
            clock.advance(STEP * 10);
            tokio::time::advance(STEP * 10).await;
        }
    });
}
