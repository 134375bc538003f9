//! A handler of a service that uses this crate, as its users write it.

use http::{HeaderMap, StatusCode};
use stytch_sso_external::{Client, Error, Session, types::UpdateExternalConnectionRequest};

pub async fn rename(client: &Client, headers: &HeaderMap, id: &str, name: &str) -> StatusCode {
    let Some(session) = Session::from_headers(headers) else {
        return StatusCode::UNAUTHORIZED;
    };
    let update = UpdateExternalConnectionRequest::default().display_name(name);
    match client.as_member(session).update_connection(id, &update).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(error) => StatusCode::from_u16(to_status(&error)).unwrap(),
    }
}

pub fn to_status(error: &Error) -> u16 {
    error.kind().response_status().as_u16()
}
