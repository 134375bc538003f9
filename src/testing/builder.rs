//! How a stand-in is configured before it starts.

use std::{fmt, sync::Arc, time::Duration};

use super::{Stytch, id, project::Project, random_token, server::Lease};
use crate::clock::Clock;

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
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use stytch_sso_external::testing::{Clock, Stytch};
    ///
    /// let clock = Clock::stopped_at(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    /// let [here, there] = [(); 2].map(|()| Stytch::builder().clock(&clock).start());
    /// clock.advance(Duration::from_secs(300));
    /// assert_eq!(here.clock().now(), there.clock().now());
    /// ```
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
        Stytch::new(project, lease)
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
