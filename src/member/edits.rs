//! Edits of a connection's role lists.
//!
//! Stytch replaces a list as a whole, so an edit starts from the complete current list and
//! returns the complete new one. A list that isn't known can't be edited: one grant on top of
//! an unknown list would revoke all other roles.

use crate::{
    error::Error,
    wire::{
        Operation,
        types::{
            ConnectionImplicitRoleAssignment, ExternalConnection, GroupImplicitRoleAssignment,
            UpdateExternalConnectionRequest,
        },
    },
};

/// Edits of one role, for [`MemberClient::edit_connection`](crate::MemberClient::edit_connection)
/// and [`update_connection`](crate::MemberClient::update_connection).
///
/// Each returns an update with the complete new list. A grant that exists already and a
/// revocation of a role that isn't granted set nothing. To make several changes, continue with
/// the `and_…` methods of the update.
///
/// # Errors
///
/// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the connection doesn't contain the list
/// ([`NotApplied`](crate::Outcome::NotApplied)).
///
/// ```
/// use stytch_sso_external::types::ExternalConnection;
///
/// # fn example(current: &ExternalConnection) -> Result<(), stytch_sso_external::Error> {
/// let update = current
///     .grant_group_role("it-admins", "stytch_admin")?
///     .and_revoke_group_role(current, "contractors", "editor")?;
/// # let _ = update;
/// # Ok(())
/// # }
/// ```
impl ExternalConnection {
    /// Grants a role to every member who logs in through the connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the connection doesn't contain the list.
    pub fn grant_role(
        &self,
        role_id: impl Into<String>,
    ) -> Result<UpdateExternalConnectionRequest, Error> {
        UpdateExternalConnectionRequest::default().and_grant_role(self, role_id)
    }

    /// Revokes a role of every member who logs in through the connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the connection doesn't contain the list.
    pub fn revoke_role(
        &self,
        role_id: impl Into<String>,
    ) -> Result<UpdateExternalConnectionRequest, Error> {
        UpdateExternalConnectionRequest::default().and_revoke_role(self, role_id)
    }

    /// Grants a role to the members of a group of the identity provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the connection doesn't contain the list.
    pub fn grant_group_role(
        &self,
        group: impl Into<String>,
        role_id: impl Into<String>,
    ) -> Result<UpdateExternalConnectionRequest, Error> {
        UpdateExternalConnectionRequest::default().and_grant_group_role(self, group, role_id)
    }

    /// Revokes a role of the members of a group of the identity provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the connection doesn't contain the list.
    pub fn revoke_group_role(
        &self,
        group: impl Into<String>,
        role_id: impl Into<String>,
    ) -> Result<UpdateExternalConnectionRequest, Error> {
        UpdateExternalConnectionRequest::default().and_revoke_group_role(self, group, role_id)
    }
}

/// Further edits of one role. They start from the update's own list if it sets one, else from
/// the list of `current`, so that several changes add up.
impl UpdateExternalConnectionRequest {
    /// Also grants a role to every member who logs in through the connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if neither the update nor `current` contains the list.
    pub fn and_grant_role(
        self,
        current: &ExternalConnection,
        role_id: impl Into<String>,
    ) -> Result<Self, Error> {
        let role = ConnectionImplicitRoleAssignment { role_id: role_id.into() };
        self.edit_roles(current, |roles| grant(roles, role))
    }

    /// Also revokes a role of every member who logs in through the connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if neither the update nor `current` contains the list.
    pub fn and_revoke_role(
        self,
        current: &ExternalConnection,
        role_id: impl Into<String>,
    ) -> Result<Self, Error> {
        let role = ConnectionImplicitRoleAssignment { role_id: role_id.into() };
        self.edit_roles(current, |roles| roles.retain(|granted| *granted != role))
    }

    /// Also grants a role to the members of a group of the identity provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if neither the update nor `current` contains the list.
    pub fn and_grant_group_role(
        self,
        current: &ExternalConnection,
        group: impl Into<String>,
        role_id: impl Into<String>,
    ) -> Result<Self, Error> {
        let role = GroupImplicitRoleAssignment { group: group.into(), role_id: role_id.into() };
        self.edit_group_roles(current, |roles| grant(roles, role))
    }

    /// Also revokes a role of the members of a group of the identity provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if neither the update nor `current` contains the list.
    pub fn and_revoke_group_role(
        self,
        current: &ExternalConnection,
        group: impl Into<String>,
        role_id: impl Into<String>,
    ) -> Result<Self, Error> {
        let role = GroupImplicitRoleAssignment { group: group.into(), role_id: role_id.into() };
        self.edit_group_roles(current, |roles| roles.retain(|granted| *granted != role))
    }

    fn edit_roles(
        mut self,
        current: &ExternalConnection,
        change: impl FnOnce(&mut Vec<ConnectionImplicitRoleAssignment>),
    ) -> Result<Self, Error> {
        let list = &mut self.external_connection_implicit_role_assignments;
        edit(list, current.external_connection_implicit_role_assignments.as_ref(), change)?;
        Ok(self)
    }

    fn edit_group_roles(
        mut self,
        current: &ExternalConnection,
        change: impl FnOnce(&mut Vec<GroupImplicitRoleAssignment>),
    ) -> Result<Self, Error> {
        let list = &mut self.external_group_implicit_role_assignments;
        edit(list, current.external_group_implicit_role_assignments.as_ref(), change)?;
        Ok(self)
    }
}

/// Edits the list of an update, which becomes `None` if it ends equal to the current one.
fn edit<T: Clone + PartialEq>(
    list: &mut Option<Vec<T>>,
    current: Option<&Vec<T>>,
    change: impl FnOnce(&mut Vec<T>),
) -> Result<(), Error> {
    let unknown = || {
        let reason = "the connection does not contain the list of roles, so it can't be edited: \
                      read the connection first";
        Error::invalid_request(Operation::UpdateExternalConnection, reason)
    };
    let current = current.map(|current| without_duplicates(current));
    let start = list.take().or_else(|| current.clone()).ok_or_else(unknown)?;
    let mut edited = without_duplicates(&start);
    change(&mut edited);
    *list = (Some(&edited) != current.as_ref()).then_some(edited);
    Ok(())
}

fn grant<T: PartialEq>(roles: &mut Vec<T>, role: T) {
    if !roles.contains(&role) {
        roles.push(role);
    }
}

fn without_duplicates<T: Clone + PartialEq>(roles: &[T]) -> Vec<T> {
    let mut unique = Vec::with_capacity(roles.len());
    for role in roles {
        grant(&mut unique, role.clone());
    }
    unique
}
