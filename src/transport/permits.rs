//! Permits, which limit the requests in flight.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{deadline::Deadline, error::Error};

pub(super) async fn acquire_permit(
    semaphore: &Semaphore,
    deadline: Deadline,
) -> Result<SemaphorePermit<'_>, Error> {
    // Never overtakes: while a caller is queued, no permit is free.
    if let Ok(permit) = semaphore.try_acquire() {
        return Ok(permit);
    }
    let permit = deadline.wait(QUEUED, semaphore.acquire()).await?;
    // It is never closed.
    permit.map_err(|_| deadline.elapsed(QUEUED))
}

/// Acquires a permit for a request that somebody waits for: those of clients that disconnected
/// must not keep the others queued.
pub(super) async fn acquire_awaited(
    semaphore: &Semaphore,
    is_awaited: impl Fn() -> bool,
    deadline: Deadline,
) -> Result<SemaphorePermit<'_>, Error> {
    let permit = acquire_permit(semaphore, deadline).await?;
    if is_awaited() {
        return Ok(permit);
    }
    Err(Error::timed_out(deadline.operation(), "no caller waits any more"))
}

const QUEUED: &str = "queued for a permit (max_in_flight)";
