//! An external connection of an organization.

use std::{fmt, sync::Arc};

use super::{
    organization::Organization,
    project::{ConnectionState, Project, Underlying},
};
use crate::wire::types;

/// An external connection of the fake. A clone is the same connection.
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
    /// Returns the connection id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the connection as it is stored now.
    pub fn state(&self) -> types::ExternalConnection {
        self.project.state().connections[&self.id].connection.clone()
    }

    /// Changes the status, as an admin can in Stytch's dashboard.
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

/// Configures and creates a [`Connection`]. Obtained from
/// [`Organization::connection_builder`].
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
    fn new(project: Arc<Project>, organization_id: &str, display_name: &str) -> Self {
        // A field that is added to the document stops the build here: set it as Stytch does.
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

    /// Sets the connection id. Default: a random one.
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.connection.connection_id);
        self
    }

    /// Sets the status `pending`: updates fail with `external_connection_not_active`.
    pub fn pending(self) -> Self {
        self.status("pending")
    }

    /// Sets the status. Default: `active`; with any other, updates fail with
    /// `external_connection_not_active`.
    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.connection.status);
        self
    }

    /// Makes the underlying connection an OIDC one: updates with implicit roles fail with
    /// `invalid_rbac_role_assignment`.
    pub fn oidc(mut self) -> Self {
        self.connection.external_connection_id = self.project.id_of("oidc-connection");
        self.underlying = Underlying::Oidc;
        self
    }

    /// Makes the underlying connection a SAML one whose attribute mapping has no `groups` key:
    /// updates with group roles fail with
    /// `saml_connection_attribute_mapping_missing_groups_key`.
    pub fn saml_without_groups(mut self) -> Self {
        self.underlying = Underlying::SamlWithoutGroups;
        self
    }

    /// Makes another organization of the fake the owner of the underlying connection.
    pub fn owner(mut self, organization: &Organization) -> Self {
        organization.id().clone_into(&mut self.connection.external_organization_id);
        self
    }

    /// Sets the connection roles: those of every member who logs in through the connection.
    pub fn roles(mut self, roles: &[&str]) -> Self {
        let roles = roles
            .iter()
            .map(|role| types::ConnectionImplicitRoleAssignment { role_id: (*role).to_owned() });
        self.connection.external_connection_implicit_role_assignments = Some(roles.collect());
        self
    }

    /// Sets the group roles, as pairs of group and role.
    pub fn group_roles(mut self, roles: &[(&str, &str)]) -> Self {
        let roles = roles.iter().map(|(group, role)| types::GroupImplicitRoleAssignment {
            group: (*group).to_owned(),
            role_id: (*role).to_owned(),
        });
        self.connection.external_group_implicit_role_assignments = Some(roles.collect());
        self
    }

    /// Creates the connection.
    #[expect(clippy::must_use_candidate, reason = "some tests only need the connection to exist")]
    pub fn create(self) -> Connection {
        let id = self.connection.connection_id.clone();
        let mut state = self.project.state();
        let (connection, underlying) = (self.connection, self.underlying);
        let sequence = state.connections.len();
        let added = ConnectionState { connection, underlying, sequence };
        state.connections.insert(id.clone(), added);
        drop(state);
        Connection { project: self.project, id }
    }
}

impl Organization {
    /// Adds an external connection: active, SAML with groups, without roles.
    pub fn connection(&self, display_name: &str) -> Connection {
        self.connection_builder(display_name).create()
    }

    /// Returns a builder for an external connection with other properties.
    pub fn connection_builder(&self, display_name: &str) -> ConnectionBuilder {
        ConnectionBuilder::new(self.project(), self.id(), display_name)
    }
}

impl fmt::Debug for ConnectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionBuilder")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
