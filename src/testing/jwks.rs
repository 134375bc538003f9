//! `GET /v1/b2b/sessions/jwks/{project_id}`: the published keys.

use serde_json::{Value, json};

use super::{
    jwt::{self, Key},
    project::Project,
    request::Received,
    response::Response,
    responses,
};
use crate::generated::types;

/// Stytch requires no credentials here, but rejects wrong ones.
pub(super) fn jwks(
    project: &Project,
    request: &Received<'_>,
    project_id: &str,
) -> Result<Response, types::Error> {
    if !request.header_values("authorization").is_empty() {
        project.check_credentials(request)?;
    }
    if project_id != project.id {
        return Err(responses::project_not_found());
    }
    let keys: Vec<Value> = project.state().keys.iter().map(published).collect();
    let request_id = project.id_of("request-id");
    let body = json!({"keys": keys, "request_id": request_id, "status_code": 200});
    Ok(Response::json(200, &body))
}

fn published(key: &Key) -> Value {
    let mut published = json!({"use": "sig", "key_ops": ["verify"], "x5c": [], "x5tS256": ""});
    jwt::merge(&mut published, json!(key.jwk()));
    published
}
