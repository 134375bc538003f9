//! Edits of a connection's name and of single roles, without a request.
//!
//! Stytch replaces a role list as a whole, so an edit starts from the complete current list. A
//! list that the response lacked is never edited: one grant on top of an unknown list would
//! revoke all other roles.

use std::{collections::HashMap, hash::Hash};

use crate::{
    error::{Error, ErrorKind},
    wire::{
        Operation,
        types::{ExternalConnection, GroupImplicitRoleAssignment, UpdateExternalConnectionRequest},
    },
};

/// An edit of an external connection: a new name, and single roles granted and revoked.
///
/// [`MemberClient::edit_connection`](crate::MemberClient::edit_connection) creates it from the
/// connection that it reads, and sends the difference. The type needs no client: a form can
/// stage an edit with [`new`](Self::new), and a test can check with
/// [`into_update`](Self::into_update) what an edit would send.
///
/// Granting a role that is granted already and revoking one that isn't change nothing. Granted
/// roles are appended, and all others keep their order; duplicates are left out.
///
/// ```
/// # #[cfg(feature = "testing")]
/// # fn main() -> Result<(), stytch_sso_external::Error> {
/// use stytch_sso_external::{
///     ConnectionEdit, testing::responses, types::UpdateExternalConnectionRequest,
/// };
///
/// // The members of the group it-admins have the role stytch_admin.
/// let mut edit = ConnectionEdit::new(responses::connection());
/// edit.display_name("Acme SSO");
/// edit.grant_group_role("engineering", "editor");
/// edit.revoke_group_role("it-admins", "stytch_admin");
/// assert!(edit.has_group_role("engineering", "editor"));
/// assert_eq!(
///     edit.into_update()?,
///     UpdateExternalConnectionRequest::default()
///         .display_name("Acme SSO")
///         .group_roles([("engineering", "editor")]),
/// );
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct ConnectionEdit {
    current: ExternalConnection,
    display_name: Option<String>,
    roles: RoleList<String>,
    /// Pairs of a group and a role id.
    group_roles: RoleList<(String, String)>,
}

impl ConnectionEdit {
    /// Creates an edit of a connection, which changes nothing yet.
    pub fn new(current: ExternalConnection) -> Self {
        let roles = current.external_connection_implicit_role_assignments.as_ref();
        let roles = roles.map(|roles| roles.iter().map(|role| role.role_id.clone()));
        let groups = current.external_group_implicit_role_assignments.as_ref();
        let group_role =
            |role: &GroupImplicitRoleAssignment| (role.group.clone(), role.role_id.clone());
        let groups = groups.map(|roles| roles.iter().map(group_role));
        Self {
            display_name: None,
            roles: RoleList::new("external_connection_implicit_role_assignments", roles),
            group_roles: RoleList::new("external_group_implicit_role_assignments", groups),
            current,
        }
    }

    /// Returns the connection as it was before the edit.
    pub fn current(&self) -> &ExternalConnection {
        &self.current
    }

    /// Sets the human-readable name.
    pub fn display_name(&mut self, name: impl Into<String>) {
        self.display_name = Some(name.into());
    }

    /// Grants a role to every member who logs in through the connection.
    pub fn grant_role(&mut self, role_id: impl Into<String>) {
        self.roles.grant(role_id.into());
    }

    /// Revokes a role of every member who logs in through the connection.
    pub fn revoke_role(&mut self, role_id: &str) {
        self.roles.revoke(&role_id.to_owned());
    }

    /// Grants a role to the members of a group of the identity provider.
    pub fn grant_group_role(&mut self, group: impl Into<String>, role_id: impl Into<String>) {
        self.group_roles.grant((group.into(), role_id.into()));
    }

    /// Revokes a role of the members of a group of the identity provider.
    pub fn revoke_group_role(&mut self, group: &str, role_id: &str) {
        self.group_roles.revoke(&(group.to_owned(), role_id.to_owned()));
    }

    /// Returns whether every member who logs in through the connection gets a role, after the
    /// edits so far. `false` if the response lacked the list.
    pub fn has_role(&self, role_id: &str) -> bool {
        self.roles.has(&role_id.to_owned())
    }

    /// Returns whether the members of a group get a role, after the edits so far. `false` if the
    /// response lacked the list.
    pub fn has_group_role(&self, group: &str, role_id: &str) -> bool {
        self.group_roles.has(&(group.to_owned(), role_id.to_owned()))
    }

    /// Returns the update that makes this edit: what differs from the connection as it was.
    ///
    /// A list that ends as it began and a name that is equal are not set. An update that sets
    /// nothing is rejected by
    /// [`update_connection`](crate::MemberClient::update_connection).
    ///
    /// A list is sent as a whole: roles that somebody else granted since the connection was read
    /// are revoked. To send an edit, prefer
    /// [`edit_connection`](crate::MemberClient::edit_connection), which reads the connection
    /// right before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if a role was
    /// granted or revoked in a list that the response lacked (`None`), with the name of the
    /// field. The outcome is [`NotApplied`](crate::Outcome::NotApplied).
    pub fn into_update(self) -> Result<UpdateExternalConnectionRequest, Error> {
        let name = self.display_name.as_ref();
        let mut update = UpdateExternalConnectionRequest {
            display_name: name.filter(|name| **name != self.current.display_name).cloned(),
            ..UpdateExternalConnectionRequest::default()
        };
        if let Some(roles) = self.roles.changed()? {
            update = update.connection_roles(roles);
        }
        if let Some(roles) = self.group_roles.changed()? {
            update = update.group_roles(roles);
        }
        Ok(update)
    }
}

impl ExternalConnection {
    /// Returns whether every member who logs in through the connection gets a role. `false` if
    /// the response lacked the list.
    pub fn has_role(&self, role_id: &str) -> bool {
        let mut roles = self.external_connection_implicit_role_assignments.iter().flatten();
        roles.any(|role| role.role_id == role_id)
    }

    /// Returns whether the members of a group get a role. `false` if the response lacked the
    /// list.
    pub fn has_group_role(&self, group: &str, role_id: &str) -> bool {
        let mut roles = self.external_group_implicit_role_assignments.iter().flatten();
        roles.any(|role| role.group == group && role.role_id == role_id)
    }
}

/// A role list, before and after the edits. Each edit takes constant time.
#[derive(Clone, Debug)]
struct RoleList<R> {
    field: &'static str,
    /// Without duplicates; `None` if the response lacked the list.
    before: Option<Vec<R>>,
    /// Each role with the number of the step that granted it, which orders the list.
    after: HashMap<R, usize>,
    steps: usize,
}

impl<R: Clone + Eq + Hash> RoleList<R> {
    fn new(field: &'static str, roles: Option<impl Iterator<Item = R>>) -> Self {
        let mut list = Self { field, before: None, after: HashMap::new(), steps: 0 };
        if let Some(roles) = roles {
            roles.for_each(|role| list.grant(role));
            list.before = Some(list.in_order());
        }
        list
    }

    fn grant(&mut self, role: R) {
        self.steps += 1;
        self.after.entry(role).or_insert(self.steps);
    }

    fn revoke(&mut self, role: &R) {
        self.steps += 1;
        self.after.remove(role);
    }

    fn has(&self, role: &R) -> bool {
        self.after.contains_key(role)
    }

    fn in_order(&self) -> Vec<R> {
        let mut roles: Vec<_> = self.after.iter().collect();
        roles.sort_unstable_by_key(|(_, step)| **step);
        roles.into_iter().map(|(role, _)| role.clone()).collect()
    }

    /// Returns the list if it is another one than before.
    fn changed(&self) -> Result<Option<Vec<R>>, Error> {
        let Some(before) = &self.before else {
            if self.steps == 0 {
                return Ok(None);
            }
            let (field, operation) = (self.field, Operation::UpdateExternalConnection);
            let reason =
                format!("the response lacks `{field}`, and an unknown list can't be edited");
            return Err(Error::new(ErrorKind::UnexpectedResponse, operation, reason));
        };
        let after = self.in_order();
        Ok((after != *before).then_some(after))
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, hash::Hasher};

    use super::*;

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// A role that counts how often it is hashed or compared.
    #[derive(Clone)]
    struct Counted(usize);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Counted {}

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0.hash(state);
        }
    }

    #[test]
    fn work_of_an_edit_grows_with_its_size() {
        let comparisons = |roles: usize| {
            COMPARISONS.set(0);
            // Every role twice in the response; half of them revoked, as many granted.
            let mut list = RoleList::new("roles", Some((0..roles).chain(0..roles).map(Counted)));
            (0..roles / 2).for_each(|role| list.revoke(&Counted(role)));
            (roles..roles * 3 / 2).for_each(|role| list.grant(Counted(role)));
            assert_eq!(list.changed().unwrap().unwrap().len(), roles);
            COMPARISONS.get()
        };
        let (small, large) = (comparisons(1_000), comparisons(10_000));
        // A hundred times as many if each step compared a role with all others.
        assert!(large < small * 20, "{small} for 1,000 roles, {large} for 10,000");
    }
}
