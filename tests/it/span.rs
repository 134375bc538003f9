//! The spans and events of a call, with OpenTelemetry's attribute names.

use tracing::{
    Event, Level,
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
    registry::SpanRef,
};

use crate::support::{
    capture::{Capture, Fields},
    prelude::*,
};

/// The fields of a call's response.
const RESPONSE: [&str; 3] =
    ["http.response.status_code", "stytch.request_id", "http.request.resend_count"];
const PUT: &str = "PUT /v1/b2b/sso/external/{organization_id}/connections/{connection_id}";
const LIST: &str = "GET /v1/b2b/sso/{organization_id}";
const POST: &str = "POST /v1/b2b/sessions/authenticate";

#[tokio::test]
async fn call_is_one_span_with_status_request_id_and_error_type() {
    let Fixture { acme, ada, spans, _guard } = Fixture::new(jwt_of);
    let bob = acme.as_member(jwt_of(&acme.log_in("bob", &[])));
    let response = ada.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap();
    let error = acme.rename(&bob).await.unwrap_err();
    let _ = acme.stytch.fault(UPDATE, Fault::status(503));
    acme.rename(&ada).await.unwrap_err();

    let [applied, denied, failed] = &spans.named(PUT)[..] else { panic!("three spans") };
    let port = acme.stytch.base_url().split([':', '/']).nth(4).unwrap().to_owned();
    for span in [applied, denied, failed] {
        span.assert(&[
            ("otel.kind", "client"),
            ("http.request.method", "PUT"),
            ("url.template", PUT.strip_prefix("PUT ").unwrap()),
            ("server.address", "127.0.0.1"),
            ("server.port", &port),
        ]);
        assert!(span.parent.is_none());
    }
    applied.assert(&[
        ("http.response.status_code", "200"),
        ("stytch.request_id", &response.request_id),
    ]);
    applied.assert_absent(&["error.type", "otel.status_code", "http.request.resend_count"]);
    denied.assert(&[
        ("http.response.status_code", "403"),
        ("stytch.request_id", error.request_id().unwrap()),
        ("error.type", "session_authorization_error"),
        ("otel.status_code", "ERROR"),
    ]);
    failed.assert(&[
        ("http.response.status_code", "503"),
        ("error.type", "server_unavailable"),
        ("otel.status_code", "ERROR"),
        ("http.request.resend_count", "4"),
    ]);
}

#[tokio::test]
async fn authenticate_inside_an_update_is_a_child_span_with_its_own_attributes() {
    let Fixture { acme, ada, spans, _guard } = Fixture::new(token_of);
    acme.rename(&ada).await.unwrap();
    let [update, authenticate] = &spans.calls()[..] else { panic!("two spans") };
    update.assert(&[("otel.name", PUT)]);
    assert_eq!(authenticate.parent, Some(update.number));
    authenticate.assert(&[
        ("otel.name", POST),
        ("http.request.method", "POST"),
        ("url.template", POST.strip_prefix("POST ").unwrap()),
        ("http.response.status_code", "200"),
    ]);
    assert_ne!(authenticate.fields.0["stytch.request_id"], update.fields.0["stytch.request_id"]);
}

#[tokio::test]
async fn shared_request_has_one_span_in_the_call_that_started_it() {
    let Fixture { acme, spans, _guard, .. } = Fixture::new(token_of);
    let client = acme.stytch.client();
    let members = [(); 2].map(|()| client.as_member(acme.token()));
    let (first, second) = tokio::join!(acme.rename(&members[0]), acme.rename(&members[1]));
    first.unwrap();
    second.unwrap();
    let ([shared], [first, _]) = (&spans.named(POST)[..], &spans.named(PUT)[..]) else {
        panic!("a shared span and two updates")
    };
    // The first one was polled first.
    assert_eq!(shared.parent, Some(first.number));
}

#[tokio::test]
async fn error_of_authenticate_marks_both_spans_as_failed() {
    let Fixture { acme, spans, _guard, .. } = Fixture::new(jwt_of);
    acme.rename(&acme.as_member(Session::token("unknown"))).await.unwrap_err();
    let [update, authenticate] = &spans.calls()[..] else { panic!("two spans") };
    for span in [update, authenticate] {
        span.assert(&[("otel.status_code", "ERROR"), ("error.type", "session_not_found")]);
    }
    authenticate.assert(&[("http.response.status_code", "404")]);
    // The update was not sent, so its span has no response.
    update.assert_absent(&RESPONSE);
}

#[tokio::test]
async fn dropped_call_is_recorded_as_cancelled() {
    let Fixture { acme, ada, spans, _guard } = Fixture::new(jwt_of);
    let hanging = acme.stytch.fault(UPDATE, Fault::delay(Duration::from_secs(60 * 60)));
    tokio::select! {
        _ = acme.rename(&ada) => panic!("the call hangs"),
        () = until(|| hanging.hits() > 0) => (),
    }
    let update = &spans.named(PUT)[0];
    update.assert(&[("error.type", "cancelled"), ("otel.status_code", "ERROR")]);
    update.assert_absent(&RESPONSE);
}

#[tokio::test]
async fn local_rejection_is_recorded() {
    let Fixture { acme, ada, spans, _guard } = Fixture::new(jwt_of);
    ada.update_connection("..", &rename("Renamed")).await.unwrap_err();
    acme.rename(&acme.as_member(Session::jwt("not a JWT"))).await.unwrap_err();
    let no_jwt = acme.as_member(Session::jwt("no\nJWT"));
    let edit = no_jwt.edit_connection(acme.connection.id(), |_| unreachable!());
    edit.await.unwrap_err();

    let spans = spans.calls();
    let rejected = [(PUT, "InvalidRequest"), (PUT, "InvalidSession"), (LIST, "InvalidSession")];
    assert_eq!(spans.len(), rejected.len(), "{spans:?}");
    for (span, (name, error_type)) in spans.iter().zip(rejected) {
        let failed = ("otel.status_code", "ERROR");
        span.assert(&[("otel.name", name), failed, ("error.type", error_type)]);
        span.assert_absent(&RESPONSE);
    }
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn attempts_are_debug_events_of_the_call() {
    let Fixture { acme, ada, spans, _guard } = Fixture::new(jwt_of);
    let _ = acme.stytch.fault(UPDATE, Fault::status(503)).times(2);
    acme.rename(&ada).await.unwrap();
    let update = &spans.named(PUT)[0];
    update.assert(&[("http.request.resend_count", "2")]);
    let messages = ["attempt completed", "retrying"];
    let counts = messages.map(|of| update.events.iter().filter(|(_, it)| it == of).count());
    assert_eq!(counts, [3, 2], "{:?}", update.events);
    assert!(update.events.iter().all(|(level, _)| *level == Level::DEBUG));
}

/// Ada, and the spans of the test's thread.
struct Fixture {
    acme: Acme,
    ada: MemberClient,
    spans: Recorded,
    _guard: DefaultGuard,
}

impl Fixture {
    fn new(session: fn(&LoggedIn) -> Session) -> Self {
        let (spans, guard) = Recorded::install();
        let acme = Acme::new();
        Self { ada: acme.as_member(session(&acme.ada)), spans, acme, _guard: guard }
    }
}

/// The spans of calls, in order.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Vec<Call>>>);

#[derive(Clone, Debug)]
struct Call {
    /// Unique, unlike the span's id, which is reused once a span is closed.
    number: usize,
    parent: Option<usize>,
    fields: Fields,
    /// The events of this crate.
    events: Vec<(Level, String)>,
}

impl Call {
    /// Asserts the values of these fields.
    #[track_caller]
    fn assert(&self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            assert_eq!(
                self.fields.0.get(name).map(String::as_str),
                Some(*value),
                "{name}: {self:?}"
            );
        }
    }

    /// Asserts that these fields have no value.
    #[track_caller]
    fn assert_absent(&self, names: &[&str]) {
        for name in names {
            assert!(!self.fields.0.contains_key(name), "{name}: {self:?}");
        }
    }
}

impl Recorded {
    fn install() -> (Self, DefaultGuard) {
        // Enables the events, whatever the other tests of the process do.
        capture::install();
        let recorded = Self::default();
        let subscriber = tracing_subscriber::registry().with(recorded.clone()).with(Capture);
        (recorded, tracing::subscriber::set_default(subscriber))
    }

    fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }

    fn named(&self, name: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|span| span.fields.0["otel.name"] == name).collect()
    }
}

impl Layer<Registry> for Recorded {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, Registry>) {
        if attributes.metadata().name() != "stytch.call" {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        let parent = span.scope().skip(1).find_map(|span| number(&span));
        let mut calls = self.0.lock().unwrap();
        let number = calls.len();
        span.extensions_mut().insert(number);
        calls.push(Call { number, parent, fields, events: Vec::new() });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, Registry>) {
        if let Some(number) = context.span(id).and_then(|span| number(&span)) {
            record.record(&mut self.0.lock().unwrap()[number].fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, Registry>) {
        let is_ours = event.metadata().target().starts_with("stytch_sso_external");
        let mut scope = context.event_scope(event).into_iter().flatten();
        if let Some(number) = scope.find_map(|span| number(&span)).filter(|_| is_ours) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let event = (*event.metadata().level(), fields.0["message"].clone());
            self.0.lock().unwrap()[number].events.push(event);
        }
    }
}

/// The number of a call, stored in its span.
fn number(span: &SpanRef<'_, Registry>) -> Option<usize> {
    span.extensions().get().copied()
}
