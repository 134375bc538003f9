//! Checks a permission locally, as Stytch's SDKs do: the member's roles against the RBAC
//! policies of the project and the organization.
//!
//! The result is advice for a user interface. No call is ever held back because of it: Stytch
//! decides.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::join};
use quick_cache::sync::Cache;

use crate::{
    call_context::CallContext,
    deadline::Deadline,
    details::ErrorContext,
    error::Error,
    member_roles::MemberRoles,
    operation::{Operation, Permission},
    path_segment::PathSegment,
    refresh::{MaxAge, RefreshingCache},
    session::SessionDigest,
    transport::RbacRole,
};

/// The result of [`MemberClient::check_permission`](crate::MemberClient::check_permission).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether the member's roles grant the permission.
    pub authorized: bool,
    /// The member's roles that grant it, sorted, as in Stytch's own verdict.
    pub granting_roles: Vec<String>,
    /// All roles of the project and the organization any of which would grant it, sorted: what a
    /// denied member can ask for.
    pub sufficient_roles: Vec<String>,
}

impl Verdict {
    /// The verdict on an operation that requires no permission.
    pub(crate) fn unrestricted() -> Self {
        Self { authorized: true, granting_roles: Vec::new(), sufficient_roles: Vec::new() }
    }
}

/// The roles of a policy.
type Policy = Arc<Vec<RbacRole>>;

/// The RBAC policies of a project and its organizations.
pub(crate) struct Policies {
    context: CallContext,
    project: RefreshingCache<Policy>,
    organizations: Cache<PathSegment, RefreshingCache<Policy>>,
    /// When a session was last denied a permission.
    session_denials: Cache<SessionDigest, SystemTime>,
    organization_denials: Cache<PathSegment, SystemTime>,
}

impl Policies {
    pub(crate) fn new(context: CallContext) -> Self {
        let fetch = {
            let context = context.clone();
            move || project_policy(context.clone()).boxed()
        };
        let operation = Operation::GetRbacPolicy;
        Self {
            project: RefreshingCache::new(context.clock.clone(), MAX_AGE, operation, fetch),
            organizations: Cache::new(CAPACITY),
            session_denials: Cache::new(CAPACITY),
            organization_denials: Cache::new(CAPACITY),
            context,
        }
    }

    /// Records that Stytch denied a permission, so that the next check sees what Stytch saw.
    pub(crate) fn record_denial(&self, session: SessionDigest, organization: &PathSegment) {
        let now = self.context.clock.now();
        self.session_denials.insert(session, now);
        self.organization_denials.insert(organization.clone(), now);
    }

    /// The time since which the roles of a session must have been read for a check.
    pub(crate) fn roles_since(&self, session: &SessionDigest) -> SystemTime {
        let now = self.context.clock.now();
        let oldest = now.checked_sub(MAX_AGE.fresh).unwrap_or(SystemTime::UNIX_EPOCH);
        let denied = self.session_denials.get(session).unwrap_or(oldest);
        // Roles that were read a moment ago serve all the same.
        let recent = now.checked_sub(MIN_INTERVAL).unwrap_or(SystemTime::UNIX_EPOCH);
        oldest.max(denied.min(recent))
    }

    /// Checks a member's roles against both policies, which are fetched at the same time.
    pub(crate) async fn check(
        &self,
        organization: &PathSegment,
        roles: &MemberRoles,
        permission: Permission,
        deadline: Deadline,
    ) -> Result<Verdict, Error> {
        let Some(roles) = roles.ids() else {
            let reason = "the roles of the member are not an array of strings";
            let context = ErrorContext::new(Operation::AuthenticateSession, reason);
            return Err(Error::UnexpectedResponse(context.into()));
        };
        let since = self.organization_denials.get(organization).unwrap_or(SystemTime::UNIX_EPOCH);
        let custom = self.organization(organization);
        let patience = deadline.remaining();
        let (project, custom) = join(
            self.project.get_since(since, MIN_INTERVAL, patience),
            custom.get_since(since, MIN_INTERVAL, patience),
        )
        .await;
        let project = project?;
        let custom_roles = custom.as_ref().map(|snapshot| &**snapshot.value).ok();
        let all = project.value.iter().chain(custom_roles.into_iter().flatten());
        let verdict = evaluate(all, roles, permission);
        match custom {
            Err(error) if !verdict.authorized => Err(error),
            _ => Ok(verdict),
        }
    }

    fn organization(&self, id: &PathSegment) -> RefreshingCache<Policy> {
        if let Some(policy) = self.organizations.get(id) {
            return policy;
        }
        let (context, organization) = (self.context.clone(), id.clone());
        let fetch = move || organization_policy(context.clone(), organization.clone()).boxed();
        let operation = Operation::GetOrganizationRbacPolicy;
        let policy = RefreshingCache::new(self.context.clock.clone(), MAX_AGE, operation, fetch);
        let inserted = self.organizations.get_or_insert_with(id, || Ok::<_, ()>(policy.clone()));
        inserted.unwrap_or(policy)
    }
}

fn evaluate<'a>(
    all: impl Iterator<Item = &'a RbacRole>,
    roles: &[String],
    permission: Permission,
) -> Verdict {
    let grants = |role: &&RbacRole| {
        role.permissions.iter().flatten().any(|granted| {
            granted.resource_id == permission.resource
                && granted.actions.iter().any(|it| it == permission.action || it == "*")
        })
    };
    let sufficient: BTreeSet<&String> = all.filter(grants).map(|role| &role.role_id).collect();
    let sufficient_roles: Vec<_> = sufficient.into_iter().cloned().collect();
    let granting_roles: Vec<_> =
        sufficient_roles.iter().filter(|role| roles.contains(role)).cloned().collect();
    Verdict { authorized: !granting_roles.is_empty(), granting_roles, sufficient_roles }
}

/// One request, without retries: the backoff of the cache takes their place.
async fn project_policy(context: CallContext) -> Result<Policy, Error> {
    let deadline = Deadline::after(Operation::GetRbacPolicy, context.attempt_timeout);
    let attempt = || context.transport.rbac_policy(deadline);
    let response = context.call_as_project(context.retry.begin_single(deadline), attempt).await?;
    Ok(Arc::new(response.body.policy.roles))
}

async fn organization_policy(
    context: CallContext,
    organization: PathSegment,
) -> Result<Policy, Error> {
    let operation = Operation::GetOrganizationRbacPolicy;
    let deadline = Deadline::after(operation, context.attempt_timeout);
    let attempt = || context.transport.organization_rbac_policy(&organization, deadline);
    let response = context.call_as_project(context.retry.begin_single(deadline), attempt).await?;
    let policy = response.body.org_policy;
    Ok(Arc::new(policy.and_then(|policy| policy.roles).unwrap_or_default()))
}

/// As long as Stytch's SDKs cache policies, and an hour of an outage.
const MAX_AGE: MaxAge =
    MaxAge { fresh: Duration::from_secs(5 * 60), stale: Duration::from_secs(60 * 60) };
/// The time between two fetches that denials cause.
const MIN_INTERVAL: Duration = Duration::from_secs(5);
/// How many organizations' policies are cached.
const CAPACITY: usize = 1_000;
