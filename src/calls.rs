//! What every call to Stytch needs, whoever makes it: the wire, how often to try, for how
//! long, and what time it is. One of them serves a whole client.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::Clock,
    deadline::Deadline,
    retry::{Attempts, RetryPolicy},
    wire::Wire,
};

#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) wire: Arc<Wire>,
    pub(crate) policy: RetryPolicy,
    /// The time for a whole call.
    pub(crate) deadline: Duration,
    pub(crate) clock: Clock,
}

impl Calls {
    /// When a call that begins now has ended.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// The attempts of a call that begins now.
    pub(crate) fn attempts(&self) -> Attempts<'_> {
        Attempts::new(&self.policy, self.deadline())
    }
}
