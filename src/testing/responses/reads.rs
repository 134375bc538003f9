//! The bodies of reads: connections and RBAC policies.

use super::REQUEST_ID;
use crate::wire::types;

/// 200: the external connections of an organization.
pub fn connections(
    connections: impl IntoIterator<Item = types::ExternalConnection>,
) -> types::GetConnectionsResponse {
    types::GetConnectionsResponse {
        external_connections: connections.into_iter().collect(),
        request_id: REQUEST_ID.into(),
        status_code: 200,
    }
}

/// 200: a project's policy, of roles with the resource and actions that each grants.
pub fn rbac_policy(roles: &[(&str, &str, &[&str])]) -> types::GetRbacPolicyResponse {
    types::GetRbacPolicyResponse {
        policy: types::RbacPolicy { roles: rbac_roles(roles) },
        request_id: REQUEST_ID.into(),
    }
}

/// 200: the custom roles of an organization, with the resource and actions that each grants.
pub fn organization_rbac_policy(
    roles: &[(&str, &str, &[&str])],
) -> types::GetOrganizationRbacPolicyResponse {
    types::GetOrganizationRbacPolicyResponse {
        org_policy: Some(types::OrganizationRbacPolicy { roles: Some(rbac_roles(roles)) }),
        request_id: REQUEST_ID.into(),
    }
}

fn rbac_roles(roles: &[(&str, &str, &[&str])]) -> Vec<types::RbacRole> {
    let role = |(role_id, resource_id, actions): &(&str, &str, &[&str])| types::RbacRole {
        role_id: (*role_id).to_owned(),
        permissions: Some(vec![types::RbacPermission {
            resource_id: (*resource_id).to_owned(),
            actions: actions.iter().map(|&action| action.to_owned()).collect(),
        }]),
    };
    roles.iter().map(role).collect()
}
