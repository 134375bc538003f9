//! [`Stytch`]: an in-process fake with one project.

use std::{fmt, sync::Arc};

use super::{
    fault::Fault,
    jwt::Key,
    log::{SeenRequest, Update},
    organization::Organization,
    project::Project,
    rbac::Role,
    script::ScriptedFault,
    server::{self, Lease},
};
use crate::{Client, ClientBuilder, sync::Clock, wire::Operation};

/// An in-process fake of Stytch with one project. Listens on loopback until the last clone is
/// dropped.
///
/// It starts with the default roles `stytch_member` and `stytch_admin` and nothing else.
/// Every method can be called while requests are served. The first fake of a process generates
/// an RSA key; starting another takes microseconds.
///
/// ```
/// use stytch_sso_external::{Operation, testing::Stytch};
///
/// let stytch = Stytch::start();
/// let acme = stytch.organization("acme");
/// let connection = acme.connection("Acme Okta");
/// let ada = acme.member("ada", &["stytch_admin"]).log_in();
///
/// // Run the code under test with `ada.jwt()`, then check `connection.state()`,
/// // `stytch.updates()` and the counters.
/// assert_eq!(stytch.count(Operation::UpdateExternalConnection), 0);
/// # _ = (connection, ada);
/// ```
#[derive(Clone)]
pub struct Stytch {
    project: Arc<Project>,
    lease: Arc<Lease>,
}

impl Stytch {
    pub(super) fn new(project: Arc<Project>, lease: Lease) -> Self {
        Self { project, lease: Arc::new(lease) }
    }

    /// Returns a client for this project that uses the fake's clock.
    ///
    /// # Panics
    ///
    /// Panics if the HTTP client can't be built, which no setting of the fake causes.
    pub fn client(&self) -> Client {
        self.client_builder().build().expect("the settings of the fake are valid")
    }

    /// Returns the builder of that client, for further settings.
    ///
    /// ```
    /// use stytch_sso_external::RetryPolicy;
    ///
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// let client = stytch.client_builder().retry(RetryPolicy::disabled()).build()?;
    /// # _ = client;
    /// # Ok::<(), stytch_sso_external::BuildError>(())
    /// ```
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder(self.project_id(), self.secret())
            .base_url(self.base_url())
            .clock(self.clock().clone())
    }

    /// Returns the project id.
    pub fn project_id(&self) -> &str {
        &self.project.id
    }

    /// Returns the project secret.
    pub fn secret(&self) -> &str {
        &self.project.secret
    }

    /// Returns the base URL of the fake, without a slash at the end.
    pub fn base_url(&self) -> String {
        server::base_url(self.lease.id())
    }

    /// Returns the clock by which sessions and JWTs expire. It stands still until a test
    /// advances it.
    pub fn clock(&self) -> &Clock {
        &self.project.clock
    }

    /// Defines a custom role of the project: resources and the actions that the role grants on
    /// them, `*` for all. Replaces a role of the same id.
    ///
    /// ```
    /// # let stytch = stytch_sso_external::testing::Stytch::start();
    /// stytch.role("sso_editor", &[("stytch.sso", &["update"])]);
    /// ```
    pub fn role(&self, role_id: &str, permissions: &[(&str, &[&str])]) {
        let role = Role::new(role_id, permissions);
        self.project.state().policy.define(role);
    }

    /// Returns the organization with that slug, and creates it if there is none.
    pub fn organization(&self, slug: &str) -> Organization {
        Organization::find_or_create(&self.project, slug)
    }

    /// Returns the key that signs JWTs now.
    pub fn key(&self) -> Key {
        self.project.state().signing_key()
    }

    /// Adds a key that signs from now on. The old ones stay in the JWKS, as Stytch keeps them
    /// for about a month.
    ///
    /// ```
    /// # use stytch_sso_external::{Operation, Session, testing::Stytch};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), stytch_sso_external::Error> {
    /// # let stytch = Stytch::start();
    /// # let ada = stytch.organization("acme").member("ada", &[]).log_in();
    /// let client = stytch.client();
    /// client.warm_up().await?;
    /// stytch.rotate_keys();
    /// // Signed by a key that the client doesn't have: it fetches the JWKS again.
    /// client.as_member(Session::jwt(ada.fresh_jwt())).organization_id().await?;
    /// assert_eq!(stytch.count(Operation::GetJwks), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rotate_keys(&self) {
        let made = {
            let mut state = self.project.state();
            state.keys_made += 1;
            state.keys_made - 1
        };
        // Not under the lock: generating a key is slow, and requests would wait for it.
        let key = Key::of_project(made, self.project.environment);
        self.project.state().keys.push(key);
    }

    /// Removes all keys but the newest from the JWKS, as Stytch does at the end of a rotation.
    pub fn drop_old_keys(&self) {
        let mut state = self.project.state();
        let old = state.keys.len() - 1;
        state.keys.drain(..old);
    }

    /// Scripts a fault for the requests of an operation, until it is
    /// [cleared](ScriptedFault::clear) or for a [number of requests](ScriptedFault::times).
    #[expect(clippy::must_use_candidate, reason = "the handle is rarely needed")]
    pub fn fault(&self, operation: Operation, fault: Fault) -> ScriptedFault {
        self.project.script.add(operation, fault)
    }

    /// Ends all scripted faults.
    pub fn clear_faults(&self) {
        self.project.script.clear();
    }

    /// Returns how many requests of an operation were received, including failed ones.
    pub fn count(&self, operation: Operation) -> u64 {
        self.project.log.counted(operation)
    }

    /// Returns how many updates were applied.
    pub fn accepted(&self) -> u64 {
        self.project.log.accepted()
    }

    /// Returns the latest updates that were applied, oldest first: at most 10,000, or
    /// [`updates_kept`](super::StytchBuilder::updates_kept).
    pub fn updates(&self) -> Vec<Update> {
        self.project.log.updates()
    }

    /// Returns the latest requests, oldest first: at most 1,000, or
    /// [`requests_kept`](super::StytchBuilder::requests_kept). A delayed request whose caller
    /// gave up is counted but not listed.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.project.log.requests()
    }
}

/// Shows the base URL and the project id, not the secret.
impl fmt::Debug for Stytch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stytch")
            .field("base_url", &self.base_url())
            .field("project_id", &self.project.id)
            .finish_non_exhaustive()
    }
}
