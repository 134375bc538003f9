//! Locks that make edits of one connection run one after another within a client.
//!
//! A lock exists while an edit holds or waits for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::sync::OwnedMutexGuard;

use crate::{
    error::Error,
    sync::{Deadline, lock},
    wire::PathSegment,
};

type Key = (PathSegment, PathSegment);
type Locks = Arc<Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>>;

/// The locks of a client, by organization and connection.
#[derive(Default)]
pub(crate) struct EditLocks(Locks);

/// Holds or waits for a lock; dropping it removes a lock that nobody else uses.
pub(crate) struct EditLock {
    locks: Locks,
    key: Key,
    guard: Option<OwnedMutexGuard<()>>,
}

impl EditLocks {
    pub(crate) async fn acquire(
        &self,
        organization: PathSegment,
        connection: PathSegment,
        deadline: Deadline,
    ) -> Result<EditLock, Error> {
        let key = (organization, connection);
        let lock = Arc::clone(lock(&self.0).entry(key.clone()).or_default());
        let mut edit = EditLock { locks: Arc::clone(&self.0), key, guard: None };
        let waiting = deadline
            .wait("waiting for another edit of the connection", async { lock.lock_owned().await });
        edit.guard = Some(waiting.await?);
        Ok(edit)
    }
}

impl Drop for EditLock {
    fn drop(&mut self) {
        let mut locks = lock(&self.locks);
        // Under the map's lock, so that nobody takes the lock in between.
        self.guard = None;
        if locks.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::Operation;

    #[tokio::test]
    async fn lock_exists_while_it_is_used() {
        let locks = EditLocks::default();
        let id = || PathSegment::new("id").unwrap();
        let deadline = |time| Deadline::after(Operation::UpdateExternalConnection, time);
        let first = locks.acquire(id(), id(), deadline(Duration::from_secs(9))).await.unwrap();
        let late = locks.acquire(id(), id(), deadline(Duration::from_millis(1))).await;
        assert!(late.err().unwrap().is_retryable());
        assert_eq!(lock(&locks.0).len(), 1);
        drop(first);
        assert_eq!(lock(&locks.0).len(), 0);
    }
}
