//! The session of a logged-in member.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderValue, header::COOKIE};
use serde_json::{Value, json};

use super::{
    ids::random_token,
    jwt::{self, Key},
    project::{Project, SessionState, State},
    time::{rfc3339, unix_seconds},
};

/// The session of a logged-in member, as a token and as JWTs.
///
/// A clone is the same session.
///
/// ```
/// use std::time::Duration;
/// use serde_json::json;
/// use stytch_sso_external::testing::Stytch;
///
/// let stytch = Stytch::start();
/// let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
///
/// // Five minutes later the JWT has expired, but the session is still active.
/// stytch.clock().advance(Duration::from_secs(301));
/// assert_ne!(ada.fresh_jwt(), ada.jwt());
///
/// // A JWT with other claims, signed by the project; `null` removes a claim.
/// let forged = ada.mint(json!({"aud": ["project-test-other"], "nbf": null}));
/// # assert_ne!(forged, ada.jwt());
///
/// // Ends the session.
/// ada.revoke();
/// ```
#[derive(Clone)]
pub struct LoggedIn {
    project: Arc<Project>,
    session_id: String,
    token: String,
    at_login: Arc<AtLogin>,
}

/// The content of the first JWT. It is signed on first use: signing takes a millisecond, and
/// some sessions are only used by their token.
struct AtLogin {
    claims: Value,
    key: Key,
    jwt: OnceLock<String>,
}

impl LoggedIn {
    pub(super) fn start(project: Arc<Project>, member_id: &str, lifetime: Duration) -> Self {
        let now = project.clock.now();
        let session = SessionState {
            id: project.id_of("member-session"),
            member_id: member_id.to_owned(),
            token: random_token(),
            started_at: now,
            last_accessed_at: now,
            expires_at: now + lifetime,
            is_revoked: false,
        };
        let mut state = project.state();
        let at_login = AtLogin {
            claims: claims(&state, &project, &session),
            key: state.signing_key(),
            jwt: OnceLock::new(),
        };
        let (session_id, token) = (session.id.clone(), session.token.clone());
        state.tokens.insert(token.clone(), session_id.clone());
        state.sessions.insert(session_id.clone(), session);
        drop(state);
        Self { project, session_id, token, at_login: Arc::new(at_login) }
    }

    /// Returns the session token.
    pub fn token(&self) -> String {
        self.token.clone()
    }

    /// Returns the session JWT that the member got at login. It expires five minutes after
    /// login, as Stytch's do.
    pub fn jwt(&self) -> String {
        let AtLogin { claims, key, jwt } = &*self.at_login;
        jwt.get_or_init(|| sign(claims, key)).clone()
    }

    /// Returns a session JWT that is issued now.
    pub fn fresh_jwt(&self) -> String {
        self.mint(json!({}))
    }

    /// Returns a session JWT that is issued now, with its claims changed by a JSON merge patch:
    /// claims in it are replaced, `null` removes a claim.
    ///
    /// The project signs it, so only its claims are invalid. For a JWT with another defect, use
    /// [`jwt`](super::jwt).
    pub fn mint(&self, patch: Value) -> String {
        let mut claims = self.claims();
        jwt::merge(&mut claims, patch);
        let key = self.project.state().signing_key();
        sign(&claims, &key)
    }

    /// Returns the headers of a request from the member's browser: a `Cookie` with the token
    /// and a JWT that is **issued now**, with the cookie names of Stytch's frontend SDKs. For the JWT
    /// of the login, which expires as the fake's clock advances, use [`jwt`](Self::jwt).
    ///
    /// [`Session::from_headers`](crate::Session::from_headers) reads them, so a handler can be
    /// tested as a whole:
    ///
    /// ```
    /// use stytch_sso_external::{Session, testing::Stytch};
    ///
    /// let stytch = Stytch::start();
    /// let bob = stytch.organization("acme").member("bob", &[]).log_in();
    /// assert_eq!(Session::from_headers(&bob.headers()), Some(Session::jwt(bob.fresh_jwt())));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a header can't carry them, which doesn't happen with tokens and JWTs.
    pub fn headers(&self) -> HeaderMap {
        let cookie =
            format!("stytch_session={}; stytch_session_jwt={}", self.token, self.fresh_jwt());
        let mut cookie =
            HeaderValue::from_str(&cookie).expect("tokens and JWTs are valid header values");
        cookie.set_sensitive(true);
        HeaderMap::from_iter([(COOKIE, cookie)])
    }

    /// Returns the claims of a JWT that is issued now.
    pub fn claims(&self) -> Value {
        let state = self.project.state();
        claims(&state, &self.project, &state.sessions[&self.session_id])
    }

    /// The id of the session.
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Returns when the session expires.
    pub fn expires_at(&self) -> SystemTime {
        self.project.state().sessions[&self.session_id].expires_at
    }

    /// Ends the session: its token and all its JWTs are rejected from now on.
    pub fn revoke(&self) {
        let mut state = self.project.state();
        if let Some(session) = state.sessions.get_mut(&self.session_id) {
            session.is_revoked = true;
        }
    }
}

/// Shows the session id, not the credentials.
impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}

/// Returns the claims of a JWT that is issued now.
pub(super) fn claims(state: &State, project: &Project, session: &SessionState) -> Value {
    let member = &state.members[&session.member_id];
    let organization = &state.organizations[&member.organization_id];
    let now = project.clock.now();
    json!({
        "aud": [project.id],
        "iss": format!("stytch.com/{}", project.id),
        "sub": session.member_id,
        "iat": unix_seconds(now),
        "nbf": unix_seconds(now),
        "exp": unix_seconds(now + project.jwt_lifetime),
        "https://stytch.com/organization": {
            "organization_id": member.organization_id,
            "slug": organization.slug,
        },
        "https://stytch.com/session": {
            "id": session.id,
            "started_at": rfc3339(session.started_at),
            "last_accessed_at": rfc3339(session.last_accessed_at),
            "expires_at": rfc3339(session.expires_at),
            "attributes": {"ip_address": "", "user_agent": ""},
            "authentication_factors": [],
            "roles": member.roles,
        },
    })
}

/// Signs claims as the project does.
pub(super) fn sign(claims: &Value, key: &Key) -> String {
    let header = json!({"alg": "RS256", "kid": key.kid(), "typ": "JWT"});
    jwt::sign(&header, claims, key)
}
