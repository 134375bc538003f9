//! `GET /v1/b2b/sessions/jwks/{project_id}`: the published keys.

use serde_json::{Value, json};

use super::{
    jwt::{self, Key},
    project::Project,
    request::Received,
    response::Response,
    responses,
};
use crate::wire::types;

/// Stytch requires no credentials here, but rejects wrong ones.
pub(super) fn jwks(
    project: &Project,
    request: &Received<'_>,
    project_id: &str,
) -> Result<Response, types::ErrorBody> {
    if !request.header_values("authorization").is_empty() {
        project.check_credentials(request)?;
    }
    if project_id != project.id {
        return Err(responses::project_not_found());
    }
    let state = project.state();
    let keys: Vec<Value> = state.keys.iter().map(published).collect();
    // A field that is added to the document stops the build here: set it as Stytch does.
    let mut body = json!(types::GetJwksResponse {
        keys: state.keys.iter().map(Key::jwk).collect(),
        request_id: project.id_of("request-id"),
    });
    jwt::merge(&mut body, json!({"keys": keys, "status_code": 200}));
    Ok(Response::json(200, &body))
}

fn published(key: &Key) -> Value {
    let mut published = json!({"use": "sig", "key_ops": ["verify"], "x5c": [], "x5tS256": ""});
    jwt::merge(&mut published, json!(key.jwk()));
    published
}
