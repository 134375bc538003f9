//! The project of a fake: everything that exists in it.
//!
//! The state is in memory behind one lock that is never held while a request waits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    ids::{id, random_token},
    jwt::{Key, VerifiedJwts},
    log::Log,
    rbac::{Policy, Role},
    request::Received,
    responses,
    script::Script,
};
use crate::{
    sync::{Clock, lock},
    wire::types,
};

/// The configuration of a project.
pub(super) struct Settings {
    pub(super) project_id: String,
    pub(super) secret: String,
    pub(super) clock: Clock,
    pub(super) jwt_lifetime: Duration,
    pub(super) requests_kept: usize,
    pub(super) updates_kept: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            project_id: id("project", "test"),
            secret: format!("secret-test-{}", random_token()),
            clock: Clock::stopped(),
            jwt_lifetime: Duration::from_secs(5 * 60),
            requests_kept: 1_000,
            updates_kept: 10_000,
        }
    }
}

pub(super) struct Project {
    pub(super) id: String,
    pub(super) secret: String,
    /// `test` or `live`, which every id contains.
    pub(super) environment: &'static str,
    pub(super) clock: Clock,
    pub(super) jwt_lifetime: Duration,
    pub(super) script: Arc<Script>,
    pub(super) log: Log,
    pub(super) verified: VerifiedJwts,
    /// The one `Authorization` header that is accepted.
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
    /// The order in which connections are listed.
    pub(super) sequence: usize,
}

/// The underlying connection of an external connection, as far as it limits an update.
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
    pub(super) fn is_active_at(&self, now: SystemTime) -> bool {
        !self.is_revoked && now < self.expires_at
    }
}

impl Project {
    pub(super) fn new(settings: Settings) -> Self {
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

    /// Returns a new id of the project's environment.
    pub(super) fn id_of(&self, kind: &str) -> String {
        id(kind, self.environment)
    }

    /// Checks the project's credentials.
    pub(super) fn check_credentials(&self, request: &Received<'_>) -> Result<(), types::ErrorBody> {
        match request.header_values("authorization").as_slice() {
            [value] if *value == self.authorization => Ok(()),
            _ => Err(responses::credentials_rejected()),
        }
    }
}
