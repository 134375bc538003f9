//! Edits: a read and an update of one connection, under a lock of the client.
//!
//! Edits of one connection run one after another. A lock exists while an edit holds or waits for
//! it.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex},
};

use tokio::sync::OwnedMutexGuard;

use super::{MemberClient, call::MemberCall, connection_edit::ConnectionEdit, update};
use crate::{
    error::{Error, ErrorContext, ErrorKind},
    http::{
        ExternalConnection, GetConnections, MemberRequest, NO_SUCH_CONNECTION, UpdateConnection,
    },
    sync::{Deadline, lock},
    wire::{PathSegment, SessionDigest},
};

impl MemberClient {
    /// Edits an external connection: reads it, calls `edit`, and sends the difference. Returns
    /// the connection as it is afterwards.
    ///
    /// An edit that changes nothing is not sent: to give up, change nothing. One operation
    /// timeout covers the whole edit. The member's roles must grant both actions `get` and
    /// `update` on `stytch.sso`; neither implies the other.
    ///
    /// Edits of the same connection through one [`Client`](crate::Client) run one after
    /// another, so concurrent edits in one process don't overwrite each other. Stytch has no
    /// conditional update, so an edit can still revert a change:
    ///
    /// - **Across processes the last writer wins**, and `update_connection` doesn't wait for
    ///   edits.
    /// - If Stytch's reads lag behind its writes, an edit can start from an old list.
    /// - An attempt that timed out may be applied later, after the next edit.
    ///
    /// At most two edits of one session wait for a connection; a further one fails at once. If
    /// the returned future is dropped, the update may or may not have been applied.
    ///
    /// # Errors
    ///
    /// As for [`connection`](Self::connection),
    /// [`update_connection`](Self::update_connection) and [`ConnectionEdit::into_update`].
    /// [`ErrorKind::Transport`](crate::ErrorKind::Transport), retryable, if two edits of the
    /// session wait for the connection already, or another edit takes until the operation
    /// timeout. [`Error::operation`] returns which of the two requests failed; until the update
    /// is sent, the [`outcome`](Error::outcome) is
    /// [`NotApplied`](crate::Outcome::NotApplied).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use stytch_sso_external::{Session, testing::Stytch};
    /// # let stytch = Stytch::start();
    /// # let acme = stytch.organization("acme");
    /// # let connection =
    /// #     acme.connection_builder("Acme Okta").group_roles(&[("contractors", "stytch_admin")]);
    /// # let connection = connection.create();
    /// # let id = connection.id();
    /// # let jwt = acme.member("ada", &["stytch_admin"]).log_in().jwt();
    /// let member = stytch.client().as_member(Session::jwt(jwt));
    /// member.edit_connection(id, |edit| edit.grant_role("stytch_member")).await?;
    ///
    /// // Moves a role to another group. If somebody else revoked it, it is granted to nobody.
    /// let edited = member
    ///     .edit_connection(id, |edit| {
    ///         if edit.has_group_role("contractors", "stytch_admin") {
    ///             edit.revoke_group_role("contractors", "stytch_admin");
    ///             edit.grant_group_role("it-admins", "stytch_admin");
    ///         }
    ///     })
    ///     .await?;
    /// assert!(edited.has_group_role("it-admins", "stytch_admin"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub async fn edit_connection(
        &self,
        id: &str,
        edit: impl FnOnce(&mut ConnectionEdit) + Send,
    ) -> Result<ExternalConnection, Error> {
        let deadline = self.project.context.deadline(UpdateConnection::OPERATION);
        let read = self.begin_until(GetConnections::OPERATION, deadline);
        let locked = read.in_span(async {
            let id = update::check_id(UpdateConnection::OPERATION, id)?;
            let (organization, ..) = self.project.resolve(&self.session, deadline).await?;
            let session = self.session.presented.digest();
            let key = (organization, id.clone());
            let lock = self.project.edits.acquire(key, session, deadline).await?;
            Ok((id, lock))
        });
        let (id, _lock) = match locked.await {
            Ok((id, lock)) => (Ok(id), Some(lock)),
            // The read records it in its span, and is not sent.
            Err(error) => (Err(error), None),
        };
        let current = self.read_connection(read, id.clone()).await?;
        let update = &{
            let mut changes = ConnectionEdit::new(current);
            edit(&mut changes);
            let update = changes.difference()?;
            if update::sets_nothing(&update) {
                return Ok(changes.current);
            }
            update
        };
        let call = self.begin_until(UpdateConnection::OPERATION, deadline);
        let request = id.map(|connection_id| UpdateConnection { connection_id, update });
        let response = pin!(call.run(request)).await?;
        Ok(response.connection)
    }

    pub(super) async fn read_connection(
        &self,
        call: MemberCall<'_>,
        id: Result<PathSegment, Error>,
    ) -> Result<ExternalConnection, Error> {
        let request = id.clone().map(|id| GetConnections(Some(id)));
        let mut connections = pin!(call.run(request)).await?.external_connections.into_iter();
        let id = id?;
        let found = connections.find(|connection| connection.connection_id == *id);
        // The call fails if the list lacks it.
        let (kind, operation) = (ErrorKind::NotFound, GetConnections::OPERATION);
        found.ok_or_else(|| ErrorContext::new(kind, operation, NO_SUCH_CONNECTION).into_error(None))
    }
}

/// The organization and the connection.
type Key = (PathSegment, PathSegment);

/// The locks of a client's edits. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct EditLocks(Arc<Mutex<HashMap<Key, Queue>>>);

/// The edits of one connection.
#[derive(Default)]
struct Queue {
    lock: Arc<tokio::sync::Mutex<()>>,
    /// The session whose edit holds the lock; `None` while the lock passes to the next edit.
    holder: Option<SessionDigest>,
    /// How many edits of each session hold or wait for the lock.
    edits: HashMap<SessionDigest, usize>,
}

/// Holds or waits for a lock; dropping it removes a lock that nobody else uses.
pub(crate) struct EditLock {
    locks: EditLocks,
    key: Key,
    session: SessionDigest,
    guard: Option<OwnedMutexGuard<()>>,
}

impl EditLocks {
    /// Waits for the lock of a connection. Fails at once if [`MAX_WAITING`] edits of the session
    /// wait for it already: one member must not keep the edits of others waiting.
    async fn acquire(
        &self,
        key: Key,
        session: SessionDigest,
        deadline: Deadline,
    ) -> Result<EditLock, Error> {
        let (mut edit, waiting) = {
            let mut locks = lock(&self.0);
            let queue = locks.entry(key.clone()).or_default();
            let edits = queue.edits.entry(session).or_default();
            // An edit that holds the lock doesn't wait.
            let holding = usize::from(queue.holder.is_none_or(|holder| holder == session));
            if *edits >= MAX_WAITING + holding {
                let reason = "two edits of the connection by the same session are waiting already";
                return Err(Error::timed_out(deadline.operation(), reason));
            }
            *edits += 1;
            let edit = EditLock { locks: self.clone(), key, session, guard: None };
            (edit, Arc::clone(&queue.lock).lock_owned())
        };
        edit.guard =
            Some(deadline.wait("waiting for another edit of the connection", waiting).await?);
        if let Some(queue) = lock(&self.0).get_mut(&edit.key) {
            queue.holder = Some(session);
        }
        Ok(edit)
    }
}

impl Drop for EditLock {
    fn drop(&mut self) {
        let mut locks = lock(&self.locks.0);
        let Some(queue) = locks.get_mut(&self.key) else { return };
        // Under the map's lock, so that the next holder is recorded after this one is removed.
        if self.guard.take().is_some() {
            queue.holder = None;
        }
        if let Some(edits) = queue.edits.get_mut(&self.session) {
            *edits -= 1;
            if *edits == 0 {
                queue.edits.remove(&self.session);
            }
        }
        if queue.edits.is_empty() {
            locks.remove(&self.key);
        }
    }
}

const MAX_WAITING: usize = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::{Operation, Session};

    #[tokio::test]
    async fn lock_exists_while_it_is_used() {
        let locks = EditLocks::default();
        let key = || (PathSegment::new("id").unwrap(), PathSegment::new("id").unwrap());
        let session = Session::token("token").digest();
        let acquire = |time| {
            let deadline = Deadline::after(Operation::UpdateExternalConnection, time);
            locks.acquire(key(), session, deadline)
        };
        let first = acquire(Duration::from_secs(9)).await.unwrap();
        let late = acquire(Duration::from_millis(1)).await;
        assert!(late.err().unwrap().is_retryable());
        assert_eq!(lock(&locks.0).len(), 1);
        drop(first);
        assert_eq!(lock(&locks.0).len(), 0);
    }
}
