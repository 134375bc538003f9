//! Many roles: of a connection, of the policies and of a member.

use std::hint::black_box;

use serde_json::json;
use stytch_sso_external::{
    ConnectionEdit, MemberClient, Operation, Session,
    bindings::MemberRoles,
    testing::{Response, responses},
    types::{ConnectionImplicitRoleAssignment, ExternalConnection},
};
use tokio::runtime::Runtime;

use super::{TOKEN, client, server, server::Server};

/// A connection that grants many roles, and a member who has all of them.
pub(crate) struct Roles {
    runtime: Runtime,
    connection: ExternalConnection,
    member: MemberClient,
    granted: Vec<String>,
}

impl Roles {
    /// Builds a client that has the policies and the member's session in its caches.
    pub(crate) fn new(count: usize) -> Self {
        let ids = |prefix: &str| (0..count).map(|n| format!("{prefix}-{n:05}")).collect::<Vec<_>>();
        let roles = ids("role");
        let mut connection = responses::connection();
        let assignment = |role_id: &String| {
            let role_id = role_id.clone();
            ConnectionImplicitRoleAssignment { role_id }
        };
        connection.external_connection_implicit_role_assignments =
            Some(roles.iter().map(assignment).collect());

        let grants: Vec<_> = roles.iter().map(|id| (&**id, "stytch.sso", &["get"][..])).collect();
        let policy = responses::rbac_policy(&grants).policy;
        let policies = json!({"policy": policy, "org_policy": {"roles": []}});
        let mut authenticated =
            responses::authenticated(&connection.organization_id, TOKEN, "a.b.c");
        authenticated.member_session.roles = Some(MemberRoles::new(&roles));
        let server = Server {
            policies: server::raw(&Response::json(200, &policies)),
            authenticated: server::raw(&Response::json(200, &authenticated)),
            ..Server::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let base_url = runtime.block_on(server.start());
        let member = client(&base_url).as_member(Session::token(TOKEN));
        let roles = Self { runtime, connection, member, granted: ids("granted") };
        roles.check();
        roles
    }

    /// Grants as many roles as the connection has, and revokes half of them.
    pub(crate) fn edit(&self) {
        let mut edit = ConnectionEdit::new(self.connection.clone());
        for role in &self.granted {
            edit.grant_role(role);
        }
        for role in self.granted.iter().step_by(2) {
            edit.revoke_role(role);
        }
        black_box(edit.into_update().unwrap());
    }

    /// Checks permissions which all of the roles grant in part.
    pub(crate) fn check(&self) {
        let operations = [Operation::GetConnections, Operation::UpdateExternalConnection];
        let verdict = self.runtime.block_on(self.member.check_permissions(operations)).unwrap();
        assert_eq!(black_box(verdict).granting_roles.len(), self.granted.len());
    }
}
