//! The service's JSON: an update and a connection.

use serde::{Deserialize, Serialize};
use stytch_sso_external::types::{ExternalConnection, UpdateExternalConnectionRequest};

/// The body of a `PUT`. A missing or null field is not changed; an empty list revokes all roles.
#[derive(Deserialize)]
// A misspelt field would otherwise be ignored.
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    display_name: Option<String>,
    connection_roles: Option<Vec<String>>,
    group_roles: Option<Vec<GroupRole>>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct GroupRole {
    group: String,
    role_id: String,
}

impl From<Change> for UpdateExternalConnectionRequest {
    fn from(change: Change) -> Self {
        let mut update = Self { display_name: change.display_name, ..Self::default() };
        if let Some(roles) = change.connection_roles {
            update = update.connection_roles(roles);
        }
        if let Some(roles) = change.group_roles {
            update = update.group_roles(roles.into_iter().map(|role| (role.group, role.role_id)));
        }
        update
    }
}

/// A connection as this service returns it.
#[derive(Serialize)]
pub(crate) struct Shown {
    connection_id: String,
    display_name: String,
    status: String,
    connection_roles: Vec<String>,
    group_roles: Vec<GroupRole>,
}

impl From<ExternalConnection> for Shown {
    fn from(connection: ExternalConnection) -> Self {
        let roles = connection.external_connection_implicit_role_assignments.into_iter().flatten();
        let groups = connection.external_group_implicit_role_assignments.into_iter().flatten();
        Self {
            connection_id: connection.connection_id,
            display_name: connection.display_name,
            status: connection.status,
            connection_roles: roles.map(|role| role.role_id).collect(),
            group_roles: groups
                .map(|role| GroupRole { group: role.group, role_id: role.role_id })
                .collect(),
        }
    }
}

/// The response to a `PUT` that succeeded.
#[derive(Serialize)]
pub(crate) struct Updated {
    pub(crate) connection: Shown,
    /// Stytch's support asks for it.
    pub(crate) stytch_request_id: Option<String>,
}
