//! Extreme settings.

use crate::support::prelude::*;

/// Every setting at its maximum but the one that lets JWTs expire.
fn most(project: &ScriptedProject) -> ClientBuilder {
    let forever = Duration::MAX;
    let policy = RetryPolicy::default()
        .max_attempts(u32::MAX)
        .initial_backoff(forever)
        .max_backoff(forever)
        .max_retry_after(forever);
    let builder = project.builder().retry(policy).leeway(forever).session_cache_ttl(forever);
    let builder = builder.connect_timeout(forever).attempt_timeout(forever);
    let builder = builder.operation_timeout(forever).max_response_bytes(usize::MAX);
    builder.jwks_max_stale(forever).jwks_min_refetch_interval(forever)
}

#[tokio::test]
async fn extreme_settings_neither_panic_nor_hang() {
    for max_in_flight in [usize::MAX >> 3, usize::MAX] {
        let project = ScriptedProject::successful().await;
        let most = || most(&project).max_in_flight(max_in_flight);
        let client = most().build().unwrap();
        for session in [session(), token()] {
            update_as(&client, session.clone()).await.unwrap();
            update_as(&client, session).await.unwrap();
        }
        assert_eq!(project.counts()[1..], [1, 4]);
        // Every JWT counts as expired, so the client calls `sessions/authenticate`.
        let client = most().expiry_margin(Duration::MAX).build().unwrap();
        update(&client).await.unwrap();
        assert_eq!(project.counts()[1..], [2, 5]);
    }
}
