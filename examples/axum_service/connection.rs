//! The service's JSON: changes of a connection, and what the service returns.

use serde::{Deserialize, Serialize};
use stytch_sso_external::{
    ConnectionEdit, Operation, Verdict,
    types::{
        ExternalConnection, GroupImplicitRoleAssignment, UpdateExternalConnectionRequest,
        UpdateExternalConnectionResponse,
    },
};

use crate::problem;

/// The body of a `PUT`. A missing or null field is not changed; an empty list revokes all roles.
#[derive(Deserialize)]
// A misspelt field would otherwise be ignored.
#[serde(deny_unknown_fields)]
pub(crate) struct Replacement {
    display_name: Option<String>,
    connection_roles: Option<Vec<String>>,
    group_roles: Option<Vec<GroupRole>>,
}

impl From<Replacement> for UpdateExternalConnectionRequest {
    fn from(replacement: Replacement) -> Self {
        let mut update = Self { display_name: replacement.display_name, ..Self::default() };
        if let Some(roles) = replacement.connection_roles {
            update = update.connection_roles(roles);
        }
        if let Some(roles) = replacement.group_roles {
            update = update.group_roles(roles.into_iter().map(|role| (role.group, role.role_id)));
        }
        update
    }
}

/// The body of a `PATCH`: a new name and single roles. Nothing else is changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    display_name: Option<String>,
    #[serde(default)]
    grant: Roles,
    #[serde(default)]
    revoke: Roles,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Roles {
    connection_roles: Vec<String>,
    group_roles: Vec<GroupRole>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct GroupRole {
    group: String,
    role_id: String,
}

impl Edit {
    /// Returns whether the edit has more changes than any form makes.
    pub(crate) fn is_too_long(&self) -> bool {
        let changes = |roles: &Roles| roles.connection_roles.len() + roles.group_roles.len();
        changes(&self.grant) + changes(&self.revoke) > MAX_CHANGES
    }

    /// Makes the changes.
    pub(crate) fn apply(self, edit: &mut ConnectionEdit) {
        if let Some(name) = self.display_name {
            edit.display_name(name);
        }
        for role_id in self.revoke.connection_roles {
            edit.revoke_role(&role_id);
        }
        for role_id in self.grant.connection_roles {
            edit.grant_role(role_id);
        }
        for role in self.revoke.group_roles {
            edit.revoke_group_role(&role.group, &role.role_id);
        }
        for role in self.grant.group_roles {
            edit.grant_group_role(role.group, role.role_id);
        }
    }
}

/// A connection as this service returns it.
#[derive(Serialize)]
pub(crate) struct Shown {
    connection_id: String,
    display_name: String,
    status: String,
    /// Null if Stytch didn't return the list, which can't be edited then.
    connection_roles: Option<Vec<String>>,
    /// As above.
    group_roles: Option<Vec<GroupRole>>,
}

impl From<ExternalConnection> for Shown {
    fn from(connection: ExternalConnection) -> Self {
        let roles = connection.external_connection_implicit_role_assignments;
        let groups = connection.external_group_implicit_role_assignments;
        let group_role = |role: GroupImplicitRoleAssignment| GroupRole {
            group: role.group,
            role_id: role.role_id,
        };
        Self {
            connection_id: connection.connection_id,
            display_name: connection.display_name,
            status: connection.status,
            connection_roles: roles
                .map(|roles| roles.into_iter().map(|role| role.role_id).collect()),
            group_roles: groups.map(|groups| groups.into_iter().map(group_role).collect()),
        }
    }
}

/// The response to `GET /sso/connections`.
#[derive(Serialize)]
pub(crate) struct Listed {
    pub(crate) connections: Vec<Shown>,
    /// Null if it can't be checked.
    pub(crate) permission: Option<Permission>,
}

/// The response to `GET /sso/connections/{connection_id}`.
#[derive(Serialize)]
pub(crate) struct Read {
    pub(crate) connection: Shown,
    /// Null if it can't be checked.
    pub(crate) permission: Option<Permission>,
}

/// Whether the member may do something, and which roles would allow it.
#[derive(Serialize)]
pub(crate) struct Permission {
    action: &'static str,
    resource: &'static str,
    authorized: bool,
    sufficient_roles: Vec<String>,
}

impl Permission {
    pub(crate) fn new(operation: Operation, verdict: Verdict) -> Option<Self> {
        let permission = operation.permission()?;
        Some(Self {
            action: permission.action,
            resource: permission.resource,
            authorized: verdict.authorized,
            sufficient_roles: verdict.sufficient_roles,
        })
    }
}

/// The response to a change that succeeded.
#[derive(Serialize)]
pub(crate) struct Changed {
    connection: Shown,
    /// Stytch's support asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stytch_request_id: Option<String>,
}

impl From<UpdateExternalConnectionResponse> for Changed {
    fn from(response: UpdateExternalConnectionResponse) -> Self {
        let stytch_request_id = problem::plain(&response.request_id).map(str::to_owned);
        Self { connection: response.connection.into(), stytch_request_id }
    }
}

/// The result of an edit, which contains no request id.
impl From<ExternalConnection> for Changed {
    fn from(connection: ExternalConnection) -> Self {
        Self { connection: connection.into(), stytch_request_id: None }
    }
}

/// How many roles one edit may grant and revoke.
pub(crate) const MAX_CHANGES: usize = 100;
