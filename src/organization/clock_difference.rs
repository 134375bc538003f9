//! The difference between the machine's clock and Stytch's, taken from the `iat` of the session
//! JWTs that `sessions/authenticate` returns.
//!
//! A clock behind Stytch's is corrected: it would show an expired JWT as valid. A clock ahead of
//! it isn't, since a response that took long, or a JWT that was issued earlier, looks the same;
//! it only makes JWTs expire early, and they are renewed.

use std::{
    sync::Mutex,
    time::{Duration, SystemTime},
};

use crate::sync::{Clock, lock};

pub(crate) struct ClockDifference {
    clock: Clock,
    /// A difference up to this one is no reason for a warning.
    leeway: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    behind: Duration,
    warned: Option<SystemTime>,
}

impl ClockDifference {
    pub(crate) fn new(clock: Clock, leeway: Duration) -> Self {
        Self { clock, leeway, state: Mutex::default() }
    }

    /// The time at Stytch, as far as it is known.
    pub(crate) fn stytch_now(&self) -> SystemTime {
        self.clock.now() + lock(&self.state).behind
    }

    /// Learns from a JWT that Stytch returned for a request that began at `requested`.
    pub(crate) fn observe(&self, issued: SystemTime, requested: SystemTime) {
        let now = self.clock.now();
        let behind = issued.duration_since(now).unwrap_or_default();
        let ahead = requested.duration_since(issued).unwrap_or_default();
        let mut state = lock(&self.state);
        state.behind = behind.min(LONGEST);
        if behind.max(ahead) <= self.leeway
            || state.warned.is_some_and(|at| self.clock.age(at) < WARNING_INTERVAL)
        {
            return;
        }
        state.warned = Some(now);
        // A subscriber may block.
        drop(state);
        let direction = if behind > ahead { "behind" } else { "ahead of" };
        tracing::warn!(
            difference = ?behind.max(ahead),
            "this machine's clock is {direction} Stytch's: session JWTs are renewed more often"
        );
    }
}

const WARNING_INTERVAL: Duration = Duration::from_secs(60);
/// Upper bound: the `iat` of a JWT may be so late that adding it to a time would overflow.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
