//! The configuration of a fake, and its start.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    project::{Project, Settings},
    server::Lease,
    stytch::Stytch,
};
use crate::sync::Clock;

/// Configures and starts a [`Stytch`]. Obtained from [`Stytch::builder`].
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
#[derive(Default)]
#[must_use]
pub struct StytchBuilder(Settings);

impl StytchBuilder {
    /// Sets the project id. Default: a random one of the test environment. The ids of a
    /// `project-live-` project are those of the live environment.
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.0.project_id = project_id.into();
        self
    }

    /// Sets the project secret. Default: a random one.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.0.secret = secret.into();
        self
    }

    /// Uses this clock, for example to share one among several fakes. Default: a new one.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use stytch_sso_external::testing::{Clock, Stytch};
    ///
    /// let clock = Clock::stopped_at(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    /// let [first, second] = [(); 2].map(|()| Stytch::builder().clock(&clock).start());
    /// clock.advance(Duration::from_secs(300));
    /// assert_eq!(first.clock().now(), second.clock().now());
    /// ```
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.0.clock = clock.clone();
        self
    }

    /// Sets how long a session JWT is valid. Default: 5 minutes, as Stytch's.
    pub fn jwt_lifetime(mut self, lifetime: Duration) -> Self {
        self.0.jwt_lifetime = lifetime;
        self
    }

    /// Sets how many requests [`Stytch::requests`] keeps. Default: 1,000.
    pub fn requests_kept(mut self, requests: usize) -> Self {
        self.0.requests_kept = requests;
        self
    }

    /// Sets how many updates [`Stytch::updates`] keeps. Default: 10,000.
    pub fn updates_kept(mut self, updates: usize) -> Self {
        self.0.updates_kept = updates;
        self
    }

    /// Starts the fake.
    pub fn start(self) -> Stytch {
        let project = Arc::new(Project::new(self.0));
        let lease = Lease::take(Arc::clone(&project) as _);
        Stytch::new(project, lease)
    }
}

impl Stytch {
    /// Starts a fake with a new project.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Returns a builder for a fake.
    pub fn builder() -> StytchBuilder {
        StytchBuilder::default()
    }
}

/// Shows the project id, not the secret.
impl fmt::Debug for StytchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StytchBuilder")
            .field("project_id", &self.0.project_id)
            .finish_non_exhaustive()
    }
}
