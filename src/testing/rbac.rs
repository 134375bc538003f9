//! The RBAC policy of the stand-in: roles, the permissions in them, and what they grant.
//!
//! On purpose it shares no code with the client: it is what the client is tested against.

/// A role and what it permits.
#[derive(Clone)]
pub(super) struct Role {
    pub(super) id: String,
    permissions: Vec<(String, Vec<String>)>,
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
    /// Stytch's default roles, as far as they bear on SSO.
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

    /// Tells whether a role exists, in the project or among the organization's own.
    pub(super) fn knows(&self, own: &[Role], role_id: &str) -> bool {
        self.all(own).any(|role| role.id == role_id)
    }

    /// Tells whether one of the roles grants the action on the resource.
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

/// Adds a role, in place of one of the same id.
pub(super) fn define(roles: &mut Vec<Role>, role: Role) {
    roles.retain(|other| other.id != role.id);
    roles.push(role);
}

/// The role that every member has.
pub(super) const MEMBER: &str = "stytch_member";
