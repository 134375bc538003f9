//! An external connection of an organization.

use std::{fmt, sync::Arc};

use super::{
    Organization,
    project::{ConnectionState, Project, Underlying},
};
use crate::generated::types;

/// An external connection of the stand-in. A clone is the same connection.
///
/// ```
/// use stytch_sso_external::testing::Stytch;
///
/// let stytch = Stytch::start();
/// let connection = stytch.organization("acme").connection("Acme Okta");
/// assert_eq!(connection.state().display_name, "Acme Okta");
/// ```
#[derive(Clone)]
pub struct Connection {
    project: Arc<Project>,
    id: String,
}

impl Connection {
    /// The connection's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The connection as Stytch has it now.
    #[must_use]
    pub fn state(&self) -> types::ExternalConnection {
        self.project.state().connections[&self.id].connection.clone()
    }

    /// Changes the status, as somebody might in Stytch's dashboard.
    pub fn set_status(&self, status: &str) {
        let mut state = self.project.state();
        if let Some(state) = state.connections.get_mut(&self.id) {
            status.clone_into(&mut state.connection.status);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An external connection in the making.
///
/// ```
/// use stytch_sso_external::testing::Stytch;
///
/// let acme = Stytch::start().organization("acme");
/// let connection = acme
///     .connection_builder("Acme Okta")
///     .saml_without_groups()
///     .roles(&["stytch_admin"])
///     .create();
/// let roles = connection.state().external_connection_implicit_role_assignments.unwrap();
/// assert_eq!(roles[0].role_id, "stytch_admin");
/// ```
#[must_use]
pub struct ConnectionBuilder {
    project: Arc<Project>,
    connection: types::ExternalConnection,
    underlying: Underlying,
}

impl ConnectionBuilder {
    pub(super) fn new(project: Arc<Project>, organization_id: &str, display_name: &str) -> Self {
        let connection = types::ExternalConnection {
            organization_id: organization_id.to_owned(),
            connection_id: project.id_of("external-connection"),
            external_organization_id: project.id_of("organization"),
            external_connection_id: project.id_of("saml-connection"),
            display_name: display_name.to_owned(),
            status: "active".to_owned(),
            external_connection_implicit_role_assignments: Some(Vec::new()),
            external_group_implicit_role_assignments: Some(Vec::new()),
        };
        Self { project, connection, underlying: Underlying::Saml }
    }

    /// Takes a connection id of the tester's choice.
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.connection.connection_id);
        self
    }

    /// Makes it pending: updates are refused with `external_connection_not_active`.
    pub fn pending(self) -> Self {
        self.status("pending")
    }

    /// Sets any status. Updates are refused with all but `active`.
    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.connection.status);
        self
    }

    /// Puts an OIDC connection behind it: implicit roles are refused.
    pub fn oidc(mut self) -> Self {
        self.connection.external_connection_id = self.project.id_of("oidc-connection");
        self.underlying = Underlying::Oidc;
        self
    }

    /// Puts a SAML connection behind it whose attribute mapping has no `groups` key: group
    /// roles are refused with `saml_connection_attribute_mapping_missing_groups_key`.
    pub fn saml_without_groups(mut self) -> Self {
        self.underlying = Underlying::SamlWithoutGroups;
        self
    }

    /// Makes another organization of the stand-in the owner of the underlying connection.
    pub fn owner(mut self, organization: &Organization) -> Self {
        organization.id().clone_into(&mut self.connection.external_organization_id);
        self
    }

    /// Sets the roles of everybody who logs in through the connection.
    pub fn roles(mut self, roles: &[&str]) -> Self {
        let roles = roles
            .iter()
            .map(|role| types::ConnectionImplicitRoleAssignment { role_id: (*role).to_owned() });
        self.connection.external_connection_implicit_role_assignments = Some(roles.collect());
        self
    }

    /// Sets the roles of the members of groups, as pairs of group and role.
    pub fn group_roles(mut self, roles: &[(&str, &str)]) -> Self {
        let roles = roles.iter().map(|(group, role)| types::GroupImplicitRoleAssignment {
            group: (*group).to_owned(),
            role_id: (*role).to_owned(),
        });
        self.connection.external_group_implicit_role_assignments = Some(roles.collect());
        self
    }

    /// Creates the connection.
    #[expect(clippy::must_use_candidate, reason = "a connection may just have to be there")]
    pub fn create(self) -> Connection {
        let id = self.connection.connection_id.clone();
        let state = ConnectionState { connection: self.connection, underlying: self.underlying };
        self.project.state().connections.insert(id.clone(), state);
        Connection { project: self.project, id }
    }
}

impl fmt::Debug for ConnectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionBuilder")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
