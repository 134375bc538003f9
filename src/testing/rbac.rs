//! The RBAC policy of the fake: roles and the permissions that they grant.
//!
//! It shares no code with the client on purpose: the client is tested against it.

/// A role and the permissions that it grants.
#[derive(Clone)]
pub(super) struct Role {
    pub(super) id: String,
    pub(super) permissions: Vec<(String, Vec<String>)>,
}

impl Role {
    pub(super) fn new(id: &str, permissions: &[(&str, &[&str])]) -> Self {
        let permissions = permissions.iter().map(|(resource, actions)| {
            let actions = actions.iter().map(|&action| action.to_owned()).collect();
            ((*resource).to_owned(), actions)
        });
        Self { id: id.to_owned(), permissions: permissions.collect() }
    }

    fn permits(&self, resource: &str, action: &str) -> bool {
        self.permissions.iter().any(|(permitted, actions)| {
            permitted == resource
                && actions.iter().any(|granted| granted == "*" || granted == action)
        })
    }
}

/// The roles that every organization of the project has.
pub(super) struct Policy {
    roles: Vec<Role>,
}

impl Default for Policy {
    /// Stytch's default roles, as far as they concern SSO.
    fn default() -> Self {
        let admin: &[(&str, &[&str])] = &[
            ("stytch.organization", &["*"]),
            ("stytch.member", &["*"]),
            ("stytch.sso", &["*"]),
            ("stytch.self", &["*"]),
        ];
        Self {
            roles: vec![
                Role::new(MEMBER, &[("stytch.self", &["*"])]),
                Role::new("stytch_admin", admin),
            ],
        }
    }
}

impl Policy {
    pub(super) fn define(&mut self, role: Role) {
        define(&mut self.roles, role);
    }

    pub(super) fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Returns whether a role exists, in the project or in the organization (`own`).
    pub(super) fn knows(&self, own: &[Role], role_id: &str) -> bool {
        self.all(own).any(|role| role.id == role_id)
    }

    /// Returns whether one of the roles grants the action on the resource.
    pub(super) fn grants(
        &self,
        own: &[Role],
        role_ids: &[String],
        resource: &str,
        action: &str,
    ) -> bool {
        let mut roles = self.all(own).filter(|role| role_ids.contains(&role.id));
        roles.any(|role| role.permits(resource, action))
    }

    fn all<'a>(&'a self, own: &'a [Role]) -> impl Iterator<Item = &'a Role> {
        own.iter().chain(&self.roles)
    }
}

/// Adds a role, or replaces the one of the same id.
pub(super) fn define(roles: &mut Vec<Role>, role: Role) {
    roles.retain(|other| other.id != role.id);
    roles.push(role);
}

/// The role that every member has.
pub(super) const MEMBER: &str = "stytch_member";
