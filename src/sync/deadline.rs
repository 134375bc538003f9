//! The instant by which a call returns, whatever it is waiting for.
//!
//! Real time, unlike `clock.rs`: it bounds how long a caller waits.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::{error::Error, wire::Operation};

/// The instant by which a call of an operation returns.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    operation: Operation,
    at: Instant,
}

impl Deadline {
    /// The operation is the one that the caller called: errors of waits name it.
    pub(crate) fn after(operation: Operation, time: Duration) -> Self {
        // An instant that can't be represented would panic; nobody waits for a year.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        Self { operation, at: Instant::now() + time.min(YEAR) }
    }

    /// The deadline of a request that this call shares with others: a little earlier, so that the
    /// callers get the error of the request, which has a cause, before their own time ends.
    pub(crate) fn of_shared_request(self, operation: Operation) -> Self {
        Self { operation, at: self.at - (self.remaining() / 10).min(MARGIN) }
    }

    /// Whether this call has time left after a shared request ran out of it.
    pub(crate) fn is_after(self, shared: Self) -> bool {
        self.at > shared.at + 2 * MARGIN
    }

    pub(crate) fn operation(self) -> Operation {
        self.operation
    }

    pub(crate) fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for `future` until the deadline. `activity` completes "… elapsed while …".
    pub(crate) async fn wait<T>(
        self,
        activity: &str,
        future: impl Future<Output = T>,
    ) -> Result<T, Error> {
        timeout_at(self.at, future).await.map_err(|_| self.elapsed(activity))
    }

    pub(crate) fn elapsed(self, activity: &str) -> Error {
        Error::timed_out(self.operation, format!("operation_timeout elapsed while {activity}"))
    }
}

/// How much earlier a shared request ends.
const MARGIN: Duration = Duration::from_millis(250);
