//! Checks a permission locally, as Stytch's SDKs do: the member's roles against the RBAC
//! policies of the project and the organization.
//!
//! The result is advice for a user interface. The client sends every call whatever the verdict;
//! Stytch decides.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::join};
use quick_cache::sync::Cache;

use crate::{
    call::CallContext,
    error::Error,
    http::RbacRole,
    sync::{Deadline, MaxAge, RefreshingCache},
    wire::{Operation, PathSegment, Permission, SessionDigest},
};

/// The result of [`MemberClient::check_permission`](crate::MemberClient::check_permission).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether the member's roles grant the permission.
    pub authorized: bool,
    /// The member's roles that grant it, sorted, as in Stytch's own verdict.
    pub granting_roles: Vec<String>,
    /// The ids of all roles of the project and the organization that grant it, sorted, such as
    /// `stytch_admin`. A denied member can ask for any of them. Omits the organization's
    /// custom roles if fetching those fails while a role of the project authorizes the member.
    pub sufficient_roles: Vec<String>,
}

impl Verdict {
    /// The verdict on an operation that requires no permission.
    pub(crate) fn unrestricted() -> Self {
        Self { authorized: true, granting_roles: Vec::new(), sufficient_roles: Vec::new() }
    }
}

/// The last time that Stytch denied a session a permission.
#[derive(Clone, Copy)]
struct Denial {
    at: SystemTime,
    /// When the roles of the session were last read because of a denial.
    roles_read: Option<SystemTime>,
}

/// The roles of a policy.
type Policy = Arc<Vec<RbacRole>>;

/// The RBAC policies of a project and its organizations.
pub(crate) struct Policies {
    context: CallContext,
    project: RefreshingCache<Policy>,
    organizations: Cache<PathSegment, RefreshingCache<Policy>>,
    session_denials: Cache<SessionDigest, Denial>,
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
        let roles_read = self.session_denials.get(&session).and_then(|denial| denial.roles_read);
        self.session_denials.insert(session, Denial { at: now, roles_read });
        self.organization_denials.insert(organization.clone(), now);
    }

    /// Whether to read roles again that were read at `read`, because the session was denied a
    /// permission since: at most once in [`MIN_INTERVAL`].
    pub(crate) fn needs_role_read(&self, session: &SessionDigest, read: SystemTime) -> bool {
        let Some(denial) = self.session_denials.get(session) else {
            return false;
        };
        let clock = &self.context.clock;
        let is_recent = denial.roles_read.is_some_and(|at| clock.age(at) < MIN_INTERVAL);
        let is_from_future = read > clock.now();
        // Roles of the same instant may be older than the denial.
        (read <= denial.at || is_from_future) && !is_recent
    }

    /// Records that the roles of a session were read because of a denial, or could not be read.
    pub(crate) fn record_role_read(&self, session: SessionDigest) {
        if let Some(denial) = self.session_denials.get(&session) {
            let roles_read = Some(self.context.clock.now());
            self.session_denials.insert(session, Denial { roles_read, ..denial });
        }
    }

    /// Checks a member's roles against both policies, which are fetched at the same time.
    pub(crate) async fn check(
        &self,
        organization: &PathSegment,
        roles: &[String],
        permission: Permission,
        deadline: Deadline,
    ) -> Result<Verdict, Error> {
        let since = self.organization_denials.get(organization).unwrap_or(SystemTime::UNIX_EPOCH);
        let custom = self.organization(organization);
        let max_wait = deadline.remaining();
        let (project, custom) = join(
            self.project.get_since(since, MIN_INTERVAL, max_wait),
            custom.get_since(since, MIN_INTERVAL, max_wait),
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

/// 5 minutes as in Stytch's SDKs; up to 1 hour while fetching fails.
const MAX_AGE: MaxAge =
    MaxAge { fresh: Duration::from_secs(5 * 60), stale: Duration::from_secs(60 * 60) };
/// How old the roles behind a session token may be in a check.
pub(crate) const ROLES_MAX_AGE: Duration = MAX_AGE.fresh;
/// The time between two fetches that denials cause.
const MIN_INTERVAL: Duration = Duration::from_secs(5);
/// How many organizations' policies are cached.
const CAPACITY: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sync::Clock, wire::Session};

    /// The time of a reading is in the future if the clock was set back after it.
    #[test]
    fn denial_after_the_clock_was_set_back_has_the_roles_read_again() {
        let clock = Clock::stopped();
        let policies = Policies::new(CallContext::unreachable(clock.clone()));
        let session = Session::token("token").digest();
        policies.record_denial(session, &PathSegment::new("organization-test-1").unwrap());
        let hour = Duration::from_secs(3600);
        clock.advance(hour);
        let now = clock.now();
        for (read, is_needed) in [(now - 2 * hour, true), (now, false), (now + hour, true)] {
            assert_eq!(policies.needs_role_read(&session, read), is_needed, "{read:?}");
        }
    }
}
