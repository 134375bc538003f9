//! The span of a call, as OpenTelemetry names what is in it.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use stytch_sso_external::{
    RetryPolicy, Session,
    testing::{Fault, Operation, Stytch},
    types::UpdateExternalConnectionRequest,
};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

#[tokio::test]
async fn call_is_one_span_with_status_request_id_and_error_type() {
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let _guard = tracing::subscriber::set_default(subscriber);

    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let update = UpdateExternalConnectionRequest::default().display_name("Renamed");
    let client =
        stytch.client_builder().retry(RetryPolicy::default().base(std::time::Duration::ZERO));
    let client = client.build().unwrap();
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let bob = acme.member("bob", &[]).log_in();
    let as_ada = client.as_member(Session::jwt(ada.jwt()));
    let response = as_ada.update_connection(connection.id(), &update).await.unwrap();
    let as_bob = client.as_member(Session::jwt(bob.jwt()));
    let error = as_bob.update_connection(connection.id(), &update).await.unwrap_err();
    let _ = stytch.fault(Operation::Update, Fault::status(503));
    as_ada.update_connection(connection.id(), &update).await.unwrap_err();

    let [made, denied, failed] = &spans.taken()[..] else { panic!("a span for each call") };
    for span in [made, denied, failed] {
        assert_eq!(span["otel.kind"], "client");
        assert_eq!(span["http.request.method"], "PUT");
        assert_eq!(span["server.address"], "127.0.0.1");
        assert!(span["url.template"].starts_with("/v1/b2b/sso/external/{organization_id}/"));
    }
    assert_eq!(made["http.response.status_code"], "200");
    assert_eq!(made["stytch.request_id"], response.request_id);
    assert!(!made.contains_key("error.type"));
    assert_eq!(denied["http.response.status_code"], "403");
    assert_eq!(denied["stytch.request_id"], error.request_id().unwrap());
    assert_eq!(denied["error.type"], "session_authorization_error");
    assert_eq!(failed["http.response.status_code"], "503");
    assert_eq!(failed["error.type"], "server_unavailable");
    assert_eq!(failed["http.request.resend_count"], "2");
}

type Fields = BTreeMap<&'static str, String>;

/// Keeps the fields of the crate's own spans, in the order in which they were made.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(Id, Fields)>>>);

impl Spans {
    fn taken(&self) -> Vec<Fields> {
        self.0.lock().unwrap().drain(..).map(|(_, fields)| fields).collect()
    }
}

impl<S: Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().name() == "stytch.update_external_connection" {
            let mut fields = Fields::new();
            attributes.record(&mut Text(&mut fields));
            self.0.lock().unwrap().push((id.clone(), fields));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, _: Context<'_, S>) {
        // The latest first: an id is used again once its span is closed.
        if let Some((_, fields)) =
            self.0.lock().unwrap().iter_mut().rev().find(|span| span.0 == *id)
        {
            record.record(&mut Text(fields));
        }
    }
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
