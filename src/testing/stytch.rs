//! The stand-in itself: a project of Stytch's, in the process.

use std::{fmt, sync::Arc};

use super::{
    Fault, Operation, Organization, ScriptedFault, SeenRequest, StytchBuilder, Update,
    jwt::Key,
    project::Project,
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

    pub(super) fn new(project: Arc<Project>, lease: Arc<Lease>) -> Self {
        Self { project, lease }
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
    ///
    /// ```
    /// use stytch_sso_external::RetryPolicy;
    ///
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// let client = stytch.client_builder().retry(RetryPolicy::off()).build()?;
    /// # _ = client;
    /// # Ok::<(), stytch_sso_external::BuildError>(())
    /// ```
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
    ///
    /// ```
    /// # use stytch_sso_external::{Session, testing::{Operation, Stytch}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), stytch_sso_external::Error> {
    /// # let stytch = Stytch::start();
    /// # let ada = stytch.organization("acme").member("ada", &[]).log_in();
    /// let client = stytch.client();
    /// client.warm_up().await?;
    /// stytch.rotate_keys();
    /// // Signed by a key that the client has never seen: it fetches the keys once more.
    /// client.as_member(Session::jwt(ada.fresh_jwt())).organization_id().await?;
    /// assert_eq!(stytch.count(Operation::Jwks), 2);
    /// # Ok(())
    /// # }
    /// ```
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
