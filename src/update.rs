//! Set, clear and leave alone: the update as a caller writes it, and what of it is refused
//! before anything is sent.

pub(crate) use crate::generated::types::{
    UpdateExternalConnectionRequest, UpdateExternalConnectionResponse,
};
use crate::{
    error::Error,
    generated::types::{ConnectionImplicitRoleAssignment, GroupImplicitRoleAssignment},
    segment::Segment,
};

/// Says what to change; what isn't named stays as it is.
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
    /// Sets the name that people see, `display_name` on the wire.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// Sets the roles that everybody gets who logs in through the connection, in place of
    /// all that were set: `external_connection_implicit_role_assignments` on the wire.
    ///
    /// No roles at all revokes them, as [`clear_connection_roles`](Self::clear_connection_roles)
    /// says more plainly.
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

    /// Sets the roles that the members of groups get, as pairs of a group of the identity
    /// provider and a role id, in place of all that were set:
    /// `external_group_implicit_role_assignments` on the wire.
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

    /// Revokes every role that the connection grants to everybody.
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

/// Takes the id of the connection to update, or refuses it.
pub(crate) fn connection(connection_id: &str) -> Result<Segment, Error> {
    Segment::new(connection_id)
        .map_err(|wrong| Error::invalid_update(format!("the connection id {wrong}")))
}

/// Refuses an update that changes nothing: it is a mistake of the caller's, and Stytch's
/// answer would look like a success.
pub(crate) fn check(update: &UpdateExternalConnectionRequest) -> Result<(), Error> {
    let UpdateExternalConnectionRequest {
        display_name,
        external_connection_implicit_role_assignments: connection_roles,
        external_group_implicit_role_assignments: group_roles,
    } = update;
    if display_name.is_none() && connection_roles.is_none() && group_roles.is_none() {
        return Err(Error::invalid_update(
            "the update sets nothing: set a display name or a list of roles",
        ));
    }
    Ok(())
}
