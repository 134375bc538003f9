//! The client of one project: shared by all members, cheap to clone.

use std::{fmt, sync::Arc};

use crate::{
    error::Error,
    member::{MemberClient, Project},
    wire::{Operation, Session, generated::Client as ProjectClient},
};

/// A client for one Stytch project.
///
/// Build one and keep it: building takes milliseconds, cloning is cheap, and clones share
/// connections, keys and caches. It must be used within a Tokio runtime.
///
/// One client may be used from several runtimes, and any of them may be dropped: no other call
/// panics or waits for it. But a runtime that is alive and not polled keeps the connections that
/// it opened, the permits of the requests that it started and the locks of its
/// [edits](MemberClient::edit_connection). A call on another runtime may lose one
/// [`attempt_timeout`](crate::ClientBuilder::attempt_timeout) to such a connection, and an edit
/// its operation timeout to such a lock. Use one client for each runtime that may stop being
/// polled.
///
/// ```no_run
/// use stytch_sso_external::{Client, Session, types::UpdateExternalConnectionRequest};
///
/// # async fn example(jwt: String) -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("project-test-16b34bbe", "secret-test-example").build()?;
/// let update = UpdateExternalConnectionRequest::default().display_name("Acme Okta");
/// let member = client.as_member(Session::jwt(jwt));
/// member.update_connection("external-connection-test-d89ff7a0", &update).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(super) project: Arc<Project>,
}

impl Client {
    /// Returns a client that acts as the member of this session.
    pub fn as_member(&self, session: Session) -> MemberClient {
        MemberClient::new(Arc::clone(&self.project), session)
    }

    /// Returns the generated client with this client's configuration, for a service that acts
    /// for the project itself.
    ///
    /// **Its requests run with the full power of the project, over every organization**, unless a
    /// session header is passed: then Stytch checks the permissions and the tenancy of that member.
    ///
    /// Compared with [`MemberClient`]:
    ///
    /// - Nothing is retried, and neither `operation_timeout` nor `max_in_flight` applies. The attempt
    ///   timeout and the limit on response bodies do.
    /// - Invalid ids, an empty session header, and a request with both session headers fail with
    ///   `InvalidRequest`; nothing is sent.
    /// - After any error but `InvalidRequest` and a 4xx other than 408, and after its future is
    ///   dropped, a request may have been applied.
    /// - A body that is incomplete, or may carry secrets, is not part of an error: the error is
    ///   `UnexpectedResponse`, with the status and the headers. Responses of `get_connections` and
    ///   `authenticate_session` carry secrets. The error of any other body that can't be decoded is
    ///   `InvalidResponsePayload`, with the body and without the status.
    ///
    /// Requests are sent by the HTTP client of this client, to its base URL. Bindings that are
    /// constructed with another base URL send nothing, and another HTTP client isn't used. The one
    /// that `client()` returns has no settings of `configure_http`.
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// # let client = stytch.client();
    /// let jwks = client.bindings().get_jwks(client.project_id()).await?;
    /// assert!(!jwks.keys.is_empty());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub fn bindings(&self) -> &ProjectClient {
        &self.project.context.transport.bindings
    }

    /// Returns the project id.
    pub fn project_id(&self) -> &str {
        &self.project.context.transport.config().project_id
    }

    /// Fetches the project's keys and opens a connection, so that the first call waits for neither.
    ///
    /// The keys are fetched even if they are cached. Call it after a key was replaced under the same
    /// `kid`, as in a restored project or an emulator that was restarted: otherwise a JWT that is
    /// signed with the new key is [`InvalidSession`](crate::ErrorKind::InvalidSession) until the
    /// cached keys are five minutes old and fetched again. Dropping the future has no effect on later
    /// calls.
    ///
    /// # Errors
    ///
    /// Any error of the JWKS request, or [`ErrorKind::Transport`](crate::ErrorKind::Transport) if
    /// it has no response within 2 s; it then continues in the background. The [`outcome`](Error::outcome) is
    /// [`NotApplied`](crate::Outcome::NotApplied). For a backoff of 1 s, doubling up to 30 s with
    /// each further failure, or a longer `Retry-After` of up to 30 s, `warm_up` returns the same
    /// error at once. The client remains usable: sessions are resolved by
    /// `sessions/authenticate`, and the keys are fetched when a call needs them.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// # let client = stytch.client();
    /// // At the start of a service, which starts whether Stytch is reachable or not.
    /// if let Err(error) = client.warm_up().await {
    ///     eprintln!("continuing without Stytch's keys: {error}");
    /// }
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub async fn warm_up(&self) -> Result<(), Error> {
        let deadline = self.project.context.deadline(Operation::GetJwks);
        self.project.organizations.jwks.fetch(deadline).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("project_id", &self.project_id())
            .field("base_url", &self.project.context.transport.config().base_url.text)
            .finish_non_exhaustive()
    }
}
