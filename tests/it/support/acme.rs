//! A project with an organization, its connection and a member who may update it.

use std::time::Duration;

use stytch_sso_external::{
    Operation,
    testing::{Connection, Fault, LoggedIn, Organization, Stytch},
};

use super::capture;

/// A project with one organization, its connection and its admin.
pub(crate) struct Acme {
    pub(crate) stytch: Stytch,
    pub(crate) organization: Organization,
    pub(crate) connection: Connection,
    pub(crate) ada: LoggedIn,
}

impl Acme {
    pub(crate) fn new() -> Self {
        let stytch = Stytch::start();
        let organization = stytch.organization("acme");
        let connection = organization.connection_builder("Acme Okta");
        let connection = connection.roles(&["stytch_member"]).create();
        // Longer than any outage that a test simulates.
        let session_duration = Duration::from_secs(24 * 60 * 60);
        let ada = organization.member("ada", &["stytch_admin"]).log_in_for(session_duration);
        Self { stytch, organization, connection, ada }
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

    /// Asserts how many requests Stytch has received.
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
