//! The handler of the README.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use stytch_sso_external::{Client, SessionCookies};

pub(super) async fn move_editors(
    State(client): State<Client>,
    Path((id, from, to)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(session) = SessionCookies::default().session(&headers) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let member = client.as_member(session.clone());
    let edit = member.edit_connection(&id, |edit| {
        if edit.has_group_role(&from, "editor") {
            edit.revoke_group_role(&from, "editor");
            edit.grant_group_role(to, "editor");
        }
    });
    let mut response = match edit.await {
        Ok(connection) => Json(connection).into_response(),
        Err(error) => error.kind().response_status().into_response(),
    };
    // An expired JWT was renewed: set its cookie as your login does.
    if member.session() != session {
        let jwt = member.session().expose_secret().to_owned();
        let cookie = format!("stytch_session_jwt={jwt}; Path=/; Secure; SameSite=Lax");
        response.headers_mut().append(SET_COOKIE, HeaderValue::try_from(cookie).unwrap());
    }
    response
}
