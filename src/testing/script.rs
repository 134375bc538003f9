//! The scripted faults, in order, and which of them the next request gets.
//!
//! What a fault responds with is in `fault.rs`.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use super::{fault::Fault, server};
use crate::{sync::lock, wire::Operation};

/// A fault that [`Stytch::fault`](super::Stytch::fault) has scripted. Dropping it changes
/// nothing.
///
/// ```
/// use stytch_sso_external::{Operation, testing::{Fault, Stytch}};
///
/// let stytch = Stytch::start();
/// let outage = stytch.fault(Operation::UpdateExternalConnection, Fault::html(502)).times(3);
/// // Run the code under test, then check how many of its requests failed.
/// assert_eq!(outage.hits(), 0);
/// outage.clear();
/// ```
#[derive(Clone)]
pub struct ScriptedFault {
    script: Arc<Script>,
    id: u64,
}

impl ScriptedFault {
    /// Limits the fault to `n` requests, including those that have met it already.
    ///
    /// Faults of one operation are used up in the order in which they were scripted. A delay is
    /// added to another fault.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "the fault is scripted already; the handle is rarely needed"
    )]
    pub fn times(self, n: u64) -> Self {
        self.script.edit(self.id, |entry| entry.remaining = n.saturating_sub(entry.hits));
        self
    }

    /// Ends the fault.
    pub fn clear(&self) {
        self.script.edit(self.id, |entry| entry.remaining = 0);
    }

    /// Returns how many requests have met the fault.
    pub fn hits(&self) -> u64 {
        let entries = lock(&self.script.entries);
        let entry = entries.iter().find(|entry| entry.id == self.id);
        entry.map_or(0, |entry| entry.hits)
    }
}

impl fmt::Debug for ScriptedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedFault").field("hits", &self.hits()).finish_non_exhaustive()
    }
}

/// The faults of one fake, in the order in which they were scripted.
#[derive(Default)]
pub(super) struct Script {
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    id: u64,
    operation: Operation,
    fault: Fault,
    remaining: u64,
    hits: u64,
    delay: Option<server::Delay>,
}

impl Script {
    pub(super) fn add(self: &Arc<Self>, operation: Operation, fault: Fault) -> ScriptedFault {
        let id = server::next_id();
        // Before the entry exists, so that a request that claims the delay finds its mock.
        let delay = fault.delays_by().map(|by| server::Delay::start(id, by));
        lock(&self.entries).push(Entry {
            id,
            operation,
            fault,
            remaining: u64::MAX,
            hits: 0,
            delay,
        });
        ScriptedFault { script: Arc::clone(self), id }
    }

    /// Ends all faults.
    pub(super) fn clear(&self) {
        for entry in lock(&self.entries).iter_mut() {
            entry.remaining = 0;
        }
    }

    /// Removes the delays from the server, after the fake was dropped.
    pub(super) fn retire(&self) {
        let delays: Vec<_> =
            lock(&self.entries).iter_mut().filter_map(|entry| entry.delay.take()).collect();
        // Only after the lock is released: dropping one waits for the server, which may be
        // waiting for this lock.
        drop(delays);
    }

    /// Claims the next delay, by its id.
    pub(super) fn next_delay(&self, operation: Operation) -> Option<u64> {
        self.next(operation, true).map(|(id, _)| id)
    }

    /// Claims the next fault that has a response.
    pub(super) fn next_response(&self, operation: Operation) -> Option<Fault> {
        self.next(operation, false).map(|(_, fault)| fault)
    }

    fn next(&self, operation: Operation, delays: bool) -> Option<(u64, Fault)> {
        let mut entries = lock(&self.entries);
        let entry = entries.iter_mut().find(|entry| {
            entry.operation == operation
                && entry.remaining > 0
                && entry.fault.delays_by().is_some() == delays
        })?;
        entry.remaining -= 1;
        entry.hits += 1;
        Some((entry.id, entry.fault.clone()))
    }

    fn edit(&self, id: u64, change: impl FnOnce(&mut Entry)) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.id == id) {
            change(entry);
        }
    }
}
