//! How sessions are resolved: caches, keys and clocks. The builder of a client sets it.

use std::time::Duration;

use crate::sync::Schedule;

/// How sessions are resolved.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How long a token's organization is cached.
    pub(crate) token_ttl: Duration,
    /// How many sessions are cached.
    pub(crate) capacity: usize,
    /// When the keys are fetched. Unknown `kid`s force it.
    pub(crate) jwks: Schedule,
    /// The leeway for `iat` and `nbf`.
    pub(crate) leeway: Duration,
    /// How long before its end a JWT counts as expired.
    pub(crate) expiry_margin: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self {
            token_ttl: HOUR,
            capacity: 10_000,
            jwks: Schedule { fresh: FRESH, stale: HOUR, interval: Duration::from_secs(5) },
            leeway: Duration::from_secs(5),
            expiry_margin: Duration::from_secs(5),
        }
    }
}

/// The age from which on keys are refreshed.
pub(crate) const FRESH: Duration = Duration::from_secs(5 * 60);
