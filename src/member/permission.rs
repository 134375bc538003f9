//! Checks permissions locally, as Stytch's SDKs do: the member's roles against the RBAC
//! policies of the project and the organization.
//!
//! The result is advice for a user interface. The client sends every call whatever the verdict;
//! Stytch decides.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    convert::Infallible,
    iter,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, future::join};
use quick_cache::sync::Cache;

use super::MemberClient;
use crate::{
    call::CallContext,
    error::{Error, ErrorKind},
    sync::{Deadline, RefreshingCache, Schedule},
    wire::{Operation, PathSegment, Permission, SessionKind, types::RbacRole},
};

/// The result of [`MemberClient::check_permissions`](crate::MemberClient::check_permissions).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether the member's roles together grant every permission asked for.
    pub authorized: bool,
    /// The member's roles that grant at least one of the permissions, sorted.
    pub granting_roles: Vec<String>,
    /// The ids of all roles of the project and the organization each of which alone grants all
    /// of the permissions, sorted, such as `stytch_admin`. A denied member can ask for any of
    /// them. Omits the organization's custom roles if fetching those fails while the roles of
    /// the project authorize the member.
    pub sufficient_roles: Vec<String>,
}

impl MemberClient {
    /// Checks whether the member's roles grant the permissions of all of these operations,
    /// before a user interface offers them.
    ///
    /// [`edit_connection`](Self::edit_connection) sends two operations: check
    /// `[Operation::GetConnections, Operation::UpdateExternalConnection]` for it.
    ///
    /// Evaluated locally, as Stytch's SDKs do: the member's roles against the RBAC policies of
    /// the project and the organization, which are cached for 5 minutes and used for up to an
    /// hour while fetching them fails. The roles are those of the session JWT; of a session
    /// token, those that `sessions/authenticate` returned within the last 5 minutes. After a
    /// denial the policies and the roles of a session token are read anew, at most every 5 s;
    /// those of a JWT change when it is renewed. An operation without a permission is granted.
    ///
    /// **The verdict is advice.** The client sends every call whatever the verdict; Stytch decides
    /// ([guide](https://stytch.com/docs/b2b/guides/rbac/overview)). Dropping the future
    /// has no effect.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if `operations` is empty.
    /// Any error of resolving the session or of fetching a policy, never
    /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied);
    /// [`Error::operation`] returns which request failed. The [`outcome`](Error::outcome) is
    /// always [`NotApplied`](crate::Outcome::NotApplied).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use stytch_sso_external::testing::Stytch;
    /// use stytch_sso_external::{Operation, Session};
    ///
    /// # let stytch = Stytch::start();
    /// # let jwt = stytch.organization("acme").member("bob", &[]).log_in().jwt();
    /// let member = stytch.client().as_member(Session::jwt(jwt));
    /// let to_edit = [Operation::GetConnections, Operation::UpdateExternalConnection];
    /// let verdict = member.check_permissions(to_edit).await?;
    /// if !verdict.authorized {
    ///     println!("ask for one of these roles: {}", verdict.sufficient_roles.join(", "));
    /// }
    /// assert_eq!(verdict.sufficient_roles, ["stytch_admin"]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub async fn check_permissions(
        &self,
        operations: impl IntoIterator<Item = Operation>,
    ) -> Result<Verdict, Error> {
        let operations: Vec<_> = operations.into_iter().collect();
        let Some(first) = operations.first() else {
            let reason = "no operation to check: name at least one";
            return Err(Error::new(ErrorKind::InvalidRequest, Operation::GetRbacPolicy, reason));
        };
        let permissions: HashSet<_> =
            operations.iter().filter_map(|operation| operation.permission()).collect();
        if permissions.is_empty() {
            return Ok(evaluate(iter::empty(), &[], &permissions));
        }
        let deadline = self.project.context.deadline(*first);
        let member = self.resolve_roles(deadline).await?;
        let roles = member.roles.ids().ok_or_else(|| {
            let is_of_jwt = self.session.presented.kind() == SessionKind::Jwt;
            let is_verified = is_of_jwt && member.renewed.is_none();
            let operation = if is_verified { *first } else { Operation::AuthenticateSession };
            let reason = "the roles of the member are not an array of strings";
            Error::new(ErrorKind::UnexpectedResponse, operation, reason)
        })?;
        let (project, custom) = self.project.policies.get(&member.organization, deadline).await?;
        let all = project.iter().chain(custom.iter().flat_map(|roles| roles.iter()));
        let verdict = evaluate(all, roles, &permissions);
        // A custom role that couldn't be read may grant the rest.
        if verdict.authorized { Ok(verdict) } else { custom.map(|_| verdict) }
    }

    /// Returns the ids of the roles of the project and the organization, sorted, for a form to
    /// choose from.
    ///
    /// Reads the same cached policies as [`check_permissions`](Self::check_permissions), for any
    /// member with a session: a service decides whom it shows them. Stytch may reject a default
    /// role, such as `stytch_member`, in an assignment. Dropping the future has no effect.
    ///
    /// # Errors
    ///
    /// Any error of resolving the session or of fetching either policy;
    /// [`Error::operation`] returns which request failed. The [`outcome`](Error::outcome) is
    /// always [`NotApplied`](crate::Outcome::NotApplied).
    pub async fn role_ids(&self) -> Result<Vec<String>, Error> {
        let deadline = self.project.context.deadline(Operation::GetRbacPolicy);
        let (member, _) = self.resolve(deadline).await?;
        let (project, custom) = self.project.policies.get(&member.organization, deadline).await?;
        let custom = custom?;
        let ids: BTreeSet<_> = project.iter().chain(&*custom).map(|role| &role.role_id).collect();
        Ok(ids.into_iter().cloned().collect())
    }
}

/// The roles of a policy.
type Policy = Arc<Vec<RbacRole>>;

/// The RBAC policies of a project and its organizations.
pub(crate) struct Policies {
    context: CallContext,
    project: Arc<RefreshingCache<Policy>>,
    organizations: Cache<PathSegment, Arc<RefreshingCache<Policy>>>,
}

impl Policies {
    pub(crate) fn new(context: CallContext) -> Self {
        let project = cache(context.clone(), None);
        Self { project, organizations: Cache::new(CAPACITY), context }
    }

    /// Marks the policies as outdated, since Stytch denied a permission: the next check sees what
    /// Stytch saw.
    pub(crate) fn outdate(&self, organization: &PathSegment) {
        self.project.outdate();
        if let Some(custom) = self.organizations.get(organization) {
            custom.outdate();
        }
    }

    /// Returns the roles of the project, and the custom roles of the organization or why they
    /// can't be read. Both are fetched at the same time.
    async fn get(
        &self,
        organization: &PathSegment,
        deadline: Deadline,
    ) -> Result<(Policy, Result<Policy, Error>), Error> {
        let new = || cache(self.context.clone(), Some(organization.clone()));
        let insert = || Ok::<_, Infallible>(new());
        let Ok(custom) = self.organizations.get_or_insert_with(organization, insert);
        let max_wait = deadline.remaining();
        let (project, custom) = join(self.project.get(max_wait), custom.get(max_wait)).await;
        Ok((project?, custom))
    }
}

/// The policy of the project, or of an organization.
fn cache(context: CallContext, organization: Option<PathSegment>) -> Arc<RefreshingCache<Policy>> {
    let clock = context.retry.clock.clone();
    let operation = match organization {
        None => Operation::GetRbacPolicy,
        Some(_) => Operation::GetOrganizationRbacPolicy,
    };
    let fetch = move || fetch(context.clone(), operation, organization.clone()).boxed();
    RefreshingCache::new(clock, SCHEDULE, operation, fetch)
}

async fn fetch(
    context: CallContext,
    operation: Operation,
    organization: Option<PathSegment>,
) -> Result<Policy, Error> {
    let (transport, deadline) = (&context.transport, context.fetch_deadline(operation));
    let roles = match organization {
        None => {
            let attempt = || transport.rbac_policy(deadline);
            context.call_as_project(None, deadline, attempt).await?.into_inner().policy.roles
        }
        Some(organization) => {
            let attempt = || transport.organization_rbac_policy(&organization, deadline);
            let response = context.call_as_project(None, deadline, attempt).await?;
            response.into_inner().org_policy.and_then(|policy| policy.roles).unwrap_or_default()
        }
    };
    Ok(Arc::new(roles))
}

/// A role that is in both policies has the permissions of both.
fn evaluate<'a>(
    all: impl Iterator<Item = &'a RbacRole>,
    roles: &[String],
    permissions: &HashSet<Permission>,
) -> Verdict {
    let mut granted: BTreeMap<&String, HashSet<&Permission>> = BTreeMap::new();
    for role in all {
        let grants = permissions.iter().filter(|permission| grants(role, permission));
        granted.entry(&role.role_id).or_default().extend(grants);
    }
    let sufficient = granted.iter().filter(|(_, granted)| granted.len() == permissions.len());
    let sufficient_roles = sufficient.map(|(id, _)| (*id).clone()).collect();
    let roles: HashSet<_> = roles.iter().collect();
    granted.retain(|id, granted| roles.contains(id) && !granted.is_empty());
    let by_any: HashSet<_> = granted.values().flatten().collect();
    Verdict {
        authorized: by_any.len() == permissions.len(),
        granting_roles: granted.into_keys().cloned().collect(),
        sufficient_roles,
    }
}

fn grants(role: &RbacRole, permission: &Permission) -> bool {
    role.permissions.iter().flatten().any(|granted| {
        granted.resource_id == permission.resource
            && granted.actions.iter().any(|it| it == permission.action || it == "*")
    })
}

/// Fresh for 5 minutes, as in Stytch's SDKs; used for up to 1 hour while fetching fails. Denials force
/// fetches.
const SCHEDULE: Schedule = Schedule {
    fresh: Duration::from_secs(5 * 60),
    stale: Duration::from_secs(60 * 60),
    interval: Duration::from_secs(5),
};
/// How many organizations' policies are cached.
const CAPACITY: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::types::RbacPermission;

    /// Takes minutes if each role of the member is compared with all roles.
    #[test]
    fn verdict_on_hundreds_of_thousands_of_roles() {
        const ROLES: usize = 200_000;
        let id = |number: usize| format!("role-{number:06}");
        let role = |number: usize| {
            let action = if number.is_multiple_of(2) { "get" } else { "update" };
            let permission =
                RbacPermission { resource_id: "stytch.sso".into(), actions: vec![action.into()] };
            RbacRole { role_id: id(number), permissions: Some(vec![permission]) }
        };
        let all: Vec<_> = (0..ROLES).map(role).collect();
        let member: Vec<_> = (0..ROLES).rev().map(id).collect();
        let get = Operation::GetConnections.permission().unwrap();
        let update = Operation::UpdateExternalConnection.permission().unwrap();
        let verdict = evaluate(all.iter(), &member, &HashSet::from([get, update]));
        assert!(verdict.authorized);
        assert_eq!(verdict.granting_roles, (0..ROLES).map(id).collect::<Vec<_>>());
        assert_eq!(verdict.sufficient_roles, Vec::<String>::new());
    }
}
