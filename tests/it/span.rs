//! The spans and events of a call, with OpenTelemetry's attribute names.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{
    capture::{self, Capture},
    scripted_project::rename,
};

use stytch_sso_external::{
    Client, Error, MemberClient, Operation, RetryPolicy, Session,
    testing::{Connection, Fault, Organization, Stytch},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

#[tokio::test]
async fn call_is_one_span_with_status_request_id_and_error_type() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let (ada, bob) = (fixture.member("ada", &["stytch_admin"]), fixture.member("bob", &[]));
    let response = fixture.update(&ada).await.unwrap();
    let error = fixture.update(&bob).await.unwrap_err();
    let _ = fixture.stytch.fault(Operation::UpdateExternalConnection, Fault::status(503));
    fixture.update(&ada).await.unwrap_err();

    let calls = spans.calls();
    let updates: Vec<_> =
        calls.iter().filter(|span| span["http.request.method"] == "PUT").collect();
    let [applied, denied, failed] = updates[..] else { panic!("a span for each call: {calls:?}") };
    let port = fixture.stytch.base_url().split([':', '/']).nth(4).unwrap().to_owned();
    for span in [applied, denied, failed] {
        assert_eq!(span["otel.name"], format!("PUT {UPDATE}"));
        assert_eq!(span["otel.kind"], "client");
        assert_eq!(span["url.template"], UPDATE);
        assert_eq!(span["server.address"], "127.0.0.1");
        assert_eq!(span["server.port"], port);
        assert!(span.parent.is_none());
    }
    assert_eq!(applied["http.response.status_code"], "200");
    assert_eq!(applied["stytch.request_id"], response.request_id);
    for absent in ["error.type", "otel.status_code", "http.request.resend_count"] {
        assert!(!applied.fields.contains_key(absent), "{absent}");
    }
    assert_eq!(denied["http.response.status_code"], "403");
    assert_eq!(denied["stytch.request_id"], error.request_id().unwrap());
    assert_eq!(denied["error.type"], "session_authorization_error");
    assert_eq!(denied["otel.status_code"], "ERROR");
    assert_eq!(failed["http.response.status_code"], "503");
    assert_eq!(failed["error.type"], "server_unavailable");
    assert_eq!(failed["otel.status_code"], "ERROR");
    assert_eq!(failed["http.request.resend_count"], "4");
}

#[tokio::test]
async fn authenticate_inside_an_update_is_a_child_span_with_its_own_attributes() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let ada = fixture.organization.member("ada", &["stytch_admin"]).log_in();
    let member = fixture.client.as_member(Session::token(ada.token()));
    fixture.update(&member).await.unwrap();

    let calls = spans.calls();
    let [update, authenticate] = &calls[..] else { panic!("two spans: {calls:?}") };
    assert_eq!(update["otel.name"], format!("PUT {UPDATE}"));
    assert_eq!(authenticate.parent, Some(update.number));
    assert_eq!(authenticate["otel.name"], "POST /v1/b2b/sessions/authenticate");
    assert_eq!(authenticate["http.request.method"], "POST");
    assert_eq!(authenticate["url.template"], "/v1/b2b/sessions/authenticate");
    assert_eq!(authenticate["http.response.status_code"], "200");
    assert_ne!(authenticate["stytch.request_id"], update["stytch.request_id"]);
}

#[tokio::test]
async fn shared_request_has_one_span_in_the_call_that_started_it() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let ada = fixture.organization.member("ada", &["stytch_admin"]).log_in();
    let members = [(); 2].map(|()| fixture.client.as_member(Session::token(ada.token())));
    let (first, second) = tokio::join!(fixture.update(&members[0]), fixture.update(&members[1]));
    first.unwrap();
    second.unwrap();

    let calls = spans.calls();
    let (shared, updates): (Vec<_>, Vec<_>) =
        calls.iter().partition(|span| span["http.request.method"] == "POST");
    assert_eq!((shared.len(), updates.len()), (1, 2), "{calls:?}");
    // The first one was polled first.
    assert_eq!(shared[0].parent, Some(updates[0].number));
}

#[tokio::test]
async fn edit_that_is_rejected_before_its_read_is_recorded() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let member = fixture.client.as_member(Session::jwt("no\nJWT"));
    let edit = member.edit_connection(fixture.connection.id(), |_| unreachable!());
    edit.await.unwrap_err();
    let calls = spans.calls();
    let [read] = &calls[..] else { panic!("one span: {calls:?}") };
    assert_eq!(read["otel.status_code"], "ERROR");
}

#[tokio::test]
async fn error_of_authenticate_marks_both_spans_as_failed() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let member = fixture.client.as_member(Session::token("unknown"));
    fixture.update(&member).await.unwrap_err();

    let calls = spans.calls();
    let [update, authenticate] = &calls[..] else { panic!("two spans: {calls:?}") };
    for span in [update, authenticate] {
        assert_eq!(span["otel.status_code"], "ERROR");
        assert_eq!(span["error.type"], "session_not_found");
    }
    assert_eq!(authenticate["http.response.status_code"], "404");
    // The update was not sent, so its span has no response.
    for absent in ["http.response.status_code", "stytch.request_id", "http.request.resend_count"] {
        assert!(!update.fields.contains_key(absent), "{absent}: {update:?}");
    }
}

#[tokio::test]
async fn dropped_call_is_recorded_as_cancelled() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let ada = fixture.member("ada", &["stytch_admin"]);
    let hour = Duration::from_secs(60 * 60);
    let _ = fixture.stytch.fault(Operation::UpdateExternalConnection, Fault::delay(hour));
    let call = tokio::time::timeout(Duration::from_millis(100), fixture.update(&ada));
    assert!(call.await.is_err());

    let calls = spans.calls();
    let update = calls.iter().find(|span| span["http.request.method"] == "PUT").unwrap();
    assert_eq!(update["error.type"], "cancelled");
    assert_eq!(update["otel.status_code"], "ERROR");
    assert!(!update.fields.contains_key("http.response.status_code"));
}

#[tokio::test]
async fn local_rejection_is_recorded() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let ada = fixture.member("ada", &["stytch_admin"]);
    ada.update_connection("..", &rename("Renamed")).await.unwrap_err();
    let malformed = fixture.client.as_member(Session::jwt("not a JWT"));
    fixture.update(&malformed).await.unwrap_err();

    let calls = spans.calls();
    let [invalid_id, invalid_session] = &calls[..] else { panic!("two spans: {calls:?}") };
    for (span, error_type) in [(invalid_id, "InvalidRequest"), (invalid_session, "InvalidSession")]
    {
        assert_eq!(span["otel.name"], format!("PUT {UPDATE}"));
        assert_eq!(span["otel.status_code"], "ERROR");
        assert_eq!(span["error.type"], error_type);
        assert!(!span.fields.contains_key("http.response.status_code"));
    }
    assert_eq!(fixture.stytch.requests(), []);
}

#[tokio::test]
async fn attempts_are_debug_events_of_the_call() {
    let fixture = Fixture::new();
    let (spans, _guard) = Recorded::install();
    let ada = fixture.member("ada", &["stytch_admin"]);
    let _ = fixture.stytch.fault(Operation::UpdateExternalConnection, Fault::status(503)).times(2);
    fixture.update(&ada).await.unwrap();

    let calls = spans.calls();
    let update = calls.iter().find(|span| span["http.request.method"] == "PUT").unwrap();
    assert_eq!(update["http.request.resend_count"], "2");
    let events: Vec<_> = spans.0.lock().unwrap().events.clone();
    let of_update: Vec<_> =
        events.iter().filter(|event| event.span == Some(update.number)).collect();
    let count =
        |message: &str| of_update.iter().filter(|event| event.fields["message"] == message).count();
    assert_eq!((count("attempt completed"), count("retrying")), (3, 2), "{of_update:?}");
    assert!(of_update.iter().all(|event| event.level == Level::DEBUG));
}

const UPDATE: &str = "/v1/b2b/sso/external/{organization_id}/connections/{connection_id}";

/// A client of a fake with one organization and its connection.
struct Fixture {
    stytch: Stytch,
    organization: Organization,
    connection: Connection,
    client: Client,
}

impl Fixture {
    fn new() -> Self {
        let stytch = Stytch::start();
        let organization = stytch.organization("acme");
        let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
        Self {
            connection: organization.connection("Acme Okta"),
            client: stytch.client_builder().retry(policy).build().unwrap(),
            organization,
            stytch,
        }
    }

    fn member(&self, name: &str, roles: &[&str]) -> MemberClient {
        let session = self.organization.member(name, roles).log_in();
        self.client.as_member(Session::jwt(session.jwt()))
    }

    async fn update(
        &self,
        member: &MemberClient,
    ) -> Result<stytch_sso_external::types::UpdateExternalConnectionResponse, Error> {
        member.update_connection(self.connection.id(), &rename("Renamed")).await
    }
}

type Fields = BTreeMap<&'static str, String>;

/// The spans of calls and the events of this crate, in order.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Records>>);

#[derive(Default)]
struct Records {
    calls: Vec<Call>,
    events: Vec<Recording>,
}

#[derive(Clone, Debug)]
struct Call {
    /// Unique, unlike the span's id, which is reused once a span is closed.
    number: usize,
    parent: Option<usize>,
    fields: Fields,
}

#[derive(Clone, Debug)]
struct Recording {
    span: Option<usize>,
    level: Level,
    fields: Fields,
}

/// The number of a call, stored in its span.
struct Number(usize);

impl std::ops::Index<&str> for Call {
    type Output = String;

    fn index(&self, name: &str) -> &String {
        self.fields.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

impl Recorded {
    fn install() -> (Self, tracing::subscriber::DefaultGuard) {
        // Enables the events, whatever the other tests of the process do.
        capture::install();
        let recorded = Self::default();
        let subscriber = tracing_subscriber::registry().with(recorded.clone()).with(Capture);
        (recorded, tracing::subscriber::set_default(subscriber))
    }

    fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().calls.clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorded {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "stytch.call" {
            return;
        }
        let mut fields = Fields::new();
        attributes.record(&mut Text(&mut fields));
        let span = context.span(id).unwrap();
        let parent = span.scope().skip(1).find_map(|span| number(&span));
        let mut records = self.0.lock().unwrap();
        let number = records.calls.len();
        span.extensions_mut().insert(Number(number));
        records.calls.push(Call { number, parent, fields });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(number) = context.span(id).and_then(|span| number(&span)) {
            let mut records = self.0.lock().unwrap();
            record.record(&mut Text(&mut records.calls[number].fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !event.metadata().target().starts_with("stytch_sso_external") {
            return;
        }
        let mut fields = Fields::new();
        event.record(&mut Text(&mut fields));
        let mut scope = context.event_scope(event).into_iter().flatten();
        let span = scope.find_map(|span| number(&span));
        let level = *event.metadata().level();
        self.0.lock().unwrap().events.push(Recording { span, level, fields });
    }
}

fn number<'a, S: LookupSpan<'a>>(
    span: &tracing_subscriber::registry::SpanRef<'a, S>,
) -> Option<usize> {
    span.extensions().get::<Number>().map(|number| number.0)
}

struct Text<'a>(&'a mut Fields);

impl Visit for Text<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
