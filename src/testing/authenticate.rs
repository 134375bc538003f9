//! `POST /v1/b2b/sessions/authenticate`, and the member whose session a request carries.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{
    jwt,
    project::{Project, SessionState, State},
    request::Received,
    response::Response,
    responses, session,
    time::rfc3339,
};
use crate::wire::{Credential, JWT_HEADER, MemberRoles, TOKEN_HEADER, types};

/// Accepts a token, or a JWT that may have expired, of an active session.
pub(super) fn authenticate(
    project: &Project,
    request: &Received<'_>,
) -> Result<Response, types::ErrorBody> {
    project.check_credentials(request)?;
    let request = request.json.as_ref().unwrap_or(&Value::Null);
    let argument = |name: &str| request.get(name).and_then(Value::as_str);
    let session_id = match (argument("session_token"), argument("session_jwt")) {
        (None, None) => return Err(responses::no_session_arguments()),
        (Some(_), Some(_)) => return Err(responses::too_many_session_arguments()),
        (Some(token), None) => session_of_token(&project.state(), token)?,
        (None, Some(jwt)) => session_of_jwt(project, jwt, ExpiredJwt::Accepted)?.0,
    };
    let mut state = project.state();
    let session = touch(&mut state, project, &session_id, request)?;
    let claims = session::claims(&state, project, &session);
    let member = &state.members[&session.member_id];
    // A field that is added to these types stops the build here: set it as Stytch does.
    let member_session = types::MemberSession {
        organization_id: member.organization_id.clone(),
        member_session_id: session.id.clone(),
        roles: Some(MemberRoles::new(member.roles.clone())),
    };
    let others = other_fields(&state, &session);
    let key = state.signing_key();
    // Signing is the slow part: not under the lock.
    drop(state);
    let mut body = json!(types::AuthenticateSessionResponse {
        member_session,
        session_jwt: Some(Credential::new(session::sign(&claims, &key))),
        session_token: Some(Credential::new(session.token)),
        request_id: project.id_of("request-id"),
        status_code: 200,
    });
    jwt::merge(&mut body, others);
    Ok(Response::json(200, &body))
}

/// The member who makes a request.
pub(super) struct Actor {
    pub(super) member_id: String,
    pub(super) organization_id: String,
    /// The member's roles now, or those that the session JWT was minted with.
    pub(super) roles: Vec<String>,
}

/// Returns the member whose session the headers carry, or `None` for the project itself.
pub(super) fn actor(
    project: &Project,
    request: &Received<'_>,
) -> Result<Option<Actor>, types::ErrorBody> {
    let tokens = request.header_values(TOKEN_HEADER.as_str());
    let jwts = request.header_values(JWT_HEADER.as_str());
    let (session_id, minted) = match (tokens.as_slice(), jwts.as_slice()) {
        ([], []) => return Ok(None),
        ([token], []) => (session_of_token(&project.state(), token)?, None),
        ([], [jwt]) => {
            let (session_id, roles) = session_of_jwt(project, jwt, ExpiredJwt::Rejected)?;
            (session_id, Some(roles))
        }
        _ => return Err(responses::too_many_session_arguments()),
    };
    let mut state = project.state();
    let session = touch(&mut state, project, &session_id, &Value::Null)?;
    let member = &state.members[&session.member_id];
    Ok(Some(Actor {
        organization_id: member.organization_id.clone(),
        roles: minted.unwrap_or_else(|| member.roles.clone()),
        member_id: session.member_id,
    }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ExpiredJwt {
    Accepted,
    Rejected,
}

fn session_of_token(state: &State, token: &str) -> Result<String, types::ErrorBody> {
    let session = state.tokens.get(token).cloned();
    session.ok_or_else(responses::session_not_found)
}

fn session_of_jwt(
    project: &Project,
    jwt: &str,
    expired: ExpiredJwt,
) -> Result<(String, Vec<String>), types::ErrorBody> {
    let unusable = responses::unable_to_parse_session_jwt;
    let keys = project.state().keys.clone();
    let claims = project.verified.claims(jwt, &keys).ok_or_else(unusable)?;
    let audience = json!(project.id);
    let is_ours = match &claims["aud"] {
        Value::Array(audiences) => audiences.contains(&audience),
        aud => *aud == audience,
    };
    // RFC 7519 allows fractions.
    let expiry = claims["exp"].as_f64().ok_or_else(unusable)?;
    let now = project.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let has_expired = expiry <= now.as_secs_f64();
    if !is_ours || (has_expired && expired == ExpiredJwt::Rejected) {
        return Err(unusable());
    }
    let session = &claims["https://stytch.com/session"];
    let roles = session["roles"].as_array().into_iter().flatten();
    let roles = roles.filter_map(|role| role.as_str().map(str::to_owned)).collect();
    Ok((session["id"].as_str().ok_or_else(unusable)?.to_owned(), roles))
}

/// Records that the session was used, and extends it if the request asks for that.
fn touch(
    state: &mut State,
    project: &Project,
    session_id: &str,
    request: &Value,
) -> Result<SessionState, types::ErrorBody> {
    let now = project.clock.now();
    let session = state
        .sessions
        .get_mut(session_id)
        .filter(|session| session.is_active_at(now))
        .ok_or_else(responses::session_not_found)?;
    session.last_accessed_at = now;
    if let Some(minutes) = request["session_duration_minutes"].as_u64() {
        session.expires_at = now + Duration::from_secs(minutes * 60);
    }
    Ok(session.clone())
}

/// The fields that the document leaves out.
fn other_fields(state: &State, session: &SessionState) -> Value {
    let member = &state.members[&session.member_id];
    let organization = &state.organizations[&member.organization_id];
    let roles: Vec<Value> = (member.roles.iter())
        .map(|role| json!({"role_id": role, "sources": [{"type": "direct_assignment"}]}))
        .collect();
    json!({
        "member_session": {
            "member_id": session.member_id,
            "organization_slug": organization.slug,
            "started_at": rfc3339(session.started_at),
            "last_accessed_at": rfc3339(session.last_accessed_at),
            "expires_at": rfc3339(session.expires_at),
            "authentication_factors": [],
            "custom_claims": {},
        },
        "member": {
            "member_id": session.member_id,
            "organization_id": member.organization_id,
            "name": member.name,
            "email_address": format!("{}@{}.example", member.name, organization.slug),
            "status": "active",
            "roles": roles,
        },
        "organization": {
            "organization_id": member.organization_id,
            "organization_name": organization.slug,
            "organization_slug": organization.slug,
        },
    })
}
