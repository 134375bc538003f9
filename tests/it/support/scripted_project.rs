//! A project on a scripted server: requests for the JWKS and of sessions succeed
//! unless a test scripts them too; updates get the test's responses.

use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use stytch_sso_external::{
    Client, ClientBuilder, Error, RetryPolicy, Session,
    testing::jwt::{self, Key},
    types::{UpdateExternalConnectionRequest, UpdateExternalConnectionResponse},
};

use super::{
    capture,
    scripted_server::{Request, ScriptedServer},
    steps::{self, Steps},
};

pub(crate) const PROJECT: &str = "project-test-scripted";
/// Both in the shape of Stytch's: mixed letters, which no id and no error type has.
pub(crate) const SECRET: &str = "secret-test-tHe-sEcReT-oF-tHe-pRoJeCt=";
pub(crate) const TOKEN: &str = "tHeSeSsIoNtOkEnOfAdAwHoIsAmEmBeR5FoDpF0iqFkE";
pub(crate) const ORGANIZATION: &str = "organization-test-acme";
pub(crate) const CONNECTION: &str = "external-connection-test-okta";
pub(crate) const REQUEST_ID: &str = "request-id-test-5ad0";

/// The only key of the project. Generating it takes up to a second.
pub(crate) static KEY: LazyLock<Key> = LazyLock::new(Key::generate);

/// A scripted server that responds as a project does.
pub(crate) struct ScriptedProject {
    pub(crate) server: ScriptedServer,
}

impl ScriptedProject {
    /// Starts a project whose updates get the response of `update`, which gets the request
    /// and how many updates there were before it.
    pub(crate) async fn start(
        update: impl Fn(&Request, usize) -> Steps + Send + Sync + 'static,
    ) -> Self {
        let server =
            ScriptedServer::start(script(successful_jwks, successful_authenticate, update));
        Self { server: server.await }
    }

    /// Starts a project whose updates all get the same response.
    pub(crate) async fn responding(steps: Steps) -> Self {
        Self::start(move |_, _| steps.clone()).await
    }

    /// Starts a server that responds to everything by script.
    pub(crate) async fn scripted(
        jwks: impl Fn(&Request, usize) -> Steps + Send + Sync + 'static,
        authenticate: impl Fn(&Request, usize) -> Steps + Send + Sync + 'static,
        update: impl Fn(&Request, usize) -> Steps + Send + Sync + 'static,
    ) -> Self {
        Self { server: ScriptedServer::start(script(jwks, authenticate, update)).await }
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        builder(&self.server.url())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// How many updates have arrived.
    pub(crate) fn updates(&self) -> usize {
        self.server.count("PUT")
    }

    /// The number of `sessions/authenticate` requests.
    pub(crate) fn authenticate_requests(&self) -> usize {
        self.server.count("POST")
    }

    /// The number of requests of the JWKS.
    pub(crate) fn jwks_requests(&self) -> usize {
        self.server.count("GET")
    }
}

/// A project whose response to updates can be replaced during a test. Building a client reads
/// the system's certificates, which is too slow for hundreds of clients.
pub(crate) struct Switched {
    pub(crate) project: ScriptedProject,
    next: Arc<Mutex<Steps>>,
}

impl Switched {
    pub(crate) async fn start() -> Self {
        let next = Arc::new(Mutex::new(Steps::new()));
        let responses = Arc::clone(&next);
        let project = ScriptedProject::start(move |_, _| responses.lock().unwrap().clone()).await;
        Self { project, next }
    }

    /// Sets the response to updates from now on.
    pub(crate) fn respond_with(&self, steps: &Steps) {
        self.next.lock().unwrap().clone_from(steps);
    }
}

/// Returns the builder of a client for this base URL, with backoffs of milliseconds.
pub(crate) fn builder(base_url: &str) -> ClientBuilder {
    // Generating it takes longer than the attempt timeout of some tests.
    LazyLock::force(&KEY);
    for credential in [SECRET, TOKEN, &format!("{PROJECT}:{SECRET}")] {
        capture::register(credential);
    }
    Client::builder(PROJECT, SECRET)
        .base_url(base_url)
        .retry(retry())
        .attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(10))
}

/// Three attempts with next to nothing between them.
pub(crate) fn retry() -> RetryPolicy {
    RetryPolicy::default().max_attempts(3).initial_backoff(Duration::from_millis(1))
}

/// Updates the connection as the member Ada. Whatever the error, it shows no credential.
pub(crate) async fn update(client: &Client) -> Result<UpdateExternalConnectionResponse, Error> {
    update_as(client, session()).await
}

/// Updates the connection as the member of the session.
pub(crate) async fn update_as(
    client: &Client,
    session: Session,
) -> Result<UpdateExternalConnectionResponse, Error> {
    let member = client.as_member(session);
    let result = member.update_connection(CONNECTION, &rename("Acme")).await;
    if let Err(error) = &result {
        capture::inspect(error);
    }
    result
}

pub(crate) fn rename(name: &str) -> UpdateExternalConnectionRequest {
    UpdateExternalConnectionRequest::default().display_name(name)
}

/// Ada's session as a JWT.
pub(crate) fn session() -> Session {
    Session::jwt(sign(&claims()))
}

/// A JWT of these claims, signed with the project's key, and registered as a credential.
pub(crate) fn sign(claims: &Value) -> String {
    let jwt = jwt::sign(&header(), claims, &KEY);
    capture::register(&jwt);
    jwt
}

pub(crate) fn header() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": KEY.kid()})
}

/// Ada's claims, as Stytch would make them now.
pub(crate) fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "aud": [PROJECT],
        "iss": format!("stytch.com/{PROJECT}"),
        "sub": "member-test-ada",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "https://stytch.com/organization": {"organization_id": ORGANIZATION, "slug": "acme"},
        "https://stytch.com/session": {"id": "member-session-test-1", "roles": ["stytch_admin"]},
    })
}

pub(crate) fn successful_jwks(_: &Request, _: usize) -> Steps {
    let keys = json!([KEY.jwk()]);
    steps::json(200, &json!({"keys": keys, "request_id": REQUEST_ID, "status_code": 200}))
}

pub(crate) fn successful_authenticate(request: &Request, _: usize) -> Steps {
    let mut response = authenticated(&sign(&claims()));
    let request: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if let Some(token) = request.get("session_token") {
        response["session_token"] = token.clone();
    }
    steps::json(200, &response)
}

/// A request that nobody sent, for a script that doesn't look at it.
pub(crate) fn request() -> Request {
    Request { method: String::new(), target: String::new(), headers: vec![], body: vec![] }
}

/// The response of `sessions/authenticate`.
pub(crate) fn authenticated(session_jwt: &str) -> Value {
    json!({
        "request_id": REQUEST_ID,
        "status_code": 200,
        "session_token": TOKEN,
        "session_jwt": session_jwt,
        "member_session": {
            "organization_id": ORGANIZATION,
            "member_id": "member-test-ada",
            "member_session_id": "member-session-test-1",
        },
    })
}

/// The response to an update of the connection in the path.
pub(crate) fn updated() -> Value {
    json!({
        "request_id": REQUEST_ID,
        "status_code": 200,
        "connection": {
            "organization_id": ORGANIZATION,
            "connection_id": CONNECTION,
            "external_organization_id": "organization-test-other",
            "external_connection_id": "saml-connection-test-other",
            "display_name": "Acme",
            "status": "active",
            "external_connection_implicit_role_assignments": [],
            "external_group_implicit_role_assignments": [],
        },
    })
}

/// An error body of Stytch's.
pub(crate) fn rejected(status: u16, error_type: &str) -> Value {
    json!({
        "status_code": status,
        "request_id": REQUEST_ID,
        "error_type": error_type,
        "error_message": "No.",
        "error_url": "https://stytch.com/docs/api/errors",
    })
}

/// The variant of an error.
pub(crate) fn variant(error: &Error) -> String {
    format!("{:?}", error.kind()).split(' ').next().unwrap_or_default().to_owned()
}

fn script(
    jwks: impl Fn(&Request, usize) -> Steps + Send + Sync + 'static,
    authenticate: impl Fn(&Request, usize) -> Steps + Send + Sync + 'static,
    update: impl Fn(&Request, usize) -> Steps + Send + Sync + 'static,
) -> impl Fn(&Request, usize) -> Steps + Send + Sync + 'static {
    let counts: Arc<[AtomicUsize; 3]> = Arc::default();
    move |request, _| {
        let before = |operation: usize| counts[operation].fetch_add(1, Ordering::SeqCst);
        match request.method.as_str() {
            "GET" => jwks(request, before(0)),
            "POST" => authenticate(request, before(1)),
            _ => update(request, before(2)),
        }
    }
}
