//! A project with an organization, its connection and a member who may update it; other members as
//! callers, and what tests assert about errors together.

use stytch_sso_external::testing::{Member, Organization};

use super::prelude::*;

/// A project with one organization, its connection and its admin.
#[derive(Debug)]
pub(crate) struct Acme {
    pub(crate) stytch: Stytch,
    pub(crate) organization: Organization,
    pub(crate) connection: Connection,
    pub(crate) member: Member,
    pub(crate) ada: LoggedIn,
}

impl Acme {
    pub(crate) fn new() -> Self {
        Self::on(Stytch::start())
    }

    /// A project, and a client of it with these settings.
    pub(crate) fn with_client(
        settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> (Self, Client) {
        let acme = Self::new();
        let client = acme.client_with(settings);
        (acme, client)
    }

    pub(crate) fn on(stytch: Stytch) -> Self {
        // The logs of each test's process are searched for credentials.
        capture::install();
        let organization = stytch.organization("acme");
        let okta = organization.connection_builder("Acme Okta");
        let connection = okta.roles(&["stytch_member"]).create();
        let member = organization.member("ada", &["stytch_admin"]);
        let ada = member.log_in_for(DAY);
        Self { stytch, organization, connection, member, ada }
    }

    /// Replaces the next response to an operation.
    pub(crate) fn fault(&self, operation: Operation, fault: Fault) {
        let _ = self.stytch.fault(operation, fault).times(1);
    }

    pub(crate) fn client_with(
        &self,
        settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Client {
        settings(self.stytch.client_builder()).build().unwrap()
    }

    /// A client without retries.
    pub(crate) fn client_without_retries(&self) -> Client {
        self.client_with(|it| it.retry(RetryPolicy::disabled()))
    }

    /// Ada's session as a JWT.
    pub(crate) fn jwt(&self) -> Session {
        Session::jwt(self.ada.jwt())
    }

    /// Ada's session as a JWT that no client has seen.
    pub(crate) fn fresh_jwt(&self) -> Session {
        Session::jwt(self.ada.fresh_jwt())
    }

    /// Ada's session as a token.
    pub(crate) fn token(&self) -> Session {
        Session::token(self.ada.token())
    }

    /// The token of another admin.
    pub(crate) fn another_token(&self) -> Session {
        Session::token(self.organization.member("m", &["stytch_admin"]).log_in().token())
    }

    /// A member of the organization with these roles, logged in.
    pub(crate) fn log_in(&self, name: &str, roles: &[&str]) -> LoggedIn {
        self.organization.member(name, roles).log_in_for(DAY)
    }

    /// The member of a session, at a client of its own that doesn't wait between attempts.
    pub(crate) fn as_member(&self, session: Session) -> MemberClient {
        let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
        self.client_with(|it| it.retry(policy)).as_member(session)
    }

    /// Lets the time of the project and of its clients pass.
    pub(crate) fn advance(&self, seconds: u64) {
        self.stytch.clock().advance(Duration::from_secs(seconds));
    }

    /// Asserts that the session is of the organization, and returns its member.
    pub(crate) async fn resolve(&self, client: &Client, session: Session) -> MemberClient {
        let member = client.as_member(session);
        assert_eq!(member.organization_id().await.unwrap(), self.organization.id());
        member
    }

    /// Renames the connection.
    pub(crate) async fn rename(&self, member: &MemberClient) -> Result<(), Error> {
        member.update_connection(self.connection.id(), &rename("Renamed")).await.map(drop)
    }

    /// Renames the connection with each of these sessions, all at once.
    pub(crate) async fn rename_all(
        &self,
        client: &Client,
        sessions: impl IntoIterator<Item = Session>,
    ) {
        let calls = sessions.into_iter().map(|session| {
            let member = client.as_member(session);
            async move { self.rename(&member).await }
        });
        for result in join_all(calls).await {
            result.unwrap();
        }
    }

    /// Asserts how many requests Stytch has received.
    #[track_caller]
    pub(crate) fn assert_counts(&self, jwks: u64, authenticate: u64, updates: u64) {
        let counts = [JWKS, AUTHENTICATE, UPDATE].map(|operation| self.stytch.count(operation));
        assert_eq!(counts, [jwks, authenticate, updates], "JWKS, authenticate, updates");
    }
}

/// A JWT of the session that expired five minutes ago.
pub(crate) fn expired_jwt(session: &LoggedIn) -> String {
    let issued = session.claims()["iat"].as_u64().unwrap();
    session.mint(json!({"iat": issued - 600, "nbf": issued - 600, "exp": issued - 300}))
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
    assert_error(what, error, kind, NotApplied);
}

/// Asserts that the member lacks the permission for this action on connections.
#[track_caller]
pub(crate) fn assert_denied(what: impl Display, error: &Error, action: &'static str) {
    let denied = PermissionDenied { action, resource: "stytch.sso" };
    assert_not_applied(what, error, denied);
}

/// Longer than any test, so that what hangs does so until its end.
pub(crate) const LONG: Duration = Duration::from_secs(600);
/// Longer than any outage that a test simulates.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const PERMISSION_DENIED: ErrorKind =
    PermissionDenied { action: "update", resource: "stytch.sso" };
pub(crate) const LIST: Operation = GetConnections;
pub(crate) const AUTHENTICATE: Operation = AuthenticateSession;
pub(crate) const JWKS: Operation = GetJwks;
pub(crate) const PROJECT_POLICY: Operation = GetRbacPolicy;
pub(crate) const ORGANIZATION_POLICY: Operation = GetOrganizationRbacPolicy;
