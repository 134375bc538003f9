//! The body of a `PATCH`: a new name, and single roles to grant and to revoke.

use serde::Deserialize;
use stytch_sso_external::{ConnectionEdit, types::GroupImplicitRoleAssignment};

/// The changes. Nothing else of the connection is changed.
#[derive(Deserialize)]
// A misspelt field would otherwise be ignored.
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
    group_roles: Vec<GroupImplicitRoleAssignment>,
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

/// How many roles one edit may grant and revoke.
pub(crate) const MAX_CHANGES: usize = 100;
