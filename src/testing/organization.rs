//! The organizations of the project and their members.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    project::{MemberState, OrganizationState, Project, State},
    rbac::{self, Role},
    session::LoggedIn,
};

/// An organization of the fake. A clone is the same organization.
///
/// ```
/// use stytch_sso_external::testing::Stytch;
///
/// let stytch = Stytch::start();
/// let acme = stytch.organization("acme");
/// acme.role("sso_editor", &[("stytch.sso", &["update"])]);
/// let ada = acme.member("ada", &["sso_editor"]);
/// assert_eq!(ada.organization_id(), acme.id());
/// ```
#[derive(Clone)]
pub struct Organization {
    project: Arc<Project>,
    id: String,
    slug: String,
}

impl Organization {
    pub(super) fn find_or_create(project: &Arc<Project>, slug: &str) -> Self {
        let mut state = project.state();
        let existing = (state.organizations.iter())
            .find(|(_, organization)| organization.slug == slug)
            .map(|(id, _)| id.clone());
        let id = existing.unwrap_or_else(|| {
            let id = project.id_of("organization");
            let organization = OrganizationState { slug: slug.to_owned(), roles: Vec::new() };
            state.organizations.insert(id.clone(), organization);
            id
        });
        Self { project: Arc::clone(project), id, slug: slug.to_owned() }
    }

    /// Returns the organization id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the organization slug.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Defines a custom role of this organization: resources and the actions that the role
    /// grants on them, `*` for all. Replaces a role of the same id.
    ///
    /// ```
    /// # let acme = stytch_sso_external::testing::Stytch::start().organization("acme");
    /// acme.role("sso_editor", &[("stytch.sso", &["update"])]);
    /// let ada = acme.member("ada", &["sso_editor"]);
    /// # _ = ada;
    /// ```
    pub fn role(&self, role_id: &str, permissions: &[(&str, &[&str])]) {
        let mut state = self.project.state();
        if let Some(organization) = state.organizations.get_mut(&self.id) {
            rbac::define(&mut organization.roles, Role::new(role_id, permissions));
        }
    }

    /// Adds a member with these roles and `stytch_member`, which every member has.
    ///
    /// # Panics
    ///
    /// Panics if a role isn't defined.
    pub fn member(&self, name: &str, roles: &[&str]) -> Member {
        let id = self.project.id_of("member");
        let mut state = self.project.state();
        let member = MemberState {
            organization_id: self.id.clone(),
            name: name.to_owned(),
            roles: checked_roles(&state, &self.id, roles),
        };
        state.members.insert(id.clone(), member);
        Member { project: Arc::clone(&self.project), id, organization_id: self.id.clone() }
    }

    pub(super) fn project(&self) -> Arc<Project> {
        Arc::clone(&self.project)
    }
}

impl fmt::Debug for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Organization")
            .field("id", &self.id)
            .field("slug", &self.slug)
            .finish_non_exhaustive()
    }
}

/// A member of an organization of the fake. A clone is the same member.
///
/// ```
/// use stytch_sso_external::testing::Stytch;
///
/// let acme = Stytch::start().organization("acme");
/// let grace = acme.member("grace", &[]);
/// let session = grace.log_in();
/// // The new role applies to the session at once.
/// grace.set_roles(&["stytch_admin"]);
/// # _ = session;
/// ```
#[derive(Clone)]
pub struct Member {
    project: Arc<Project>,
    id: String,
    organization_id: String,
}

impl Member {
    /// Returns the member id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id of the member's organization.
    pub fn organization_id(&self) -> &str {
        &self.organization_id
    }

    /// Starts a session that expires after an hour.
    pub fn log_in(&self) -> LoggedIn {
        self.log_in_for(Duration::from_secs(60 * 60))
    }

    /// Starts a session that expires after this time, by the fake's clock.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// # let ada = stytch.organization("acme").member("ada", &[]);
    /// let session = ada.log_in_for(Duration::from_secs(60));
    /// stytch.clock().advance(Duration::from_secs(61));
    /// // The session has expired: Stytch responds with `session_not_found`.
    /// assert!(session.expires_at() < stytch.clock().now());
    /// ```
    pub fn log_in_for(&self, lifetime: Duration) -> LoggedIn {
        LoggedIn::start(Arc::clone(&self.project), &self.id, lifetime)
    }

    /// Replaces the member's roles but `stytch_member`. Applies to sessions at once; a JWT keeps
    /// the roles that it was issued with.
    ///
    /// # Panics
    ///
    /// Panics if a role isn't defined.
    pub fn set_roles(&self, roles: &[&str]) {
        let mut state = self.project.state();
        let roles = checked_roles(&state, &self.organization_id, roles);
        if let Some(member) = state.members.get_mut(&self.id) {
            member.roles = roles;
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", &self.id)
            .field("organization_id", &self.organization_id)
            .finish_non_exhaustive()
    }
}

fn checked_roles(state: &State, organization_id: &str, roles: &[&str]) -> Vec<String> {
    let own = &state.organizations[organization_id].roles;
    for role in roles {
        assert!(
            state.policy.knows(own, role),
            "there is no role `{role}`: define it first with Stytch::role or Organization::role"
        );
    }
    let given = roles.iter().filter(|role| **role != rbac::MEMBER);
    let all = std::iter::once(&rbac::MEMBER).chain(given);
    all.map(|role| (*role).to_owned()).collect()
}
