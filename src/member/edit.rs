//! Edits: a read and an update of one connection, under a lock of the client.
//!
//! Edits of one connection run one after another, in order.

use std::{
    collections::{HashMap, VecDeque},
    pin::pin,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use super::{MemberClient, connection_edit::ConnectionEdit, update};
use crate::{
    error::{Error, ErrorKind},
    http::{GetConnections, MemberRequest, NO_SUCH_CONNECTION, UpdateConnection},
    sync::{Deadline, lock},
    wire::{PathSegment, types::ExternalConnection},
};

impl MemberClient {
    /// Edits an external connection: reads it, calls `edit`, and sends the difference. Returns
    /// the connection as it is afterwards.
    ///
    /// An edit that changes nothing is not sent: to give up, change nothing. To return something
    /// from the closure, set a captured variable. One operation timeout covers the whole edit. The
    /// member's roles must grant both actions `get` and `update` on `stytch.sso`; neither implies the
    /// other.
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
    /// After an error with the outcome [`Unknown`](crate::Outcome::Unknown), an edit that depends
    /// on the current roles, such as the move below, has to be made again: it may find them changed.
    ///
    /// If the response lacks a list of roles, `has_role` and `has_group_role` return `false`, and
    /// granting or revoking in that list is an error.
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
        let mut _lock = None;
        let acquire = async {
            let id = update::check_id(UpdateConnection::OPERATION, id)?;
            let (member, _) = self.resolve(deadline).await?;
            let key = (member.organization, id.clone());
            _lock = Some(self.project.edits.acquire(key, member.session_id, deadline).await?);
            Ok(id)
        };
        let update = &{
            // Boxed, so that the rest of the edit has no room for it.
            let current = self.read_connection(id, deadline, Box::pin(acquire)).await?;
            let mut changes = ConnectionEdit::new(current.clone());
            edit(&mut changes);
            let update = changes.into_update()?;
            if update::sets_nothing(&update) {
                return Ok(current);
            }
            update
        };
        let prepare = async {
            let connection_id = update::check_id(UpdateConnection::OPERATION, id)?;
            Ok(UpdateConnection { connection_id, update })
        };
        let response = pin!(self.call(deadline, prepare)).await?;
        Ok(response.connection)
    }

    pub(super) async fn read_connection(
        &self,
        id: &str,
        deadline: Deadline,
        prepare: impl Future<Output = Result<PathSegment, Error>>,
    ) -> Result<ExternalConnection, Error> {
        let prepare = async { Ok(GetConnections(Some(prepare.await?))) };
        let response = pin!(self.call(deadline, prepare)).await?;
        let mut connections = response.external_connections.into_iter();
        let found = connections.find(|connection| connection.connection_id == id);
        // The call fails if the list lacks it.
        let (kind, operation) = (ErrorKind::NotFound, GetConnections::OPERATION);
        found.ok_or_else(|| Error::new(kind, operation, NO_SUCH_CONNECTION))
    }
}

/// The organization and the connection.
type Key = (PathSegment, PathSegment);

/// The edits of a connection in order: the first one holds the lock. Each with its session's id.
type Queue = VecDeque<(Arc<str>, Arc<Notify>)>;

/// The locks of a client's edits.
#[derive(Default)]
pub(crate) struct EditLocks(Mutex<HashMap<Key, Queue>>);

/// A place in the queue of a connection, given up when it is dropped.
struct EditLock<'a> {
    locks: &'a EditLocks,
    key: Key,
    acquired: Arc<Notify>,
}

impl EditLocks {
    /// Waits for the lock. Fails if [`MAX_WAITING`] edits of the session wait already: one member must
    /// not keep the edits of others waiting.
    async fn acquire(
        &self,
        key: Key,
        session: Arc<str>,
        deadline: Deadline,
    ) -> Result<EditLock<'_>, Error> {
        let acquired = Arc::new(Notify::new());
        {
            let mut locks = lock(&self.0);
            let queue = locks.entry(key.clone()).or_default();
            let waiting = queue.iter().skip(1).filter(|(other, _)| *other == session);
            if waiting.count() >= MAX_WAITING {
                let reason = "two edits of the connection by the same session are waiting already";
                return Err(Error::timed_out(deadline.operation(), reason));
            }
            if queue.is_empty() {
                acquired.notify_one();
            }
            queue.push_back((session, Arc::clone(&acquired)));
        }
        let edit = EditLock { locks: self, key, acquired };
        let waiting = "waiting for another edit of the connection";
        deadline.wait(waiting, edit.acquired.notified()).await?;
        Ok(edit)
    }
}

impl Drop for EditLock<'_> {
    fn drop(&mut self) {
        let mut locks = lock(&self.locks.0);
        let Some(queue) = locks.get_mut(&self.key) else { return };
        queue.retain(|(_, acquired)| !Arc::ptr_eq(acquired, &self.acquired));
        match queue.front() {
            // It may have the lock already, and then waits no more.
            Some((_, first)) => first.notify_one(),
            None => drop(locks.remove(&self.key)),
        }
    }
}

const MAX_WAITING: usize = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;
    use crate::wire::Operation;

    #[tokio::test]
    async fn lock_exists_while_it_is_used() {
        let locks = EditLocks::default();
        let key = || (PathSegment::new("id").unwrap(), PathSegment::new("id").unwrap());
        let acquire = |time| {
            let deadline = Deadline::after(Operation::UpdateExternalConnection, time);
            locks.acquire(key(), "session".into(), deadline)
        };
        let first = acquire(Duration::from_secs(9)).await.unwrap();
        let late = acquire(Duration::from_millis(1)).await;
        assert!(late.err().unwrap().is_retryable());
        assert_eq!(lock(&locks.0).len(), 1);

        // Dropped after the lock was passed to it, and before it was polled again.
        let mut second = Box::pin(acquire(Duration::from_secs(9)));
        assert!((&mut second).now_or_never().is_none());
        let mut third = Box::pin(acquire(Duration::from_secs(9)));
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        drop(second);
        drop(third.await.unwrap());
        assert_eq!(lock(&locks.0).len(), 0);
    }
}
