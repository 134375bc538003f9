//! Checks permissions locally, as Stytch's SDKs do: the member's roles against the RBAC
//! policies of the project and the organization.
//!
//! The result is advice for a user interface. The client sends every call whatever the verdict;
//! Stytch decides.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::join};
use quick_cache::sync::Cache;

use super::MemberClient;
use crate::{
    call::CallContext,
    error::Error,
    http::RbacRole,
    sync::{Deadline, MaxAge, RefreshingCache},
    wire::{Operation, PathSegment, Permission, SessionDigest},
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
            return Err(Error::invalid_request(Operation::GetRbacPolicy, reason));
        };
        let permissions: HashSet<_> =
            operations.iter().filter_map(|operation| operation.permission()).collect();
        if permissions.is_empty() {
            return Ok(Verdict::unrestricted());
        }
        let deadline = self.project.context.deadline(*first);
        self.project.check_permissions(&self.session, &permissions, deadline).await
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
        let (organization, _) = self.project.resolve(&self.session, deadline).await?;
        self.project.policies.role_ids(&organization, deadline).await
    }
}

impl Verdict {
    /// The verdict on operations that require no permission.
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

    /// Checks a member's roles against both policies.
    pub(crate) async fn check(
        &self,
        organization: &PathSegment,
        roles: &[String],
        permissions: &HashSet<Permission>,
        deadline: Deadline,
    ) -> Result<Verdict, Error> {
        let (project, custom) = self.roles(organization, deadline).await?;
        let custom_roles = custom.as_ref().ok().map(|roles| &**roles);
        let all = project.iter().chain(custom_roles.into_iter().flatten());
        let verdict = evaluate(all, roles, permissions);
        match custom {
            Err(error) if !verdict.authorized => Err(error),
            _ => Ok(verdict),
        }
    }

    /// Returns the ids of all roles, sorted.
    pub(crate) async fn role_ids(
        &self,
        organization: &PathSegment,
        deadline: Deadline,
    ) -> Result<Vec<String>, Error> {
        let (project, custom) = self.roles(organization, deadline).await?;
        let custom = custom?;
        let ids: BTreeSet<_> = project.iter().chain(&*custom).map(|role| &role.role_id).collect();
        Ok(ids.into_iter().cloned().collect())
    }

    /// Returns the roles of the project, and the custom roles of the organization or why they
    /// can't be read. Both are fetched at the same time.
    async fn roles(
        &self,
        organization: &PathSegment,
        deadline: Deadline,
    ) -> Result<(Policy, Result<Policy, Error>), Error> {
        let since = self.organization_denials.get(organization).unwrap_or(SystemTime::UNIX_EPOCH);
        let custom = self.organization(organization);
        let max_wait = deadline.remaining();
        let (project, custom) = join(
            self.project.get_since(since, MIN_INTERVAL, max_wait),
            custom.get_since(since, MIN_INTERVAL, max_wait),
        )
        .await;
        Ok((project?.value, custom.map(|snapshot| snapshot.value)))
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
    let is_sufficient = |(_, granted): &(_, &HashSet<_>)| granted.len() == permissions.len();
    let sufficient = granted.iter().filter(is_sufficient).map(|(id, _)| *id);
    let roles: HashSet<_> = roles.iter().collect();
    let is_granting =
        |(id, granted): &(&&String, &HashSet<_>)| !granted.is_empty() && roles.contains(*id);
    let granting: Vec<_> = granted.iter().filter(is_granting).collect();
    let by_all: HashSet<_> = granting.iter().flat_map(|(_, granted)| *granted).collect();
    Verdict {
        authorized: by_all.len() == permissions.len(),
        granting_roles: granting.iter().map(|(id, _)| (**id).clone()).collect(),
        sufficient_roles: sufficient.cloned().collect(),
    }
}

fn grants(role: &RbacRole, permission: &Permission) -> bool {
    role.permissions.iter().flatten().any(|granted| {
        granted.resource_id == permission.resource
            && granted.actions.iter().any(|it| it == permission.action || it == "*")
    })
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
    use crate::{
        sync::Clock,
        wire::{Session, types::RbacPermission},
    };

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
