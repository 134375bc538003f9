//! What a member can do: a method for each operation, which checks its inputs and makes the
//! call. Edits, which consist of two calls, are in `edit.rs`, checks of permissions in
//! `permission.rs`.
//!
//! No request leaves without the member's session: the session is a part of the type, and the
//! organization comes from it, never from a parameter.

use std::{fmt, pin::pin, sync::Arc};

use super::{
    call::{ActiveSession, Project},
    update,
};
use crate::{
    error::{Error, ErrorKind},
    http::{GetConnections, MemberRequest, UpdateConnection},
    wire::{
        Operation, Session,
        types::{
            ExternalConnection, GetConnectionsResponse, UpdateExternalConnectionRequest,
            UpdateExternalConnectionResponse,
        },
    },
};

/// Acts as one logged-in member.
///
/// Obtained from [`Client::as_member`](crate::Client::as_member). Cheap to create for each
/// request that a service handles, and cheap to clone. Clones share the session: when one
/// renews it, all of them use the renewed one.
#[derive(Clone)]
pub struct MemberClient {
    pub(super) project: Arc<Project>,
    pub(super) session: Arc<ActiveSession>,
}

impl MemberClient {
    pub(crate) fn new(project: Arc<Project>, session: Session) -> Self {
        Self { project, session: Arc::new(ActiveSession::new(session)) }
    }

    /// Updates an external connection of the member's organization.
    ///
    /// Resolves the organization of the session, then sends the update with the session.
    /// Stytch checks that the member's roles grant the action `update` on the resource
    /// `stytch.sso`, and that the connection belongs to that organization
    /// ([reference](https://stytch.com/docs/b2b/api/update-external-connection)).
    ///
    /// The update is built with the setters of
    /// [`UpdateExternalConnectionRequest`](UpdateExternalConnectionRequest#implementations):
    /// [`display_name`](UpdateExternalConnectionRequest::display_name),
    /// [`connection_roles`](UpdateExternalConnectionRequest::connection_roles) and
    /// [`group_roles`](UpdateExternalConnectionRequest::group_roles) replace a value,
    /// [`clear_connection_roles`](UpdateExternalConnectionRequest::clear_connection_roles) and
    /// [`clear_group_roles`](UpdateExternalConnectionRequest::clear_group_roles) revoke all roles
    /// of a list. To change single roles, see [`edit_connection`](Self::edit_connection).
    ///
    /// `connection_id` is opaque. Fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), without sending anything,
    /// if it is empty, `.` or `..`, contains one of `/ \ ; % ? #` or a character that isn't visible
    /// ASCII, or is longer than 1,024 bytes; and if the update sets nothing.
    ///
    /// Sending an update twice is safe: it sets values. If the returned future is dropped, the
    /// update may or may not have been applied.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied), [`ErrorKind::OrganizationMismatch`](crate::ErrorKind::OrganizationMismatch), [`ErrorKind::NotFound`](crate::ErrorKind::NotFound),
    ///   [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest): Stytch rejected the update, or this crate did so before
    ///   sending it.
    /// - [`ErrorKind::InvalidSession`](crate::ErrorKind::InvalidSession): the member has to log in again.
    /// - [`ErrorKind::InvalidProjectCredentials`](crate::ErrorKind::InvalidProjectCredentials): the project id or secret is wrong.
    /// - [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited), [`ErrorKind::Transport`](crate::ErrorKind::Transport), [`ErrorKind::Api`](crate::ErrorKind::Api),
    ///   [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse): after the retries that the
    ///   [`RetryPolicy`](crate::RetryPolicy) allows.
    ///
    /// [`Error::outcome`] returns whether the update may have been applied.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use stytch_sso_external::testing::Stytch;
    /// use stytch_sso_external::{Session, types::UpdateExternalConnectionRequest};
    ///
    /// # let stytch = Stytch::start();
    /// # let acme = stytch.organization("acme");
    /// # let connection = acme.connection("Acme Okta");
    /// # let connection_id = connection.id();
    /// # let jwt = acme.member("ada", &["stytch_admin"]).log_in().jwt();
    /// # let client = stytch.client();
    /// let update = UpdateExternalConnectionRequest::default()
    ///     .display_name("Acme Okta (new)")
    ///     .clear_connection_roles();
    /// let member = client.as_member(Session::jwt(jwt));
    /// let response = member.update_connection(&connection_id, &update).await?;
    /// assert_eq!(response.connection.display_name, "Acme Okta (new)");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub async fn update_connection(
        &self,
        connection_id: &str,
        update: &UpdateExternalConnectionRequest,
    ) -> Result<UpdateExternalConnectionResponse, Error> {
        let deadline = self.project.context.deadline(UpdateConnection::OPERATION);
        let prepare = async {
            let connection_id = update::check_id(UpdateConnection::OPERATION, connection_id)?;
            if update::sets_nothing(update) {
                let reason = "the update sets nothing: set a display name or a list of roles";
                return Err(Error::new(ErrorKind::InvalidRequest, deadline.operation(), reason));
            }
            Ok(UpdateConnection { connection_id, update })
        };
        pin!(self.call(deadline, prepare)).await
    }

    /// Returns the external connections of the member's organization.
    ///
    /// Stytch checks that the member's roles grant the action `get` on the resource
    /// `stytch.sso` ([reference](https://stytch.com/docs/b2b/api/get-sso-connections)).
    ///
    /// Dropping the future has no effect.
    ///
    /// # Errors
    ///
    /// As for [`update_connection`](Self::update_connection); the
    /// [`outcome`](Error::outcome) is always [`NotApplied`](crate::Outcome::NotApplied).
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if the response contains a connection of another
    /// organization.
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
    /// # let jwt = acme.member("ada", &["stytch_admin"]).log_in().jwt();
    /// let member = stytch.client().as_member(Session::jwt(jwt));
    /// let connections = member.connections().await?.external_connections;
    /// assert_eq!(connections[0].display_name, "Acme Okta");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub async fn connections(&self) -> Result<GetConnectionsResponse, Error> {
        let deadline = self.project.context.deadline(GetConnections::OPERATION);
        let prepare = async { Ok(GetConnections(None)) };
        pin!(self.call(deadline, prepare)).await
    }

    /// Returns one external connection of the member's organization.
    ///
    /// Stytch has no endpoint for one external connection: this lists them, as
    /// [`connections`](Self::connections) does. `connection_id` is checked as by
    /// [`update_connection`](Self::update_connection). Dropping the future has no effect.
    ///
    /// # Errors
    ///
    /// As for [`connections`](Self::connections), and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the organization
    /// has no such external connection: its [`status`](Error::status) is then that of the list.
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the id is rejected locally.
    pub async fn connection(&self, connection_id: &str) -> Result<ExternalConnection, Error> {
        let deadline = self.project.context.deadline(GetConnections::OPERATION);
        let check = async { update::check_id(GetConnections::OPERATION, connection_id) };
        self.read_connection(connection_id, deadline, check).await
    }

    /// Resolves the organization of the session to Stytch's `organization_id`.
    ///
    /// Takes it from a session JWT that is verified locally; calls `sessions/authenticate` for
    /// a session token that isn't cached, and for a JWT that has expired, isn't valid yet, or
    /// can't be verified while the project's keys are unavailable. Such a JWT is renewed.
    ///
    /// Does not check that the session is still active: Stytch reports a revoked session with
    /// the next update. Dropping the future has no effect on the session.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSession`](crate::ErrorKind::InvalidSession) if the session is expired, revoked, unknown or malformed;
    /// [`ErrorKind::Transport`](crate::ErrorKind::Transport) if the JWT has an unknown `kid` and fetching the keys fails; else
    /// any error of the `sessions/authenticate` request. The [`outcome`](Error::outcome) is
    /// always [`NotApplied`](crate::Outcome::NotApplied).
    pub async fn organization_id(&self) -> Result<String, Error> {
        let deadline = self.project.context.deadline(Operation::AuthenticateSession);
        let (member, _) = self.resolve(deadline).await?;
        Ok(member.organization.to_string())
    }

    /// Returns the session in use: the one presented, or the renewed one if
    /// `sessions/authenticate` returned a new JWT. A service that keeps the JWT in a cookie sets
    /// the cookie again from here, after an error too.
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use stytch_sso_external::{Session, testing::Stytch};
    /// # let stytch = Stytch::start();
    /// # let expired = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in().jwt();
    /// # stytch.clock().advance(std::time::Duration::from_secs(301));
    /// let presented = Session::jwt(expired);
    /// let member = stytch.client().as_member(presented.clone());
    /// member.connections().await?;
    /// if member.session() != presented {
    ///     let cookie = format!("stytch_session_jwt={}", member.session().expose_secret());
    ///     // Set the cookie, with the attributes of the one that your login sets.
    /// #   assert!(cookie.len() > 100);
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub fn session(&self) -> Session {
        self.session.current()
    }
}

impl fmt::Debug for MemberClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberClient")
            .field("project_id", &&*self.project.context.transport.config().project_id)
            .field("session", &self.session.presented)
            .finish_non_exhaustive()
    }
}
