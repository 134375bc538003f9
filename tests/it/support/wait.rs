//! Waits for a condition, with a limit.

use std::time::{Duration, Instant};

/// Returns once the condition holds. Panics if it doesn't within 10 seconds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < limit, "the condition doesn't hold after 10 s");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
