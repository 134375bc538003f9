//! Faults: what the stand-in answers instead. `script.rs` knows whose turn it is.
//!
//! A fault stands where a gateway would: it answers before credentials are looked at.

use std::{fmt, sync::Arc, time::Duration};

use super::{Answer, SeenRequest, responses};
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
    ///
    /// ```
    /// use stytch_sso_external::testing::{Answer, Fault, responses};
    ///
    /// let suspended = Fault::answer(Answer::error(&responses::organization_suspended()));
    /// let redirect = Fault::answer(Answer::new(307, "").header("location", "https://example.com"));
    /// # _ = (suspended, redirect);
    /// ```
    #[must_use]
    pub fn answer(answer: Answer) -> Self {
        Self::new(Kind::Answer(answer))
    }

    /// An answer computed from the request, whose `status` is still 0.
    ///
    /// It runs on the one thread that serves all stand-ins of the process, so it must not
    /// block: [`delay`](Self::delay) is for that.
    ///
    /// ```
    /// use stytch_sso_external::testing::{Answer, Fault, Operation, Stytch, responses};
    ///
    /// # let stytch = Stytch::start();
    /// let fault = Fault::respond(|request| {
    ///     let error = match &request.body {
    ///         Some(body) if body["display_name"].is_string() => responses::invalid_display_name(),
    ///         _ => responses::connection_not_active(),
    ///     };
    ///     Answer::error(&error)
    /// });
    /// stytch.fault(Operation::Update, fault);
    /// ```
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
    ///
    /// ```
    /// use stytch_sso_external::{
    ///     Outcome, Session,
    ///     testing::{Fault, Operation, Stytch},
    ///     types::UpdateExternalConnectionRequest,
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let stytch = Stytch::start();
    /// # let acme = stytch.organization("acme");
    /// # let connection = acme.connection("Acme Okta");
    /// # let ada = acme.member("ada", &["stytch_admin"]).log_in();
    /// # let member = stytch.client().as_member(Session::jwt(ada.jwt()));
    /// # let rename = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
    /// stytch.fault(Operation::Update, Fault::status(500).after_applying()).times(1);
    /// let error = member.update_connection(connection.id(), &rename).await.unwrap_err();
    /// assert_eq!(error.outcome(), Outcome::Unknown);
    /// assert_eq!(connection.state().display_name, "Acme SSO");
    /// # }
    /// ```
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

    pub(super) fn delays_by(&self) -> Option<Duration> {
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
