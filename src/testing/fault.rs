//! Faults: what the fake responds with instead. `script.rs` selects the fault of a request.
//!
//! A fault acts like a gateway in front of Stytch: it responds before credentials are checked.

use std::{fmt, sync::Arc, time::Duration};

use super::{log::SeenRequest, response::Response, responses};
use crate::wire::types;

/// A failure to script with [`Stytch::fault`](super::Stytch::fault).
///
/// ```
/// use std::time::Duration;
/// use stytch_sso_external::{Operation, testing::{Fault, Stytch}};
///
/// let stytch = Stytch::start();
/// // The next two updates fail, the third one succeeds.
/// stytch.fault(Operation::UpdateExternalConnection, Fault::rate_limited().retry_after("1")).times(2);
/// // Every JWKS request fails until the outage is cleared.
/// let outage = stytch.fault(Operation::GetJwks, Fault::status(503));
/// outage.clear();
/// ```
#[derive(Clone)]
pub struct Fault {
    kind: Kind,
    applied: bool,
}

#[derive(Clone)]
enum Kind {
    Response(Response),
    Respond(Arc<dyn Fn(&SeenRequest) -> Response + Send + Sync>),
    Delay(Duration),
    Disconnect,
}

impl Fault {
    /// Responds with 429 `too_many_requests`, without a `Retry-After` header unless
    /// [`retry_after`](Self::retry_after) adds one.
    #[must_use]
    pub fn rate_limited() -> Self {
        Self::response(Response::error(&responses::rate_limited()))
    }

    /// Responds with a status of 400 or more and an error in Stytch's JSON.
    ///
    /// # Panics
    ///
    /// Panics if the status isn't from 400 to 599.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let error = match status {
            429 => responses::rate_limited(),
            503 => responses::server_unavailable(),
            _ => generic_error(status),
        };
        Self::response(Response::error(&error))
    }

    /// Responds with an HTML page, as gateways and firewalls do.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let page = format!("<html><body><h1>{status}</h1></body></html>");
        Self::response(Response::html(status, &page))
    }

    /// Responds with any response.
    ///
    /// ```
    /// use stytch_sso_external::testing::{Fault, Response, responses};
    ///
    /// let suspended = Fault::response(Response::error(&responses::organization_suspended()));
    /// let redirect = Fault::response(Response::new(307, "").header("location", "https://example.com"));
    /// # _ = (suspended, redirect);
    /// ```
    #[must_use]
    pub fn response(response: Response) -> Self {
        Self::new(Kind::Response(response))
    }

    /// Computes the response from the request, whose `status` is still 0.
    ///
    /// The hook runs on the one thread that serves all fakes of the process, so it must not
    /// block: use [`delay`](Self::delay) for that.
    ///
    /// ```
    /// use stytch_sso_external::{Operation, testing::{Fault, Response, Stytch, responses}};
    ///
    /// # let stytch = Stytch::start();
    /// let fault = Fault::respond(|request| {
    ///     let error = match &request.body {
    ///         Some(body) if body["display_name"].is_string() => responses::invalid_display_name(),
    ///         _ => responses::connection_not_active(),
    ///     };
    ///     Response::error(&error)
    /// });
    /// stytch.fault(Operation::UpdateExternalConnection, fault);
    /// ```
    pub fn respond(hook: impl Fn(&SeenRequest) -> Response + Send + Sync + 'static) -> Self {
        Self::new(Kind::Respond(Arc::new(hook)))
    }

    /// Delays the usual response, or that of another fault, in real time. Doesn't delay other
    /// requests.
    #[must_use]
    pub fn delay(by: Duration) -> Self {
        Self::new(Kind::Delay(by))
    }

    /// Closes the connection without a response. With [`after_applying`](Self::after_applying), the
    /// request is applied first.
    ///
    /// ```
    /// use stytch_sso_external::{
    ///     ErrorKind, Operation, Outcome, RetryPolicy, Session,
    ///     testing::{Fault, Stytch},
    ///     types::UpdateExternalConnectionRequest,
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let stytch = Stytch::start();
    /// # let acme = stytch.organization("acme");
    /// # let connection = acme.connection("Acme Okta");
    /// # let ada = acme.member("ada", &["stytch_admin"]).log_in();
    /// # let client = stytch.client_builder().retry(RetryPolicy::disabled()).build().unwrap();
    /// # let member = client.as_member(Session::jwt(ada.jwt()));
    /// # let rename = UpdateExternalConnectionRequest::default().display_name("Acme SSO");
    /// let fault = Fault::disconnect().after_applying();
    /// stytch.fault(Operation::UpdateExternalConnection, fault);
    /// let error = member.update_connection(connection.id(), &rename).await.unwrap_err();
    /// assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown));
    /// assert_eq!(connection.state().display_name, "Acme SSO");
    /// # }
    /// ```
    #[must_use]
    pub fn disconnect() -> Self {
        Self::new(Kind::Disconnect)
    }

    /// Adds a `Retry-After` header, in seconds or as an HTTP date. Has no effect on a fault
    /// whose response is computed, and on a delay.
    ///
    /// A client with the fake's clock, or another stopped one, retries without waiting for it.
    #[must_use]
    pub fn retry_after(mut self, value: &str) -> Self {
        if let Kind::Response(response) = self.kind {
            self.kind = Kind::Response(response.header("retry-after", value));
        }
        self
    }

    /// Applies the request first and loses only the response: a caller can't distinguish that
    /// from an update that failed.
    ///
    /// ```
    /// use stytch_sso_external::{
    ///     Operation, Outcome, Session,
    ///     testing::{Fault, Stytch},
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
    /// stytch.fault(Operation::UpdateExternalConnection, Fault::status(500).after_applying()).times(1);
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

    pub(super) fn is_disconnect(&self) -> bool {
        matches!(self.kind, Kind::Disconnect)
    }

    /// Returns the response to a request, or `None` for a delay and for a closed connection.
    pub(super) fn response_to(&self, request: &SeenRequest) -> Option<Response> {
        match &self.kind {
            Kind::Response(response) => Some(response.clone()),
            Kind::Respond(hook) => Some(hook(request)),
            Kind::Delay(_) | Kind::Disconnect => None,
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
            Kind::Response(response) => write!(f, "Fault({response:?})"),
            Kind::Respond(_) => f.write_str("Fault(respond)"),
            Kind::Delay(by) => write!(f, "Fault(delay {by:?})"),
            Kind::Disconnect => f.write_str("Fault(disconnect)"),
        }
    }
}

fn generic_error(status: u16) -> types::ErrorBody {
    assert!(
        (400..600).contains(&status),
        "Fault::status({status}): expected a status from 400 to 599; use Fault::response for others"
    );
    if status >= 500 {
        let message = responses::internal_server_error().error_message;
        responses::error(status, "internal_server_error", &message.unwrap_or_default())
    } else {
        responses::error(status, "bad_request", "The request was rejected.")
    }
}
