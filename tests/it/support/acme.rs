//! A project with an organization, its connection and a member who may update it.

use std::time::Duration;

use futures_util::future::join_all;
use stytch_sso_external::{
    Client, Error, MemberClient, Operation, RetryPolicy, Session,
    testing::{Connection, Fault, LoggedIn, Member, Organization, Stytch},
};

use super::{capture, scripted_project::rename};

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

    pub(crate) fn on(stytch: Stytch) -> Self {
        let organization = stytch.organization("acme");
        let connection = organization.connection_builder("Acme Okta");
        let connection = connection.roles(&["stytch_member"]).create();
        let member = organization.member("ada", &["stytch_admin"]);
        // Longer than any outage that a test simulates.
        let ada = member.log_in_for(Duration::from_secs(24 * 60 * 60));
        Self { stytch, organization, connection, member, ada }
    }

    /// A project of a process whose logs are searched for credentials.
    pub(crate) fn captured() -> Self {
        capture::install();
        Self::new()
    }

    /// Replaces the next response to an operation.
    pub(crate) fn fault(&self, operation: Operation, fault: Fault) {
        let _ = self.stytch.fault(operation, fault).times(1);
    }

    /// A client without retries.
    pub(crate) fn client_without_retries(&self) -> Client {
        self.stytch.client_builder().retry(RetryPolicy::disabled()).build().unwrap()
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
        let operations = [
            Operation::GetJwks,
            Operation::AuthenticateSession,
            Operation::UpdateExternalConnection,
        ];
        let counts = operations.map(|operation| self.stytch.count(operation));
        assert_eq!(counts, [jwks, authenticate, updates], "JWKS, authenticate, updates");
    }
}
