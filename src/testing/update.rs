//! `PUT /v1/b2b/sso/external/{organization_id}/connections/{connection_id}`: authorization,
//! validation and the change.

use serde_json::Value;

use super::{
    authenticate,
    log::Update,
    project::{ConnectionState, Project, State, Underlying},
    request::Received,
    response::Response,
    responses,
};
use crate::wire::types;

pub(super) fn update(
    project: &Project,
    request: &Received<'_>,
    organization: &str,
    connection_id: &str,
) -> Result<Response, types::ErrorBody> {
    let (organization_id, actor) = admit(project, request, organization, "update")?;
    let mut state = project.state();
    let body = request.json.clone().filter(Value::is_object);
    let body = body.ok_or_else(|| {
        responses::error(400, "invalid_argument", "The body must be a JSON object.")
    })?;
    let connection = connection_of(&state, &organization_id, connection_id)?;
    let changes = Changes::read(&state, connection, &body)?;
    let connection = changes.apply(&mut state, connection_id);
    drop(state);
    project.log.accept(Update {
        member_id: actor.map(|actor| actor.member_id),
        organization_id,
        connection_id: connection_id.to_owned(),
        body,
    });
    Ok(Response::json(
        200,
        &types::UpdateExternalConnectionResponse {
            connection,
            request_id: project.id_of("request-id"),
            status_code: 200,
        },
    ))
}

/// Checks the project's credentials and, for a member, tenancy and permission. Returns the
/// organization's id and the member.
pub(super) fn admit(
    project: &Project,
    request: &Received<'_>,
    organization: &str,
    action: &str,
) -> Result<(String, Option<authenticate::Actor>), types::ErrorBody> {
    project.check_credentials(request)?;
    let actor = authenticate::actor(project, request)?;
    let state = project.state();
    let organization_id = organization_named(&state, organization);
    if let Some(actor) = &actor {
        authorize(&state, actor, organization_id.as_deref(), action)?;
    }
    let organization_id = organization_id.ok_or_else(responses::organization_not_found)?;
    Ok((organization_id, actor))
}

/// Stytch accepts an organization's slug in place of its id.
pub(super) fn organization_named(state: &State, name: &str) -> Option<String> {
    if state.organizations.contains_key(name) {
        return Some(name.to_owned());
    }
    let mut organizations = state.organizations.iter();
    let found = organizations.find(|(_, organization)| organization.slug == name);
    found.map(|(id, _)| id.clone())
}

fn authorize(
    state: &State,
    actor: &authenticate::Actor,
    organization_id: Option<&str>,
    action: &str,
) -> Result<(), types::ErrorBody> {
    if organization_id != Some(&actor.organization_id) {
        return Err(responses::organization_mismatch());
    }
    let own = &state.organizations[&actor.organization_id].roles;
    if !state.policy.grants(own, &actor.roles, "stytch.sso", action) {
        return Err(responses::permission_denied());
    }
    Ok(())
}

fn connection_of<'a>(
    state: &'a State,
    organization_id: &str,
    connection_id: &str,
) -> Result<&'a ConnectionState, types::ErrorBody> {
    let found = state.connections.get(connection_id);
    let found = found.ok_or_else(responses::connection_not_found)?;
    if found.connection.organization_id != organization_id {
        return Err(responses::connection_organization_mismatch());
    }
    if found.connection.status != "active" {
        return Err(responses::connection_not_active());
    }
    Ok(found)
}

/// A validated update. `null` changes nothing: some of Stytch's SDKs send it for unset fields.
struct Changes {
    display_name: Option<String>,
    roles: Option<Vec<types::ConnectionImplicitRoleAssignment>>,
    group_roles: Option<Vec<types::GroupImplicitRoleAssignment>>,
}

impl Changes {
    fn read(state: &State, on: &ConnectionState, body: &Value) -> Result<Self, types::ErrorBody> {
        // A field that is added to the request stops the build here: read it, check it and apply
        // it below.
        let types::UpdateExternalConnectionRequest {
            display_name,
            external_connection_implicit_role_assignments: roles,
            external_group_implicit_role_assignments: group_roles,
        } = types::UpdateExternalConnectionRequest {
            display_name: field(body, DISPLAY_NAME)?,
            external_connection_implicit_role_assignments: field(body, ROLES)?,
            external_group_implicit_role_assignments: field(body, GROUP_ROLES)?,
        };
        let changes = Self { display_name, roles, group_roles };
        changes.check(state, on)?;
        Ok(changes)
    }

    fn check(&self, state: &State, on: &ConnectionState) -> Result<(), types::ErrorBody> {
        if (self.display_name.as_ref()).is_some_and(|name| name.trim().is_empty()) {
            return Err(responses::invalid_display_name());
        }
        let has_roles = self.roles.as_ref().is_some_and(|roles| !roles.is_empty());
        let has_groups = (self.group_roles.as_ref()).is_some_and(|roles| !roles.is_empty());
        if on.underlying == Underlying::Oidc && (has_roles || has_groups) {
            return Err(oidc_has_no_implicit_roles());
        }
        if on.underlying == Underlying::SamlWithoutGroups && has_groups {
            return Err(responses::groups_key_missing());
        }
        let own = &state.organizations[&on.connection.organization_id].roles;
        let check = |list: &str, position: usize, role_id: &str| {
            if state.policy.knows(own, role_id) {
                return Ok(());
            }
            Err(responses::invalid_role_assignment(role_id, list, position))
        };
        for (position, role) in self.roles.iter().flatten().enumerate() {
            check(ROLES, position, &role.role_id)?;
        }
        for (position, role) in self.group_roles.iter().flatten().enumerate() {
            check(GROUP_ROLES, position, &role.role_id)?;
        }
        Ok(())
    }

    fn apply(self, state: &mut State, connection_id: &str) -> types::ExternalConnection {
        let state = state.connections.get_mut(connection_id);
        let connection =
            &mut state.expect("the connection was found under the same lock").connection;
        let Self { display_name, roles, group_roles } = self;
        if let Some(display_name) = display_name {
            connection.display_name = display_name;
        }
        if let Some(roles) = roles {
            connection.external_connection_implicit_role_assignments = Some(roles);
        }
        if let Some(roles) = group_roles {
            connection.external_group_implicit_role_assignments = Some(roles);
        }
        connection.clone()
    }
}

fn field<T: serde::de::DeserializeOwned>(
    body: &Value,
    name: &str,
) -> Result<Option<T>, types::ErrorBody> {
    let value = body.get(name).cloned().unwrap_or(Value::Null);
    serde_json::from_value(value).map_err(|_| {
        let message = format!("{name} has the wrong type.");
        responses::error(400, "invalid_argument", &message)
    })
}

/// Stytch's reference documents the rejection but not its error type; this one is a guess.
fn oidc_has_no_implicit_roles() -> types::ErrorBody {
    responses::error(
        400,
        "invalid_rbac_role_assignment",
        "Implicit role assignments are not supported for OIDC connections.",
    )
}

const DISPLAY_NAME: &str = "display_name";
const ROLES: &str = "external_connection_implicit_role_assignments";
const GROUP_ROLES: &str = "external_group_implicit_role_assignments";
