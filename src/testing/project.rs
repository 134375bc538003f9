//! The project behind the stand-in: what exists in it, and how a request is answered.
//!
//! Everything is in memory behind one lock that is never held while a request waits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use super::{
    Answer, SeenRequest, authenticate, id, jwks,
    jwt::{Key, VerifiedJwts},
    lock,
    log::Log,
    operation::Route,
    rbac::{Policy, Role},
    responses,
    script::Script,
    server::Received,
    update,
};
use crate::{clock::Clock, generated::types};
use base64::{Engine, engine::general_purpose::STANDARD};

pub(super) struct Project {
    pub(super) id: String,
    pub(super) secret: String,
    /// `test` or `live`, which stands in every id.
    pub(super) environment: &'static str,
    pub(super) clock: Clock,
    pub(super) jwt_lifetime: Duration,
    pub(super) script: Arc<Script>,
    pub(super) log: Log,
    pub(super) verified: VerifiedJwts,
    /// The one `Authorization` header that is admitted.
    authorization: String,
    state: Mutex<State>,
}

/// What exists in the project, by id.
pub(super) struct State {
    pub(super) policy: Policy,
    pub(super) organizations: HashMap<String, OrganizationState>,
    pub(super) members: HashMap<String, MemberState>,
    pub(super) connections: HashMap<String, ConnectionState>,
    pub(super) sessions: HashMap<String, SessionState>,
    /// Session token to session id.
    pub(super) tokens: HashMap<String, String>,
    /// The published keys; the last one signs.
    pub(super) keys: Vec<Key>,
    /// How many keys the project has had.
    pub(super) keys_made: usize,
}

impl State {
    pub(super) fn signing_key(&self) -> Key {
        let key = self.keys.last().cloned();
        key.expect("a project always has a key")
    }
}

pub(super) struct OrganizationState {
    pub(super) slug: String,
    pub(super) roles: Vec<Role>,
}

pub(super) struct MemberState {
    pub(super) organization_id: String,
    pub(super) name: String,
    pub(super) roles: Vec<String>,
}

pub(super) struct ConnectionState {
    pub(super) connection: types::ExternalConnection,
    pub(super) underlying: Underlying,
}

/// What stands behind an external connection, as far as it limits an update.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Underlying {
    Saml,
    SamlWithoutGroups,
    Oidc,
}

#[derive(Clone)]
pub(super) struct SessionState {
    pub(super) id: String,
    pub(super) member_id: String,
    pub(super) token: String,
    pub(super) started_at: SystemTime,
    pub(super) last_accessed_at: SystemTime,
    pub(super) expires_at: SystemTime,
    pub(super) is_revoked: bool,
}

impl SessionState {
    pub(super) fn lives_at(&self, now: SystemTime) -> bool {
        !self.is_revoked && now < self.expires_at
    }
}

/// Whether a request was held back, and counted, before it is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Now,
    Delayed,
}

impl Project {
    pub(super) fn new(settings: super::StytchBuilder) -> Self {
        let environment =
            if settings.project_id.starts_with("project-live-") { "live" } else { "test" };
        let credentials = format!("{}:{}", settings.project_id, settings.secret);
        Self {
            authorization: format!("Basic {}", STANDARD.encode(credentials)),
            verified: VerifiedJwts::default(),
            id: settings.project_id,
            secret: settings.secret,
            environment,
            clock: settings.clock,
            jwt_lifetime: settings.jwt_lifetime,
            script: Arc::default(),
            log: Log::new(settings.requests_kept, settings.updates_kept),
            state: Mutex::new(State {
                policy: Policy::default(),
                organizations: HashMap::new(),
                members: HashMap::new(),
                connections: HashMap::new(),
                sessions: HashMap::new(),
                tokens: HashMap::new(),
                keys: vec![Key::of_project(0, environment)],
                keys_made: 1,
            }),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn id_of(&self, kind: &str) -> String {
        id(kind, self.environment)
    }

    /// Answers a request, by a fault where one is scripted.
    pub(super) fn answer(&self, request: &Received<'_>, arrival: Arrival) -> Answer {
        let route = Route::of(request.method, request.path);
        let operation = route.as_ref().map(Route::operation);
        if let (Arrival::Now, Some(operation)) = (arrival, operation) {
            self.log.count(operation);
        }
        let mut seen = SeenRequest::new(operation, request);
        let fault = operation.and_then(|operation| self.script.next_answer(operation));
        let answer = match &fault {
            None => self.carry_out(route.as_ref(), request),
            Some(fault) => {
                if fault.is_after_applying() {
                    self.carry_out(route.as_ref(), request);
                }
                fault.answer_to(&seen).unwrap_or_else(gone_wrong)
            }
        };
        seen.status = answer.status();
        self.log.answered(seen);
        answer
    }

    fn carry_out(&self, route: Option<&Route>, request: &Received<'_>) -> Answer {
        let outcome = match route {
            Some(Route::Update { organization, connection }) => {
                update::update(self, request, organization, connection)
            }
            Some(Route::Authenticate) => authenticate::authenticate(self, request),
            Some(Route::Jwks { project }) => jwks::jwks(self, request, project),
            None => {
                Err(responses::error(404, "route_not_found", "This stand-in has no such route."))
            }
        };
        match outcome {
            Ok(answer) => answer,
            Err(error) => {
                Answer::error(&types::Error { request_id: Some(self.id_of("request-id")), ..error })
            }
        }
    }

    /// Checks the project's credentials.
    pub(super) fn admit(&self, request: &Received<'_>) -> Result<(), types::Error> {
        match request.header_values("authorization").as_slice() {
            [value] if *value == self.authorization => Ok(()),
            _ => Err(responses::credentials_rejected()),
        }
    }
}

fn gone_wrong() -> Answer {
    Answer::error(&responses::internal_server_error())
}
