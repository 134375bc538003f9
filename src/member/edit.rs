//! Edits: a read and an update of one connection, under a lock of the client.

use std::pin::pin;

use super::{MemberClient, call::MemberCall, update};
use crate::{
    error::{Error, ErrorContext, ErrorKind},
    http::{
        ExternalConnection, GetConnections, MemberRequest, NO_SUCH_CONNECTION, UpdateConnection,
        UpdateExternalConnectionRequest,
    },
    wire::PathSegment,
};

impl MemberClient {
    /// Edits an external connection: reads it, calls `edit` with it, and sends the update that
    /// `edit` returns. Returns the updated connection, or the connection as read if the update sets
    /// nothing.
    ///
    /// An update that sets nothing is not sent. One operation timeout covers the whole edit.
    /// The member's roles must grant both actions `get` and `update` on `stytch.sso`; neither
    /// implies the other.
    ///
    /// Edits of the same connection through one [`Client`](crate::Client) run one after
    /// another, so concurrent edits in one process don't overwrite each other. **Across
    /// processes the last writer wins**: Stytch has no conditional update. `update_connection`
    /// doesn't wait for edits.
    ///
    /// If the returned future is dropped, the update may or may not have been applied.
    ///
    /// # Errors
    ///
    /// As for [`connection`](Self::connection) and
    /// [`update_connection`](Self::update_connection), and what `edit` returns.
    /// [`ErrorKind::Transport`](crate::ErrorKind::Transport) if another edit of the connection takes until the operation timeout.
    /// [`Error::operation`] returns which of the two requests failed; until the update is sent,
    /// the [`outcome`](Error::outcome) is [`NotApplied`](crate::Outcome::NotApplied).
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
    /// # let connection = acme.connection("Acme Okta");
    /// # let id = connection.id();
    /// # let jwt = acme.member("ada", &["stytch_admin"]).log_in().jwt();
    /// let member = stytch.client().as_member(Session::jwt(jwt));
    /// let edited = member
    ///     .edit_connection(id, |current| current.grant_group_role("it-admins", "stytch_admin"))
    ///     .await?;
    /// assert_eq!(edited.external_group_implicit_role_assignments.unwrap()[0].group, "it-admins");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub async fn edit_connection(
        &self,
        connection_id: &str,
        edit: impl FnOnce(&ExternalConnection) -> Result<UpdateExternalConnectionRequest, Error> + Send,
    ) -> Result<ExternalConnection, Error> {
        let deadline = self.project.context.deadline(UpdateConnection::OPERATION);
        let read = self.begin_until(GetConnections::OPERATION, deadline);
        let locked = read.in_span(async {
            let id = update::check_id(UpdateConnection::OPERATION, connection_id)?;
            let (organization, _) = self.project.resolve(&self.session, deadline).await?;
            let lock = self.project.edits.acquire(organization, id.clone(), deadline).await?;
            Ok((id, lock))
        });
        let (id, _lock) = match locked.await {
            Ok((id, lock)) => (Ok(id), Some(lock)),
            // The read records it in its span, and is not sent.
            Err(error) => (Err(error), None),
        };
        let current = self.read_connection(read, id.clone()).await?;
        let update = &edit(&current)?;
        if update::sets_nothing(update) {
            return Ok(current);
        }
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
