//! The moment by which a call has ended, whatever it is waiting for.
//!
//! Real time, unlike `clock.rs`: it bounds how long a caller waits.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::error::Error;

#[derive(Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(time: Duration) -> Self {
        // An instant that can't be represented would panic; nobody waits for a year.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        Self(Instant::now() + time.min(YEAR))
    }

    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Waits for `future` until the deadline. `when` says what for, as in "the deadline
    /// passed while waiting for a turn".
    pub(crate) async fn wait<T>(
        self,
        when: &str,
        future: impl Future<Output = T>,
    ) -> Result<T, Error> {
        timeout_at(self.0, future).await.map_err(|_| Error::out_of_time(when))
    }
}
