//! What the fake only reads: the connections of an organization, and the RBAC policies.

use serde_json::{Value, json};

use super::{
    project::Project, rbac::Role, request::Received, response::Response, responses, update,
};
use crate::generated::types;

/// `GET /v1/b2b/sso/{organization_id}`: as a member, or as the project.
pub(super) fn connections(
    project: &Project,
    request: &Received<'_>,
    organization: &str,
) -> Result<Response, types::Error> {
    let (organization_id, _) = update::admit(project, request, organization, "get")?;
    let state = project.state();
    let mut connections: Vec<_> = state.connections.values().collect();
    connections.retain(|state| state.connection.organization_id == organization_id);
    connections.sort_by_key(|state| state.sequence);
    let connections: Vec<_> = connections.iter().map(|state| &state.connection).collect();
    Ok(Response::json(
        200,
        &json!({
            "status_code": 200,
            "request_id": project.id_of("request-id"),
            "saml_connections": [],
            "oidc_connections": [],
            "external_connections": connections,
        }),
    ))
}

/// `GET /v1/b2b/rbac/policy`.
pub(super) fn policy(project: &Project, request: &Received<'_>) -> Result<Response, types::Error> {
    project.check_credentials(request)?;
    let roles: Vec<Value> = project.state().policy.roles().iter().map(published).collect();
    let policy = json!({"roles": roles, "resources": [], "scopes": []});
    let request_id = project.id_of("request-id");
    let body = json!({"status_code": 200, "request_id": request_id, "policy": policy});
    Ok(Response::json(200, &body))
}

/// `GET /v1/b2b/rbac/organizations/{organization_id}`.
pub(super) fn organization_policy(
    project: &Project,
    request: &Received<'_>,
    organization: &str,
) -> Result<Response, types::Error> {
    project.check_credentials(request)?;
    let state = project.state();
    let organization_id = update::organization_named(&state, organization)
        .ok_or_else(responses::organization_not_found)?;
    let roles = &state.organizations[&organization_id].roles;
    let roles: Vec<Value> = roles.iter().map(published).collect();
    let request_id = project.id_of("request-id");
    let policy = json!({"roles": roles});
    let body = json!({"status_code": 200, "request_id": request_id, "org_policy": policy});
    Ok(Response::json(200, &body))
}

fn published(role: &Role) -> Value {
    let permissions = role.permissions.iter();
    let permissions: Vec<_> = permissions
        .map(|(resource, actions)| json!({"resource_id": resource, "actions": actions}))
        .collect();
    json!({"role_id": role.id, "description": "", "permissions": permissions})
}
