//! The session of a member who is logged in.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderValue, header::COOKIE};
use serde_json::{Value, json};

use super::{
    jwt::{self, Key},
    project::{Project, SessionState, State},
    time::{rfc3339, unix_seconds},
};

/// A member who is logged in: their session, as a token and as JWTs.
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
/// // Five minutes later the JWT has expired, and the session lives on.
/// stytch.clock().advance(Duration::from_secs(301));
/// assert_ne!(ada.fresh_jwt(), ada.jwt());
///
/// // A JWT with other claims, signed by the project; `null` takes a claim out.
/// let forged = ada.mint(json!({"aud": ["project-test-other"], "nbf": null}));
/// # assert_ne!(forged, ada.jwt());
///
/// // The session ends.
/// ada.revoke();
/// ```
#[derive(Clone)]
pub struct LoggedIn {
    project: Arc<Project>,
    session_id: String,
    token: String,
    at_login: Arc<AtLogin>,
}

/// What the first JWT is made of: signing takes a millisecond, which a session that is only
/// used by its token doesn't spend.
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
            token: super::random_token(),
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

    /// The session token.
    #[must_use]
    pub fn token(&self) -> String {
        self.token.clone()
    }

    /// The session JWT that the member got at login. It expires five minutes after that, as
    /// Stytch's do.
    #[must_use]
    pub fn jwt(&self) -> String {
        let AtLogin { claims, key, jwt } = &*self.at_login;
        jwt.get_or_init(|| sign(claims, key)).clone()
    }

    /// A session JWT that is minted now, as the member's browser would hold one by now.
    #[must_use]
    pub fn fresh_jwt(&self) -> String {
        self.mint(json!({}))
    }

    /// A session JWT that is minted now, with its claims changed by `patch` as a JSON merge
    /// patch: what it names is replaced, `null` takes a claim out.
    ///
    /// The project signs it, so that only its claims are wrong. Whatever else must be wrong
    /// is made with [`jwt`](super::jwt).
    #[must_use]
    pub fn mint(&self, patch: Value) -> String {
        let mut claims = self.claims();
        jwt::merge(&mut claims, patch);
        let key = self.project.state().signing_key();
        sign(&claims, &key)
    }

    /// The headers of a request from the member's browser: a `Cookie` with the token and a
    /// JWT that is minted now, named as Stytch's frontend SDKs name them.
    ///
    /// It is what [`Session::from_headers`](crate::Session::from_headers) looks for, so a
    /// handler can be tested as a whole:
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
    /// When a header can't carry them, which doesn't happen with tokens and JWTs.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let cookie =
            format!("stytch_session={}; stytch_session_jwt={}", self.token, self.fresh_jwt());
        let mut cookie = HeaderValue::from_str(&cookie).expect("a cookie fits into a header");
        cookie.set_sensitive(true);
        HeaderMap::from_iter([(COOKIE, cookie)])
    }

    /// The claims of a JWT that is minted now.
    #[must_use]
    pub fn claims(&self) -> Value {
        let state = self.project.state();
        claims(&state, &self.project, &state.sessions[&self.session_id])
    }

    /// The id of the session.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// When the session ends by itself.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.project.state().sessions[&self.session_id].expires_at
    }

    /// Ends the session: its token and all its JWTs are refused from now on.
    pub fn revoke(&self) {
        let mut state = self.project.state();
        if let Some(session) = state.sessions.get_mut(&self.session_id) {
            session.is_revoked = true;
        }
    }
}

/// Shows whose session it is, and none of its credentials.
impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}

/// The claims of a JWT that is minted now.
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
