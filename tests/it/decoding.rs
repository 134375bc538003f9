//! How tolerant the decoding of responses is: successes with missing fields, error bodies with
//! unexpected ones, and bodies that can't be decoded.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stytch_sso_external::{
    Client, Error, Operation, Outcome, RetryPolicy, Session,
    testing::{Fault, LoggedIn, Response, Stytch, responses},
};

use crate::support::{
    capture,
    scripted_project::{self, KEY, REQUEST_ID, ScriptedProject, variant},
    steps::{self, JSON, Steps},
};

/// A client without retries, and the next response of its server to each operation.
struct Scripted {
    client: Client,
    jwks: Arc<Mutex<Steps>>,
    authenticate: Arc<Mutex<Steps>>,
    update: Arc<Mutex<Steps>>,
    project: ScriptedProject,
}

impl Scripted {
    async fn start() -> Self {
        let [jwks, authenticate, update] = [jwks(), authenticated(), scripted_project::updated()]
            .map(|body| Arc::new(Mutex::new(steps::json(200, &body))));
        let [for_jwks, for_authenticate, for_update] =
            [&jwks, &authenticate, &update].map(Arc::clone);
        let project = ScriptedProject::scripted(
            move |_, _| for_jwks.lock().unwrap().clone(),
            move |_, _| for_authenticate.lock().unwrap().clone(),
            move |_, _| for_update.lock().unwrap().clone(),
        )
        .await;
        let client = project.builder().retry(RetryPolicy::disabled()).build().unwrap();
        Self { client, jwks, authenticate, update, project }
    }

    /// Resolves a session that isn't cached.
    async fn organization_id(&self) -> Result<String, Error> {
        let token = format!("{}-{}", scripted_project::TOKEN, self.project.authenticate_requests());
        self.client.as_member(Session::token(token)).organization_id().await
    }
}

/// For whatever token was sent.
fn authenticated() -> Value {
    let mut response = scripted_project::authenticated("a.b.c");
    response.as_object_mut().unwrap().remove("session_token");
    response
}

fn jwks() -> Value {
    json!({"keys": [KEY.jwk()], "request_id": REQUEST_ID, "status_code": 200})
}

fn set(next: &Mutex<Steps>, steps: Steps) {
    *next.lock().unwrap() = steps;
}

#[tokio::test]
async fn any_2xx_with_a_usable_body_is_a_success() {
    let scripted = Scripted::start().await;
    for status in [200, 201, 202, 203, 206, 226, 299] {
        set(&scripted.jwks, steps::json(status, &jwks()));
        set(&scripted.authenticate, steps::json(status, &authenticated()));
        set(&scripted.update, steps::json(status, &scripted_project::updated()));
        scripted.client.warm_up().await.unwrap();
        assert_eq!(
            scripted.organization_id().await.unwrap(),
            scripted_project::ORGANIZATION,
            "{status}"
        );
        let response = scripted_project::update(&scripted.client).await.unwrap();
        assert_eq!(response.connection.display_name, "Acme", "{status}");
    }
}

/// The body without the fields, and with `null` in their place.
fn without(body: &Value, fields: &[&str]) -> [Value; 2] {
    let (mut missing, mut null) = (body.clone(), body.clone());
    for field in fields {
        missing.as_object_mut().unwrap().remove(*field);
        null[*field] = Value::Null;
    }
    [missing, null]
}

#[tokio::test]
async fn success_may_lack_request_id_status_code_and_credentials() {
    let scripted = Scripted::start().await;
    let envelope: &[_] = &["request_id", "status_code"];
    for fields in [envelope, &envelope[..1], &envelope[1..]] {
        for body in without(&jwks(), fields) {
            set(&scripted.jwks, steps::json(200, &body));
            scripted.client.warm_up().await.unwrap();
        }
        for body in without(&scripted_project::updated(), fields) {
            set(&scripted.update, steps::json(200, &body));
            let response = scripted_project::update(&scripted.client).await.unwrap();
            let request_id = if fields.contains(&"request_id") { "" } else { REQUEST_ID };
            assert_eq!(response.request_id, request_id, "{body}");
        }
        for body in without(
            &scripted_project::authenticated("a.b.c"),
            &[fields, &["session_token", "session_jwt"]].concat(),
        ) {
            set(&scripted.authenticate, steps::json(200, &body));
            assert_eq!(
                scripted.organization_id().await.unwrap(),
                scripted_project::ORGANIZATION,
                "{body}"
            );
        }
    }
}

#[tokio::test]
async fn renewing_a_jwt_fails_without_a_fresh_one() {
    let scripted = Scripted::start().await;
    let mut claims = scripted_project::claims();
    claims["exp"] = json!(1);
    let expired = scripted_project::sign(&claims);
    for body in without(&scripted_project::authenticated("a.b.c"), &["session_jwt"]) {
        set(&scripted.authenticate, steps::json(200, &body));
        let member = scripted.client.as_member(Session::jwt(expired.clone()));
        let error = member.organization_id().await.unwrap_err();
        let reason = "the response has no session JWT that can be sent in an HTTP header";
        assert_eq!((variant(&error).as_str(), error.reason()), ("UnexpectedResponse", reason));
    }
}

#[tokio::test]
async fn error_about_a_success_without_a_request_id_has_none() {
    let scripted = Scripted::start().await;
    let mut other = scripted_project::updated();
    other["connection"]["connection_id"] = json!("other");
    for body in without(&other, &["request_id"]) {
        set(&scripted.update, steps::json(200, &body));
        let error = scripted_project::update(&scripted.client).await.unwrap_err();
        assert_eq!((variant(&error).as_str(), error.request_id()), ("UnexpectedResponse", None));
    }
}

#[tokio::test]
async fn documented_errors_under_200_are_errors_for_every_operation() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    for documented in responses::documented() {
        let body = json!(documented);
        let mut claims_success = body.clone();
        claims_success["status_code"] = json!(200);
        let bodies = [&body, &claims_success].into_iter();
        let cases = bodies.flat_map(|body| Operation::ALL.iter().map(move |it| (body, *it)));
        for (body, operation) in cases {
            // Where the project's policy grants it, the organization's isn't needed.
            let needs_custom_roles = operation == Operation::GetOrganizationRbacPolicy;
            let roles: &[_] = if needs_custom_roles { &[] } else { &["stytch_admin"] };
            let ada = acme.member("ada", roles).log_in();
            stytch.clear_faults();
            let _ = stytch.fault(operation, Fault::response(Response::json(200, body)));
            let error = error_of(operation, &stytch.client(), &ada, connection.id()).await;
            let what = format!("{operation}: {body}: {error:?}");
            assert_eq!(error.operation(), operation, "{what}");
            assert_eq!(variant(&error), "UnexpectedResponse", "{what}");
            assert_eq!(error.status().unwrap(), 200, "{what}");
            assert_eq!(error.error_type(), documented.error_type.as_deref(), "{what}");
            assert_eq!(error.request_id(), documented.request_id.as_deref(), "{what}");
            let is_update = operation == Operation::UpdateExternalConnection;
            let outcome = if is_update { Outcome::Unknown } else { Outcome::NotApplied };
            assert_eq!(error.outcome(), outcome, "{what}");
        }
    }
}

/// Makes a call that sends a request of the operation, and returns its error.
async fn error_of(
    operation: Operation,
    client: &Client,
    ada: &LoggedIn,
    connection_id: &str,
) -> Error {
    let member = client.as_member(Session::jwt(ada.jwt()));
    match operation {
        Operation::UpdateExternalConnection => member
            .update_connection(connection_id, &scripted_project::rename("No"))
            .await
            .unwrap_err(),
        Operation::GetConnections => member.connections().await.unwrap_err(),
        Operation::GetRbacPolicy | Operation::GetOrganizationRbacPolicy => {
            let permission = Operation::UpdateExternalConnection;
            member.check_permissions([permission]).await.unwrap_err()
        }
        Operation::AuthenticateSession => {
            client.as_member(Session::token(ada.token())).organization_id().await.unwrap_err()
        }
        Operation::GetJwks => client.warm_up().await.unwrap_err(),
        other => panic!("{other} has no call here: add it"),
    }
}

#[tokio::test]
async fn field_of_a_wrong_type_is_ignored() {
    let scripted = Scripted::start().await;
    let mut whole = scripted_project::rejected(400, "invalid_role");
    whole["error_details"] = json!({"role_id": "editor"});
    let fields = ["status_code", "request_id", "error_type", "error_message", "error_url"];
    for field in fields {
        for wrong in [json!({"a": 1}), json!(["a"]), json!(true), json!(1.5)] {
            let mut body = whole.clone();
            body[field] = wrong;
            set(&scripted.update, steps::json(400, &body));
            let error = scripted_project::update(&scripted.client).await.unwrap_err();
            // A 400 of an unknown type is an invalid update too.
            assert_eq!(variant(&error), "InvalidRequest", "{body}");
            let text = |name: &str| whole[name].as_str().filter(|_| name != field);
            assert_eq!(error.request_id(), text("request_id"), "{body}");
            assert_eq!(error.error_type(), text("error_type"), "{body}");
            assert_eq!(error.error_message(), text("error_message"), "{body}");
            assert_eq!(error.error_url(), text("error_url"), "{body}");
            assert_eq!(error.error_details(), Some(&whole["error_details"]), "{body}");
        }
    }
}

#[tokio::test]
async fn undecodable_bodies_keep_their_request_id_and_error_type() {
    let scripted = Scripted::start().await;
    let fields = format!(r#""error_type": "invalid_role", "request_id" : "{REQUEST_ID}""#);
    let deep = ["[".repeat(10_000), "]".repeat(10_000)].concat();
    let unexpected = ["UnexpectedResponse"; 3];
    let rejected = ["UnexpectedResponse", "InvalidRequest", "InvalidRequest"];
    let bodies = [
        (format!("{{{fields}, \"error_mess"), unexpected),
        // Complete, with details that are nested too deeply to be kept.
        (format!(r#"{{{fields}, "error_details": {deep}}}"#), rejected),
        (format!(r#"{{"error_details": {deep}, {fields}}}"#), rejected),
        (format!(r#"{{"error_message": "request_id", {fields}, "a": "#), unexpected),
    ];
    for (body, kinds) in bodies {
        for (status, kind) in [200, 400, 500].into_iter().zip(kinds) {
            set(&scripted.update, steps::http(status, JSON, &body));
            let error = scripted_project::update(&scripted.client).await.unwrap_err();
            assert_eq!(variant(&error), kind, "{status} {body:.90}");
            assert_eq!(error.request_id(), Some(REQUEST_ID), "{status} {body:.90}");
            assert_eq!(error.error_type(), Some("invalid_role"), "{status} {body:.90}");
        }
    }
}

/// The body with one value replaced.
fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn undecodable_success_names_the_field_and_not_its_value() {
    let scripted = Scripted::start().await;
    let secret = || json!({"hunter2": "hunter2"});
    let mut incomplete = scripted_project::updated();
    incomplete["connection"].as_object_mut().unwrap().remove("connection_id");
    let roles = "external_connection_implicit_role_assignments";
    let list = json!([{"role_id": "editor"}, {"role_id": secret()}]);
    let updates = [
        (
            with(scripted_project::updated(), "/connection/display_name", secret()),
            "the JSON field `connection.display_name` has an unexpected type",
        ),
        (
            with(scripted_project::updated(), &format!("/connection/{roles}"), list),
            "the JSON field `connection.external_connection_implicit_role_assignments[1].role_id` \
             has an unexpected type",
        ),
        (incomplete, "the JSON lacks the field `connection.connection_id`"),
        (
            with(scripted_project::updated(), "/connection", json!("hunter2")),
            "the JSON field `connection` has an unexpected type",
        ),
    ];
    for (body, reason) in updates {
        set(&scripted.update, steps::json(200, &body));
        let error = scripted_project::update(&scripted.client).await.unwrap_err();
        assert_eq!((error.reason(), error.outcome()), (reason, Outcome::Applied));
        assert_contains_no_value(&error);
    }
    let authenticated = scripted_project::authenticated("a.b.c");
    let body = with(authenticated, "/member_session/organization_id", secret());
    set(&scripted.authenticate, steps::json(200, &body));
    let error = scripted.organization_id().await.unwrap_err();
    let field = "the JSON field `member_session.organization_id` has an unexpected type";
    assert_eq!((error.reason(), error.outcome()), (field, Outcome::NotApplied));
    assert_contains_no_value(&error);

    set(&scripted.jwks, steps::json(200, &with(jwks(), "/keys/0/n", secret())));
    let error = scripted.client.warm_up().await.unwrap_err();
    assert_eq!(error.reason(), "the JSON field `keys[0].n` has an unexpected type");
    assert_contains_no_value(&error);
}

fn assert_contains_no_value(error: &Error) {
    capture::inspect(error);
    let mut link: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = link {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
        link = error.source();
    }
    assert!(!error.reason().contains("hunter2"), "{}", error.reason());
}
