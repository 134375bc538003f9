//! The update as a caller writes it, and the checks before it is sent.

use crate::{
    error::{Error, ErrorKind},
    wire::{
        Operation, PathSegment,
        types::{
            ConnectionImplicitRoleAssignment, GroupImplicitRoleAssignment,
            UpdateExternalConnectionRequest,
        },
    },
};

/// Setters. A field that isn't set keeps its value at Stytch.
///
/// ```
/// use stytch_sso_external::types::UpdateExternalConnectionRequest;
///
/// let update = UpdateExternalConnectionRequest::default()
///     .display_name("Acme Okta")
///     .connection_roles(["editor"])
///     .clear_group_roles();
/// assert_eq!(
///     serde_json::to_value(&update)?,
///     serde_json::json!({
///         "display_name": "Acme Okta",
///         "external_connection_implicit_role_assignments": [{"role_id": "editor"}],
///         "external_group_implicit_role_assignments": [],
///     }),
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
impl UpdateExternalConnectionRequest {
    /// Sets the human-readable name, `display_name` on the wire.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// Sets the roles of every member who logs in through the connection:
    /// `external_connection_implicit_role_assignments` on the wire.
    ///
    /// Replaces the whole list. An empty list revokes all of them, as does
    /// [`clear_connection_roles`](Self::clear_connection_roles).
    #[must_use]
    pub fn connection_roles<R: Into<String>>(
        mut self,
        role_ids: impl IntoIterator<Item = R>,
    ) -> Self {
        let assignment = |role_id: R| ConnectionImplicitRoleAssignment { role_id: role_id.into() };
        self.external_connection_implicit_role_assignments =
            Some(role_ids.into_iter().map(assignment).collect());
        self
    }

    /// Sets the roles of the members of groups, as pairs of a group of the identity provider
    /// and a role id: `external_group_implicit_role_assignments` on the wire.
    ///
    /// Replaces the whole list. An empty list revokes all of them, as does
    /// [`clear_group_roles`](Self::clear_group_roles).
    ///
    /// ```
    /// # use stytch_sso_external::types::UpdateExternalConnectionRequest;
    /// let update = UpdateExternalConnectionRequest::default()
    ///     .group_roles([("it-admins", "stytch_admin"), ("engineering", "editor")]);
    /// # let _ = update;
    /// ```
    #[must_use]
    pub fn group_roles<G: Into<String>, R: Into<String>>(
        mut self,
        roles: impl IntoIterator<Item = (G, R)>,
    ) -> Self {
        let assignment = |(group, role_id): (G, R)| GroupImplicitRoleAssignment {
            group: group.into(),
            role_id: role_id.into(),
        };
        self.external_group_implicit_role_assignments =
            Some(roles.into_iter().map(assignment).collect());
        self
    }

    /// Revokes every role that the connection grants to all of its members.
    #[must_use]
    pub fn clear_connection_roles(mut self) -> Self {
        self.external_connection_implicit_role_assignments = Some(Vec::new());
        self
    }

    /// Revokes every role that the connection grants to groups.
    #[must_use]
    pub fn clear_group_roles(mut self) -> Self {
        self.external_group_implicit_role_assignments = Some(Vec::new());
        self
    }
}

/// Checks the id of the connection that a call is about.
pub(crate) fn check_id(operation: Operation, connection_id: &str) -> Result<PathSegment, Error> {
    PathSegment::new(connection_id).map_err(|problem| {
        let reason = format!("the connection id {problem}");
        Error::new(ErrorKind::InvalidRequest, operation, reason)
    })
}

/// Whether an update sets nothing: a mistake of the caller, and Stytch's response would look like a
/// success.
pub(crate) fn sets_nothing(update: &UpdateExternalConnectionRequest) -> bool {
    // A field that is added to the request stops the build here: compare it below, and give it a
    // setter above.
    let UpdateExternalConnectionRequest {
        display_name,
        external_connection_implicit_role_assignments: connection_roles,
        external_group_implicit_role_assignments: group_roles,
    } = update;
    display_name.is_none() && connection_roles.is_none() && group_roles.is_none()
}
