//! How tolerant the decoding of responses is: successes with missing fields, error bodies with
//! unexpected ones, bodies that can't be decoded, and responses that contradict Stytch's reference.

use crate::support::prelude::*;

/// A project whose responses are replaced, and a client of it without retries.
struct Scripted {
    project: ScriptedProject,
    client: Client,
}

impl Scripted {
    async fn start() -> Self {
        let project = ScriptedProject::successful().await;
        let client = project.client_without_retries();
        Self { project, client }
    }

    /// Fetches the keys.
    async fn warm_up(&self, response: Steps) -> Result<(), Error> {
        self.project.respond(GetJwks, response);
        self.client.warm_up().await
    }

    /// Resolves a session that isn't cached.
    async fn organization_id(&self, response: Steps) -> Result<String, Error> {
        self.project.respond(AuthenticateSession, response);
        let token = format!("{TOKEN}-{}", self.project.authenticate_requests());
        self.client.as_member(Session::token(token)).organization_id().await
    }

    async fn update(&self, response: Steps) -> Result<UpdateExternalConnectionResponse, Error> {
        self.project.respond(UPDATE, response);
        update(&self.client).await
    }
}

#[tokio::test]
async fn any_2xx_with_a_usable_body_is_a_success() {
    let scripted = Scripted::start().await;
    // For whatever token was sent.
    let authenticated = without(authenticated("a.b.c"), "/session_token");
    for status in [200, 201, 202, 203, 206, 226, 299] {
        scripted.warm_up(steps::json(status, &jwks())).await.unwrap();
        let id = scripted.organization_id(steps::json(status, &authenticated)).await;
        assert_eq!(id.unwrap(), ORGANIZATION, "{status}");
        let response = scripted.update(steps::json(status, &updated())).await.unwrap();
        assert_eq!(response.connection.display_name, "Acme", "{status}");
    }
}

#[tokio::test]
async fn success_may_lack_request_id_status_code_credentials_and_role_lists() {
    let scripted = Scripted::start().await;
    let envelope: &[_] = &["/request_id", "/status_code"];
    for fields in [envelope, &envelope[..1], &envelope[1..]] {
        for body in missing_or_null(&jwks(), fields) {
            scripted.warm_up(steps::json(200, &body)).await.unwrap();
        }
        for body in missing_or_null(&updated(), fields) {
            let response = scripted.update(steps::json(200, &body)).await.unwrap();
            let request_id = if fields.contains(&"/request_id") { "" } else { REQUEST_ID };
            assert_eq!(response.request_id, request_id, "{body}");
        }
        let credentials = ["/session_token", "/session_jwt"];
        for body in missing_or_null(&authenticated("a.b.c"), &[fields, &credentials].concat()) {
            let id = scripted.organization_id(steps::json(200, &body)).await;
            assert_eq!(id.unwrap(), ORGANIZATION, "{body}");
        }
    }
    let lists = [ROLES, GROUP_ROLES].map(|list| format!("/connection/{list}"));
    for body in missing_or_null(&updated(), &lists.each_ref().map(|list| &**list)) {
        scripted.update(steps::json(200, &body)).await.unwrap();
    }
}

#[tokio::test]
async fn success_may_have_unknown_values_and_fields() {
    let frozen = with(updated(), "/connection/status", "frozen");
    let frozen = with(frozen, "/connection/new_field", json!({"a": [1]}));
    let scripted = Scripted::start().await;
    for (pointer, value) in [("/error_type", Value::Null), ("/status_code", json!(403))] {
        let response = steps::json(200, &with(frozen.clone(), pointer, value));
        assert_eq!(scripted.update(response).await.unwrap().connection.status, "frozen");
    }
}

#[tokio::test]
async fn renewing_a_jwt_fails_without_a_fresh_one() {
    let scripted = Scripted::start().await;
    for body in missing_or_null(&authenticated("a.b.c"), &["/session_jwt"]) {
        scripted.project.respond(AuthenticateSession, steps::json(200, &body));
        let member = scripted.client.as_member(jwt(&with(claims(), "/exp", 1)));
        let error = member.organization_id().await.unwrap_err();
        let reason = "the response has no session JWT that can be sent in an HTTP header";
        assert_eq!((error.kind(), error.reason()), (UnexpectedResponse, reason));
    }
}

#[tokio::test]
async fn documented_errors_under_200_are_errors_for_every_operation() {
    let acme = Acme::new();
    for (number, mut body) in responses::documented().into_iter().enumerate() {
        for operation in Operation::ALL.iter().copied() {
            // Over the wire for one of them, which claims a success in its body too.
            let error = if number == 0 {
                body.status_code = Some(200);
                acme.fault(operation, Fault::response(Response::json(200, &body)));
                error_of(operation, &acme).await
            } else {
                testing::error(operation, 200, &body)
            };
            let what = format!("{operation}: {error:?}");
            assert_eq!(error.operation(), operation, "{what}");
            let outcome = if operation == UPDATE { Unknown } else { NotApplied };
            assert_eq!(facts(&error), (UnexpectedResponse, Some(200), outcome), "{what}");
            assert_eq!(error.error_type(), body.error_type.as_deref(), "{what}");
            assert_eq!(error.request_id(), body.request_id.as_deref(), "{what}");
        }
    }
}

/// Makes a call that sends a request of the operation, and returns its error.
async fn error_of(operation: Operation, acme: &Acme) -> Error {
    // Where the project's policy grants it, the organization's isn't needed.
    let needs_custom_roles = operation == GetOrganizationRbacPolicy;
    let roles: &[_] = if needs_custom_roles { &[] } else { &["stytch_admin"] };
    let ada = acme.organization.member("ada", roles).log_in();
    let client = acme.stytch.client();
    let member = client.as_member(Session::jwt(ada.jwt()));
    match operation {
        UPDATE => acme.rename(&member).await.unwrap_err(),
        GetConnections => member.connections().await.unwrap_err(),
        GetRbacPolicy | GetOrganizationRbacPolicy => {
            member.check_permissions([UPDATE]).await.unwrap_err()
        }
        AuthenticateSession => {
            client.as_member(Session::token(ada.token())).organization_id().await.unwrap_err()
        }
        GetJwks => client.warm_up().await.unwrap_err(),
        other => panic!("{other} has no call here: add it"),
    }
}

#[tokio::test]
async fn field_that_is_missing_or_of_a_wrong_type_is_ignored() {
    let scripted = Scripted::start().await;
    let whole =
        with(rejected(403, "session_authorization_error"), "/error_details", json!({"a": 1}));
    for field in TEXTS.into_iter().chain(["status_code"]) {
        let pointer = format!("/{field}");
        let wrong = [json!({"a": ["b"]}), json!(["a"]), json!(true), json!(1.5)];
        let wrong = wrong.map(|value| with(whole.clone(), &pointer, value));
        for body in missing_or_null(&whole, &[&pointer]).into_iter().chain(wrong) {
            let error = scripted.update(steps::json(403, &body)).await.unwrap_err();
            // Of a 403 without a type nobody knows what it denies.
            let kind = if field == "error_type" { Api } else { PERMISSION_DENIED };
            assert_eq!(facts(&error), (kind, Some(403), NotApplied), "{body}");
            let text = |name: &str| whole[name].as_str().filter(|_| name != field);
            assert_eq!(texts(&error), TEXTS.map(text), "{body}");
            assert_eq!(error.error_details(), Some(&whole["error_details"]), "{body}");
        }
    }
}

type Respond = fn(u16, &str) -> Steps;

#[tokio::test]
async fn undecodable_bodies_keep_their_request_id_and_error_type() {
    let scripted = Scripted::start().await;
    let fields = format!(r#""error_type": "invalid_role", "request_id" : "{REQUEST_ID}""#);
    let deep = ["[".repeat(10_000), "]".repeat(10_000)].concat();
    let unexpected = [UnexpectedResponse; 3];
    let rejected = [UnexpectedResponse, InvalidRequest, InvalidRequest];
    let whole: Respond = |status, body| steps::http(status, JSON, body);
    let bodies: [(_, Respond, _); 5] = [
        (format!("{{{fields}, \"error_mess"), whole, unexpected),
        (format!(r#"{{"error_message": "request_id", {fields}, "a": "#), whole, unexpected),
        // Complete, with details that are nested too deeply to be kept.
        (format!(r#"{{{fields}, "error_details": {deep}}}"#), whole, rejected),
        (format!(r#"{{"error_details": {deep}, {fields}}}"#), whole, rejected),
        // Complete JSON, but what followed may have changed its meaning.
        (format!("{{{fields}}}"), |status, body| steps::truncated(status, 1, body), unexpected),
    ];
    for (body, respond, kinds) in bodies {
        for (status, kind) in [200, 400, 500].into_iter().zip(kinds) {
            let error = scripted.update(respond(status, &body)).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{status} {body:.90}");
            assert_eq!(error.request_id(), Some(REQUEST_ID), "{status} {body:.90}");
            assert_eq!(error.error_type(), Some("invalid_role"), "{status} {body:.90}");
            let outcome = if status == 400 { NotApplied } else { Unknown };
            assert_eq!((error.outcome(), error.is_retryable()), (outcome, false), "{body:.90}");
        }
    }
}

#[tokio::test]
async fn undecodable_success_names_the_field_and_not_its_value() {
    let scripted = Scripted::start().await;
    let secret = json!({"hunter2": "hunter2"});
    let list = json!([{"role_id": "editor"}, {"role_id": secret}]);
    for (body, problem) in [
        (
            with(updated(), "/connection/display_name", secret.clone()),
            "field `connection.display_name` has an unexpected type",
        ),
        (
            with(updated(), &format!("/connection/{ROLES}"), list),
            "field `connection.external_connection_implicit_role_assignments[1].role_id` \
             has an unexpected type",
        ),
        (with(updated(), "/connection", "hunter2"), "field `connection` has an unexpected type"),
        (
            without(updated(), "/connection/connection_id"),
            "lacks the field `connection.connection_id`",
        ),
    ] {
        let error = scripted.update(steps::json(200, &body)).await.unwrap_err();
        assert_undecodable(&error, problem, Applied);
    }
    let body = with(authenticated("a.b.c"), "/member_session/organization_id", secret.clone());
    let error = scripted.organization_id(steps::json(200, &body)).await.unwrap_err();
    let problem = "field `member_session.organization_id` has an unexpected type";
    assert_undecodable(&error, problem, NotApplied);

    let error = scripted.warm_up(steps::json(200, &with(jwks(), "/keys/0/n", secret))).await;
    assert_undecodable(&error.unwrap_err(), "field `keys[0].n` has an unexpected type", NotApplied);
}

#[track_caller]
fn assert_undecodable(error: &Error, problem: &str, outcome: Outcome) {
    assert_eq!(error.reason(), format!("the JSON {problem}"));
    assert_eq!(facts(error), (UnexpectedResponse, Some(200), outcome));
    capture::inspect(error);
    for error in capture::chain(error) {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// The error of an update with this response. Nothing is retried.
async fn error_of_one_attempt(steps: Steps) -> Error {
    let project = ScriptedProject::responding(steps).await;
    let error = update(&project.client()).await.unwrap_err();
    assert_eq!((error.attempts(), project.updates()), (1, 1), "{error:?}");
    error
}

#[tokio::test]
async fn http_status_decides_and_an_error_body_is_never_a_success() {
    let denied = "session_authorization_error";
    let with_id = |body| with(body, "/request_id", REQUEST_ID);
    let beside_null = with(updated(), "/connection", Value::Null);
    let beside_null = with(beside_null, "/error_type", "internal_server_error");
    let oops = json!({"status_code": 500, "error_message": "Oops."});
    let rows = [
        ("a denial", 200, rejected(403, denied), UnexpectedResponse, Unknown),
        ("a message", 200, with_id(oops), UnexpectedResponse, Unknown),
        ("OAuth", 200, with_id(json!({"error": "access_denied"})), UnexpectedResponse, Unknown),
        ("a status", 200, with_id(json!({"status_code": 503})), UnexpectedResponse, Unknown),
        ("an error type beside null", 200, beside_null, UnexpectedResponse, Unknown),
        ("an empty object", 200, json!({}), UnexpectedResponse, Applied),
        ("an empty array", 200, json!([]), UnexpectedResponse, Applied),
        ("no data", 200, with_id(json!({"status_code": 200})), UnexpectedResponse, Applied),
        ("403 that claims 200", 403, rejected(200, denied), PERMISSION_DENIED, NotApplied),
        ("500 that claims 400", 500, rejected(400, "new_type"), Api, Unknown),
        ("an array", 400, json!([rejected(400, "invalid_role")]), UnexpectedResponse, NotApplied),
        // A status of 403 alone is no denial of a permission.
        ("suspended", 403, rejected(403, "organization_suspended"), Api, NotApplied),
        ("unknown", 403, rejected(403, "a_type_of_tomorrow"), Api, NotApplied),
        ("no type", 403, with_id(json!({"status_code": 403})), Api, NotApplied),
        ("a gateway's", 403, json!({"message": "Forbidden"}), UnexpectedResponse, NotApplied),
        ("empty", 403, json!({}), UnexpectedResponse, NotApplied),
        ("a string", 403, json!(denied), UnexpectedResponse, NotApplied),
    ];
    for (name, status, body, kind, outcome) in rows {
        let error = error_of_one_attempt(steps::json(status, &body)).await;
        assert_eq!(facts(&error), (kind, Some(status), outcome), "{name}: {error:?}");
        let request_id = body.to_string().contains(REQUEST_ID).then_some(REQUEST_ID);
        assert_eq!(error.request_id(), request_id, "{name}");
        if kind == UnexpectedResponse && status == 400 {
            assert_eq!(error.body_snippet(), Some(&*body.to_string()), "{name}");
        }
    }
}

#[tokio::test]
async fn response_about_another_connection_is_an_error() {
    let foreign = [
        ("/connection/connection_id", "another connection"),
        ("/connection/organization_id", "another organization"),
    ];
    for (pointer, expected) in foreign {
        for id in ["other-id", "", "..", PROJECT] {
            let foreign = with(updated(), pointer, id);
            let without = missing_or_null(&foreign, &["/request_id"]).map(|body| (body, None));
            for (body, request_id) in [(foreign, Some(REQUEST_ID))].into_iter().chain(without) {
                let error = error_of_one_attempt(steps::json(200, &body)).await;
                assert_eq!(facts(&error), (UnexpectedResponse, Some(200), Unknown), "{body}");
                assert!(error.to_string().contains(expected), "{error}");
                assert_eq!(error.request_id(), request_id, "{body}");
            }
        }
    }
}

#[tokio::test]
async fn error_body_with_oauth_fields_is_decoded() {
    let body = json!({
        "status_code": 401,
        "request_id": REQUEST_ID,
        "error": "unauthorized_credentials",
        "error_description": "Wrong secret.",
        "error_uri": "https://stytch.com/docs",
    });
    let error = error_of_one_attempt(steps::json(401, &body)).await;
    assert_eq!(facts(&error), (InvalidProjectCredentials, Some(401), NotApplied));
    let fields = ["request_id", "error", "error_description", "error_uri"];
    assert_eq!(texts(&error), fields.map(|field| body[field].as_str()));
}

#[tokio::test]
async fn error_details_may_be_any_json() {
    let forms = [json!({"field": "display_name", "n": [1, {"a": null}]}), json!(["a"]), json!("a")];
    for details in forms {
        let body = rejected(400, "invalid_display_name");
        let body = with(body, "/error_details", details.clone());
        let error = error_of_one_attempt(steps::json(400, &body)).await;
        assert_eq!((error.kind(), error.error_details()), (InvalidRequest, Some(&details)));
    }
}
