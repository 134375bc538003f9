//! Members of the fake as callers, and what tests assert about errors together.

use std::{fmt::Display, time::Duration};

use stytch_sso_external::{
    Client, Error, ErrorKind, MemberClient, Operation, Outcome, RetryPolicy, Session,
    testing::LoggedIn,
};

use super::acme::Acme;

pub(crate) const LIST: Operation = Operation::GetConnections;
pub(crate) const AUTHENTICATE: Operation = Operation::AuthenticateSession;
pub(crate) const JWKS: Operation = Operation::GetJwks;
pub(crate) const PROJECT_POLICY: Operation = Operation::GetRbacPolicy;
pub(crate) const ORGANIZATION_POLICY: Operation = Operation::GetOrganizationRbacPolicy;

impl Acme {
    /// A member of the organization with these roles, logged in.
    pub(crate) fn log_in(&self, name: &str, roles: &[&str]) -> LoggedIn {
        self.organization.member(name, roles).log_in()
    }

    /// The member of a session, at a client of its own that doesn't wait between attempts.
    pub(crate) fn as_member(&self, session: Session) -> MemberClient {
        let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
        self.stytch.client_builder().retry(policy).build().unwrap().as_member(session)
    }

    /// Asserts that the session is of the organization, and returns its member.
    pub(crate) async fn resolve(&self, client: &Client, session: Session) -> MemberClient {
        let member = client.as_member(session);
        assert_eq!(member.organization_id().await.unwrap(), self.organization.id());
        member
    }
}

/// The JWT of a session.
pub(crate) fn jwt_of(session: &LoggedIn) -> Session {
    Session::jwt(session.jwt())
}

/// The token of a session.
pub(crate) fn token_of(session: &LoggedIn) -> Session {
    Session::token(session.token())
}

/// Asserts the kind and the outcome of an error.
#[track_caller]
pub(crate) fn assert_error(what: impl Display, error: &Error, kind: ErrorKind, outcome: Outcome) {
    assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{what}: {error:?}");
}

/// Asserts the kind of an error after which nothing was changed.
#[track_caller]
pub(crate) fn assert_not_applied(what: impl Display, error: &Error, kind: ErrorKind) {
    assert_error(what, error, kind, Outcome::NotApplied);
}

/// Asserts that the member lacks the permission for this action on connections.
#[track_caller]
pub(crate) fn assert_denied(what: impl Display, error: &Error, action: &'static str) {
    let denied = ErrorKind::PermissionDenied { action, resource: "stytch.sso" };
    assert_not_applied(what, error, denied);
}
