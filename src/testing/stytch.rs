//! The stand-in itself: a project of Stytch's, in the process.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Fault, Operation, Organization, ScriptedFault, SeenRequest, Update, id,
    jwt::Key,
    project::Project,
    random_token,
    rbac::Role,
    server::{self, Lease},
};
use crate::{Client, ClientBuilder, clock::Clock};

/// A stand-in for Stytch: one project, on loopback, until the last clone is dropped.
///
/// It starts with the default roles `stytch_member` and `stytch_admin` and nothing else.
/// Every method can be called while requests are served. Starting one takes microseconds
/// after the first of a process, which makes an RSA key.
///
/// ```
/// use stytch_sso_external::testing::{Operation, Stytch};
///
/// let stytch = Stytch::start();
/// let acme = stytch.organization("acme");
/// let connection = acme.connection("Acme Okta");
/// let ada = acme.member("ada", &["stytch_admin"]).log_in();
///
/// // Let the code under test update the connection with `ada.jwt()`, then look at
/// // `connection.state()`, `stytch.updates()` and the counters.
/// assert_eq!(stytch.count(Operation::Update), 0);
/// # _ = (connection, ada);
/// ```
#[derive(Clone)]
pub struct Stytch {
    project: Arc<Project>,
    lease: Arc<Lease>,
}

impl Stytch {
    /// Starts a stand-in with a new project.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Configures a stand-in.
    pub fn builder() -> StytchBuilder {
        StytchBuilder::default()
    }

    /// A client for this project that goes by the stand-in's clock.
    ///
    /// # Panics
    ///
    /// When the HTTP client can't be made, which no setting of the stand-in causes.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_builder().build().expect("the stand-in's own settings make a client")
    }

    /// The same client before it is made, to be configured further.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder(self.project_id(), self.secret())
            .base_url(self.base_url())
            .clock(self.clock().clone())
    }

    /// The project's id.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project.id
    }

    /// The project's secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.project.secret
    }

    /// Where the stand-in is reached, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        server::base_url(self.lease.id())
    }

    /// The clock that sessions and JWTs expire by. It stands still until a test advances it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.project.clock
    }

    /// Defines a custom role of the project: resources with the actions that the role
    /// allows on them, `*` for all. An existing role is replaced.
    ///
    /// ```
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// stytch.role("sso_editor", &[("stytch.sso", &["update"])]);
    /// ```
    pub fn role(&self, role_id: &str, permissions: &[(&str, &[&str])]) {
        let role = Role::new(role_id, permissions);
        self.project.state().policy.define(role);
    }

    /// The organization of that slug, which is created where there is none.
    #[must_use]
    pub fn organization(&self, slug: &str) -> Organization {
        Organization::find_or_create(&self.project, slug)
    }

    /// The key that signs JWTs now.
    #[must_use]
    pub fn key(&self) -> Key {
        self.project.state().signing_key()
    }

    /// Signs with a new key from now on, and keeps publishing the old ones, as Stytch does
    /// for about a month.
    pub fn rotate_keys(&self) {
        let made = {
            let mut state = self.project.state();
            state.keys_made += 1;
            state.keys_made - 1
        };
        // Not under the lock: making a key may take long, and requests would wait for it.
        let key = Key::of_project(made, self.project.environment);
        self.project.state().keys.push(key);
    }

    /// Takes all keys but the newest off the key set: the overlap is over.
    pub fn drop_old_keys(&self) {
        let mut state = self.project.state();
        let old = state.keys.len() - 1;
        state.keys.drain(..old);
    }

    /// Scripts a fault for the requests of one operation, until it is
    /// [cleared](ScriptedFault::clear) or for the next [few](ScriptedFault::times).
    #[expect(clippy::must_use_candidate, reason = "the handle is rarely needed")]
    pub fn fault(&self, operation: Operation, fault: Fault) -> ScriptedFault {
        self.project.script.add(operation, fault)
    }

    /// Ends all scripted faults.
    pub fn clear_faults(&self) {
        self.project.script.clear();
    }

    /// How many requests there were for an operation, refused and faulty ones included.
    #[must_use]
    pub fn count(&self, operation: Operation) -> u64 {
        self.project.log.counted(operation)
    }

    /// How many updates were accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.project.log.accepted()
    }

    /// The latest updates that were accepted, oldest first, 10,000 unless
    /// [configured](StytchBuilder::updates_kept).
    #[must_use]
    pub fn updates(&self) -> Vec<Update> {
        self.project.log.updates()
    }

    /// The latest requests that were answered, oldest first, 1,000 unless
    /// [configured](StytchBuilder::requests_kept). A delayed request whose caller gave up is
    /// counted and not listed here.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.project.log.requests()
    }
}

/// Shows where and which project it is, not its secret.
impl fmt::Debug for Stytch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stytch")
            .field("base_url", &self.base_url())
            .field("project_id", &self.project.id)
            .finish_non_exhaustive()
    }
}

/// The configuration of a stand-in.
///
/// ```
/// use stytch_sso_external::testing::Stytch;
///
/// let stytch = Stytch::builder()
///     .project_id("project-live-1")
///     .secret("secret")
///     .start();
/// assert_eq!(stytch.project_id(), "project-live-1");
/// ```
#[must_use]
pub struct StytchBuilder {
    pub(super) project_id: String,
    pub(super) secret: String,
    pub(super) clock: Clock,
    pub(super) jwt_lifetime: Duration,
    pub(super) requests_kept: usize,
    pub(super) updates_kept: usize,
}

impl StytchBuilder {
    /// Sets the project's id. Ids of a `project-live-` are live ones throughout.
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = project_id.into();
        self
    }

    /// Sets the project's secret.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = secret.into();
        self
    }

    /// Takes a clock of the tester's, to share one among several stand-ins.
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Sets how long a session JWT lives, instead of five minutes.
    pub fn jwt_lifetime(mut self, lifetime: Duration) -> Self {
        self.jwt_lifetime = lifetime;
        self
    }

    /// Sets how many requests [`Stytch::requests`] remembers.
    pub fn requests_kept(mut self, requests: usize) -> Self {
        self.requests_kept = requests;
        self
    }

    /// Sets how many updates [`Stytch::updates`] remembers.
    pub fn updates_kept(mut self, updates: usize) -> Self {
        self.updates_kept = updates;
        self
    }

    /// Starts the stand-in.
    #[must_use]
    pub fn start(self) -> Stytch {
        let project = Arc::new(Project::new(self));
        let lease = Arc::new(Lease::take(Arc::clone(&project)));
        Stytch { project, lease }
    }
}

impl Default for StytchBuilder {
    fn default() -> Self {
        Self {
            project_id: id("project", "test"),
            secret: format!("secret-test-{}", random_token()),
            clock: Clock::stopped(),
            jwt_lifetime: Duration::from_secs(5 * 60),
            requests_kept: 1_000,
            updates_kept: 10_000,
        }
    }
}

/// Shows the project's id, not its secret.
impl fmt::Debug for StytchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StytchBuilder")
            .field("project_id", &self.project_id)
            .finish_non_exhaustive()
    }
}
