//! Scripted faults: what the stand-in answers instead, for which operation, how often.
//!
//! A fault stands where a gateway would: it answers before credentials are looked at.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Answer, Operation, SeenRequest, lock, responses, server};
use crate::generated::types;

/// A misbehaviour to script with [`Stytch::fault`](super::Stytch::fault).
///
/// ```
/// use std::time::Duration;
/// use stytch_sso_external::testing::{Fault, Operation, Stytch};
///
/// let stytch = Stytch::start();
/// // The next two updates are refused, the third one is answered.
/// stytch.fault(Operation::Update, Fault::rate_limited().retry_after("1")).times(2);
/// // No keys until the outage is cleared.
/// let outage = stytch.fault(Operation::Jwks, Fault::status(503));
/// outage.clear();
/// ```
#[derive(Clone)]
pub struct Fault {
    kind: Kind,
    applied: bool,
}

#[derive(Clone)]
enum Kind {
    Answer(Answer),
    Respond(Arc<dyn Fn(&SeenRequest) -> Answer + Send + Sync>),
    Delay(Duration),
}

impl Fault {
    /// 429 `too_many_requests`, without a `Retry-After` header until
    /// [`retry_after`](Self::retry_after) adds one.
    #[must_use]
    pub fn rate_limited() -> Self {
        Self::answer(Answer::error(&responses::rate_limited()))
    }

    /// A status of 400 or more, with an error in Stytch's JSON.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let error = match status {
            429 => responses::rate_limited(),
            503 => responses::server_unavailable(),
            _ => generic_error(status),
        };
        Self::answer(Answer::error(&error))
    }

    /// A status with a page of HTML, as gateways and firewalls answer.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let page = format!("<html><body><h1>{status}</h1></body></html>");
        Self::answer(Answer::html(status, &page))
    }

    /// Any answer.
    #[must_use]
    pub fn answer(answer: Answer) -> Self {
        Self::new(Kind::Answer(answer))
    }

    /// An answer computed from the request, whose `status` is still 0.
    ///
    /// It runs on the one thread that serves all stand-ins of the process, so it must not
    /// block: [`delay`](Self::delay) is for that.
    #[must_use]
    pub fn respond(hook: impl Fn(&SeenRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self::new(Kind::Respond(Arc::new(hook)))
    }

    /// The usual answer, or that of another fault, this much later, in real time. Other
    /// requests aren't held up.
    #[must_use]
    pub fn delay(by: Duration) -> Self {
        Self::new(Kind::Delay(by))
    }

    /// Adds a `Retry-After` header, in seconds or as an HTTP date. It does nothing for a
    /// fault whose answer is computed.
    #[must_use]
    pub fn retry_after(mut self, value: &str) -> Self {
        if let Kind::Answer(answer) = self.kind {
            self.kind = Kind::Answer(answer.header("retry-after", value));
        }
        self
    }

    /// The request is carried out first, and only its answer is lost: what a caller can't
    /// tell from a failure.
    #[must_use]
    pub fn after_applying(mut self) -> Self {
        self.applied = true;
        self
    }

    fn new(kind: Kind) -> Self {
        Self { kind, applied: false }
    }

    pub(super) fn is_after_applying(&self) -> bool {
        self.applied
    }

    /// What it answers, or `None` where it only delays.
    pub(super) fn answer_to(&self, request: &SeenRequest) -> Option<Answer> {
        match &self.kind {
            Kind::Answer(answer) => Some(answer.clone()),
            Kind::Respond(hook) => Some(hook(request)),
            Kind::Delay(_) => None,
        }
    }

    fn delays_by(&self) -> Option<Duration> {
        match self.kind {
            Kind::Delay(by) => Some(by),
            _ => None,
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Answer(answer) => write!(f, "Fault({answer:?})"),
            Kind::Respond(_) => f.write_str("Fault(respond)"),
            Kind::Delay(by) => write!(f, "Fault(delay {by:?})"),
        }
    }
}

/// A fault that [`Stytch::fault`](super::Stytch::fault) has scripted. Dropping it changes
/// nothing.
#[derive(Clone)]
pub struct ScriptedFault {
    script: Arc<Script>,
    id: u64,
}

impl ScriptedFault {
    /// Limits the fault to the next `n` requests, those included that have met it already.
    /// Faults of one operation take their turns in the order in which they were scripted;
    /// delays come on top.
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

    /// How many requests have met it.
    #[must_use]
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

/// The faults of one stand-in, in the order in which they were scripted.
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

    /// Takes the delays off the server, when the stand-in is gone.
    pub(super) fn retire(&self) {
        let delays: Vec<_> =
            lock(&self.entries).iter_mut().filter_map(|entry| entry.delay.take()).collect();
        // Only now that the lock is given back: ending one waits for the server, which may
        // be waiting for this lock.
        drop(delays);
    }

    /// Takes the delay whose turn it is.
    pub(super) fn next_delay(&self, operation: Operation) -> Option<u64> {
        self.next(operation, true).map(|(id, _)| id)
    }

    /// Takes the answer whose turn it is.
    pub(super) fn next_answer(&self, operation: Operation) -> Option<Fault> {
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

fn generic_error(status: u16) -> types::Error {
    assert!(
        (400..600).contains(&status),
        "Fault::status({status}): only 400 to 599 are errors; use Fault::answer for others"
    );
    if status >= 500 {
        let message = responses::internal_server_error().error_message;
        responses::error(status, "internal_server_error", &message.unwrap_or_default())
    } else {
        responses::error(status, "bad_request", "The request was refused.")
    }
}
