//! Waits for what another task or process does, with a limit.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

/// Returns once the condition holds. Panics if it doesn't within 20 seconds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    some("the condition doesn't hold", async || condition().then_some(())).await;
}

/// Returns the value once there is one. Panics with `otherwise` if there is none after 20 seconds.
pub(crate) async fn some<T>(otherwise: impl Display, look: impl AsyncFn() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(Instant::now() < limit, "{otherwise} after 20 s");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
