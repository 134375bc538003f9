//! One update as the member who is logged in, told from top to bottom.
//!
//! Nothing leaves before the inputs are checked, and no update leaves without the member's
//! session: the session is a part of this type, and the organization comes from it, never
//! from a parameter.

use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;
use tracing::{Instrument, Span, field::Empty};

use crate::{
    calls::Calls,
    deadline::Deadline,
    error::{Error, Known, Outcome, printable_request_id},
    jwks::Keys,
    organization::{Member, Organizations},
    segment::Segment,
    session::{Session, SessionHeader},
    update::{self, UpdateExternalConnectionRequest, UpdateExternalConnectionResponse},
};

/// What all members of a project share.
pub(crate) struct Project {
    pub(crate) calls: Calls,
    pub(crate) keys: Keys,
    pub(crate) organizations: Organizations,
    pub(crate) base_url: String,
    /// The host, as traces show it.
    pub(crate) server: String,
}

/// Acts as one logged-in member; made by
/// [`Client::as_member`](crate::Client::as_member).
///
/// Cheap to make for each request that a service handles, and cheap to clone. Clones share
/// the session: when one renews it, all of them use the renewed one.
#[derive(Clone)]
pub struct MemberClient {
    project: Arc<Project>,
    presented: Session,
    /// What took its place, once its JWT had to be renewed.
    renewed: Arc<Mutex<Option<Session>>>,
}

impl MemberClient {
    pub(crate) fn new(project: Arc<Project>, session: Session) -> Self {
        Self { project, presented: session, renewed: Arc::default() }
    }

    /// Updates an external connection of the member's organization.
    ///
    /// The organization is inferred from the session; Stytch then checks that the member's
    /// roles allow the action `update` on the resource `stytch.sso`, and that the connection
    /// is one of that organization
    /// ([reference](https://stytch.com/docs/b2b/api/update-external-connection)).
    ///
    /// `connection_id` is opaque. Refused before anything is sent are an empty one, `.`,
    /// `..`, one with a backslash or a control character, and one of more than 1,024 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::PermissionDenied`], [`Error::OrganizationMismatch`], [`Error::NotFound`] and
    /// [`Error::InvalidUpdate`] are refusals: the update was not applied. So is
    /// [`Error::SessionInvalid`], after which the member has to log in again.
    /// [`Error::RateLimited`], [`Error::Transport`] and [`Error::Api`] come when trying
    /// again, as the [`RetryPolicy`](crate::RetryPolicy) says, didn't help. Every error's
    /// [`outcome`](Error::outcome) tells whether the update may have been applied.
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
    /// let response = client.as_member(Session::jwt(jwt)).update_connection(&connection_id, &update).await?;
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
        let span = self.span();
        // Pinned before it is wrapped, because it is large and would be moved with each layer.
        let update = pin!(self.update(connection_id, update));
        let outcome = update.instrument(span.clone()).await;
        record(&span, &outcome);
        outcome
    }

    /// Infers the organization that the member belongs to, as Stytch's `organization_id`.
    ///
    /// From a session JWT without a round trip, once the project's keys are there; from a
    /// token with one, whose answer is remembered. A JWT that has expired is renewed.
    ///
    /// It is no proof that the session still lives: a session that was revoked meanwhile is
    /// noticed by Stytch, with the next update.
    ///
    /// # Errors
    ///
    /// [`Error::SessionInvalid`] where the session is none, else what asking Stytch can run
    /// into. The [`outcome`](Error::outcome) is always
    /// [`NotApplied`](Outcome::NotApplied).
    pub async fn organization_id(&self) -> Result<String, Error> {
        let (member, _) = self.infer(self.project.calls.deadline()).await?;
        Ok(member.organization.to_string())
    }

    /// Gives the session in use now: the one presented, or a renewed one if its JWT had to
    /// be renewed. A service that keeps the JWT in a cookie sets it again from here.
    #[must_use]
    pub fn session(&self) -> Session {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.as_ref().unwrap_or(&self.presented).clone()
    }

    async fn update(
        &self,
        connection_id: &str,
        update: &UpdateExternalConnectionRequest,
    ) -> Result<UpdateExternalConnectionResponse, Error> {
        let connection = update::connection(connection_id)?;
        update::check(update)?;
        let mut attempts = self.project.calls.attempts();
        loop {
            // Inside the loop, so that a session renewed meanwhile serves the next attempt.
            let inferred = self.infer(attempts.deadline()).await;
            let (member, header) = inferred.map_err(|error| attempts.verdict(error))?;
            let sent = self.project.calls.wire.update(
                header,
                &member.organization,
                &connection,
                update,
                attempts.deadline(),
            );
            match sent.await {
                Ok(response) => {
                    return confirm(response, &member.organization, &connection)
                        .map_err(|error| attempts.last(error));
                }
                Err(error) => {
                    if matches!(error, Error::SessionInvalid(_)) {
                        self.project.organizations.forget(&self.presented);
                    }
                    attempts.again(error).await?;
                }
            }
        }
    }

    /// The member's organization and the one header to act with.
    async fn infer(&self, deadline: Deadline) -> Result<(Member, SessionHeader), Error> {
        if self.presented.header().is_none() {
            return Err(Error::session_invalid(
                "the session credential is empty, too long, or has characters that a header can't carry",
            ));
        }
        let member = self.project.organizations.of(&self.presented, deadline).await?;
        let session = member.renewed.as_ref().unwrap_or(&self.presented);
        let header = session
            .header()
            .cloned()
            .ok_or_else(|| Error::session_invalid("the renewed session can't be sent"))?;
        if member.renewed.is_some() {
            self.renewed.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&member.renewed);
        }
        Ok((member, header))
    }

    fn span(&self) -> Span {
        tracing::info_span!(
            "stytch.update_external_connection",
            otel.kind = "client",
            http.request.method = "PUT",
            url.template = "/v1/b2b/sso/external/{organization_id}/connections/{connection_id}",
            server.address = self.project.server,
            http.response.status_code = Empty,
            http.request.resend_count = Empty,
            error.type = Empty,
            stytch.request_id = Empty,
        )
    }
}

impl fmt::Debug for MemberClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberClient")
            .field("project_id", &self.project.calls.wire.project_id())
            .field("session", &self.presented)
            .finish_non_exhaustive()
    }
}

/// Believes an answer only if it is about the connection that was asked for.
fn confirm(
    response: UpdateExternalConnectionResponse,
    organization: &Segment,
    connection: &Segment,
) -> Result<UpdateExternalConnectionResponse, Error> {
    let answered = &response.connection;
    let reason = if answered.connection_id != **connection {
        "the answer is about another connection than the one asked for"
    } else if answered.organization_id != **organization {
        "the answer is about a connection of another organization than the member's"
    } else {
        return Ok(response);
    };
    let mut known = Known::unusable(reason, Some(response.request_id));
    known.outcome = Outcome::Unknown;
    Err(Error::UnexpectedResponse(known.into()))
}

fn record(span: &Span, outcome: &Result<UpdateExternalConnectionResponse, Error>) {
    if span.is_disabled() {
        return;
    }
    let (status, request_id) = match outcome {
        Ok(response) => (Some(StatusCode::OK), printable_request_id(&response.request_id)),
        Err(error) => (error.status(), error.printable_request_id()),
    };
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
    if let Some(request_id) = request_id {
        span.record("stytch.request_id", request_id);
    }
    if let Err(error) = outcome {
        span.record("error.type", error.printable_error_type().unwrap_or(error.name()));
        span.record("http.request.resend_count", error.attempts().saturating_sub(1));
    }
}
