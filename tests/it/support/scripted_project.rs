//! A project on a scripted server. Every request succeeds, unless a test replaces its response.

use std::{
    collections::HashMap,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::prelude::*;

pub(crate) const PROJECT: &str = "project-test-scripted";
/// Both in the shape of Stytch's: mixed letters, which no id and no error type has.
pub(crate) const SECRET: &str = "secret-test-tHe-sEcReT-oF-tHe-pRoJeCt=";
pub(crate) const TOKEN: &str = "tHeSeSsIoNtOkEnOfAdAwHoIsAmEmBeR5FoDpF0iqFkE";
pub(crate) const ORGANIZATION: &str = "organization-test-acme";
pub(crate) const CONNECTION: &str = "external-connection-test-okta";
pub(crate) const REQUEST_ID: &str = "request-id-test-5ad0";
pub(crate) const UPDATE: Operation = UpdateExternalConnection;
/// The role lists of a connection, and of an update.
pub(crate) const ROLES: &str = "external_connection_implicit_role_assignments";
pub(crate) const GROUP_ROLES: &str = "external_group_implicit_role_assignments";
/// The pointers of a JWT's claims about the organization, and to its id.
pub(crate) const ORGANIZATION_CLAIM: &str = "/https:~1~1stytch.com~1organization";
pub(crate) const ORGANIZATION_ID: &str = "/https:~1~1stytch.com~1organization/organization_id";

/// The only key of the project. Generating it takes up to a second.
pub(crate) static KEY: LazyLock<Key> = LazyLock::new(Key::generate);

/// A scripted server that responds as a project does.
pub(crate) struct ScriptedProject {
    pub(crate) server: ScriptedServer,
    replaced: Arc<Mutex<HashMap<Operation, Steps>>>,
}

impl ScriptedProject {
    /// Starts a project in which every request succeeds.
    pub(crate) async fn successful() -> Self {
        Self::start(successful).await
    }

    /// Starts a project whose updates get the response of `update`, which gets the request
    /// and how many updates there were before it.
    pub(crate) async fn start(update: impl Script) -> Self {
        Self::scripted(successful, successful, update).await
    }

    /// Starts a project whose updates all get the same response.
    pub(crate) async fn responding(steps: Steps) -> Self {
        Self::start(move |_, _| steps.clone()).await
    }

    /// Starts a server that responds to every `GET`, `POST` and `PUT` by script.
    pub(crate) async fn scripted(get: impl Script, post: impl Script, put: impl Script) -> Self {
        let replaced = Arc::<Mutex<HashMap<Operation, Steps>>>::default();
        let replacements = Arc::clone(&replaced);
        let counts: [AtomicUsize; 3] = Default::default();
        let server = ScriptedServer::start(move |request, _| {
            let before = |method: usize| counts[method].fetch_add(1, Ordering::SeqCst);
            let steps = match request.method.as_str() {
                "GET" => get(request, before(0)),
                "POST" => post(request, before(1)),
                _ => put(request, before(2)),
            };
            replacements.lock().unwrap().get(&operation(request)).cloned().unwrap_or(steps)
        });
        Self { server: server.await, replaced }
    }

    /// Replaces the response to an operation, from now on.
    pub(crate) fn respond(&self, operation: Operation, steps: Steps) {
        self.replaced.lock().unwrap().insert(operation, steps);
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        builder(&self.server.url())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// The project, and a client of it.
    pub(crate) fn with_client(self) -> (Self, Client) {
        let client = self.client();
        (self, client)
    }

    /// A client without retries.
    pub(crate) fn client_without_retries(&self) -> Client {
        self.builder().retry(RetryPolicy::disabled()).build().unwrap()
    }

    /// How many requests have arrived: of the JWKS, of `sessions/authenticate`, updates.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [self.jwks_requests(), self.authenticate_requests(), self.updates()]
    }

    /// Asserts how many requests of the JWKS and of sessions have arrived.
    #[track_caller]
    pub(crate) fn assert_requests(&self, jwks: usize, authenticate: usize) {
        assert_eq!(self.counts()[..2], [jwks, authenticate], "JWKS, authenticate");
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
    jwt(&claims())
}

/// Ada's session as a token.
pub(crate) fn token() -> Session {
    Session::token(TOKEN)
}

/// A session of these claims.
pub(crate) fn jwt(claims: &Value) -> Session {
    Session::jwt(sign(claims))
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

/// The response to any request that is right.
pub(crate) fn successful(request: &Request, _: usize) -> Steps {
    match request.method.as_str() {
        "GET" => steps::json(200, &jwks()),
        "POST" => {
            let mut response = authenticated(&sign(&claims()));
            if let Some(token) = request.json().get("session_token") {
                response["session_token"] = token.clone();
            }
            steps::json(200, &response)
        }
        _ => steps::json(200, &updated()),
    }
}

/// The project's keys.
pub(crate) fn jwks() -> Value {
    json!({"keys": [KEY.jwk()], "request_id": REQUEST_ID, "status_code": 200})
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
            (ROLES): [],
            (GROUP_ROLES): [],
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

/// The response with such a body.
pub(crate) fn rejection(status: u16, error_type: &str) -> Steps {
    steps::json(status, &rejected(status, error_type))
}

/// These headers.
pub(crate) fn headers_of(given: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// The names of the texts of an error body.
pub(crate) const TEXTS: [&str; 4] = ["request_id", "error_type", "error_message", "error_url"];

/// The texts of Stytch's that an error keeps, in the order of [`TEXTS`].
pub(crate) fn texts(error: &Error) -> [Option<&str>; 4] {
    [error.request_id(), error.error_type(), error.error_message(), error.error_url()]
}

/// What every test of an error asserts: its kind, the status of the response, and whether the
/// change was applied.
pub(crate) fn facts(error: &Error) -> (ErrorKind, Option<u16>, Outcome) {
    (error.kind(), error.status().map(|status| status.as_u16()), error.outcome())
}

fn operation(request: &Request) -> Operation {
    match request.method.as_str() {
        "POST" => AuthenticateSession,
        "PUT" => UPDATE,
        _ if request.target.contains("/jwks/") => GetJwks,
        _ => GetConnections,
    }
}
