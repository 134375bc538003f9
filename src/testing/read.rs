//! What the fake only reads: the connections of an organization, and the RBAC policies.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    jwt, project::Project, rbac::Role, request::Received, response::Response, responses, update,
};
use crate::wire::types;

/// `GET /v1/b2b/sso/{organization_id}`: as a member, or as the project.
pub(super) fn connections(
    project: &Project,
    request: &Received<'_>,
    organization: &str,
) -> Result<Response, types::ErrorBody> {
    let (organization_id, _) = update::admit(project, request, organization, "get")?;
    let state = project.state();
    let mut connections: Vec<_> = state.connections.values().collect();
    connections.retain(|state| state.connection.organization_id == organization_id);
    connections.sort_by_key(|state| state.sequence);
    let body = types::GetConnectionsResponse {
        external_connections: connections.iter().map(|it| it.connection.clone()).collect(),
        request_id: project.id_of("request-id"),
        status_code: 200,
    };
    Ok(with(&body, json!({"saml_connections": [], "oidc_connections": []})))
}

/// `GET /v1/b2b/rbac/policy`.
pub(super) fn policy(
    project: &Project,
    request: &Received<'_>,
) -> Result<Response, types::ErrorBody> {
    project.check_credentials(request)?;
    let roles = project.state().policy.roles().iter().map(published).collect();
    let request_id = project.id_of("request-id");
    let body = types::GetRbacPolicyResponse { policy: types::RbacPolicy { roles }, request_id };
    Ok(with(&body, json!({"status_code": 200, "policy": {"resources": [], "scopes": []}})))
}

/// `GET /v1/b2b/rbac/organizations/{organization_id}`.
pub(super) fn organization_policy(
    project: &Project,
    request: &Received<'_>,
    organization: &str,
) -> Result<Response, types::ErrorBody> {
    project.check_credentials(request)?;
    let state = project.state();
    let organization_id = update::organization_named(&state, organization)
        .ok_or_else(responses::organization_not_found)?;
    let roles = &state.organizations[&organization_id].roles;
    let roles = Some(roles.iter().map(published).collect());
    let body = types::GetOrganizationRbacPolicyResponse {
        org_policy: Some(types::OrganizationRbacPolicy { roles }),
        request_id: project.id_of("request-id"),
    };
    Ok(with(&body, json!({"status_code": 200})))
}

fn published(role: &Role) -> types::RbacRole {
    let permissions = role.permissions.iter();
    let permissions = permissions
        .map(|(resource, actions)| types::RbacPermission {
            resource_id: resource.clone(),
            actions: actions.clone(),
        })
        .collect();
    types::RbacRole { role_id: role.id.clone(), permissions: Some(permissions) }
}

/// A success with the fields of the document and others that Stytch sends. The types are written
/// out in full above, so that a field that is added to the document stops the build there: set it as
/// Stytch does.
fn with(body: &impl Serialize, others: Value) -> Response {
    let mut body = json!(body);
    jwt::merge(&mut body, others);
    Response::json(200, &body)
}
