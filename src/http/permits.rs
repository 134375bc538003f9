//! Permits, which limit the requests in flight.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{error::Error, sync::Deadline};

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

/// Acquires a permit, and fails if every caller has given up meanwhile, so that requests of clients
/// that disconnected delay no others.
pub(super) async fn acquire_awaited(
    semaphore: &Semaphore,
    is_awaited: impl Fn() -> bool,
    deadline: Deadline,
) -> Result<SemaphorePermit<'_>, Error> {
    let permit = acquire_permit(semaphore, deadline).await?;
    if is_awaited() {
        return Ok(permit);
    }
    Err(Error::timed_out(deadline.operation(), "every caller gave up before the request was sent"))
}

const QUEUED: &str = "queued for a permit (max_in_flight)";
