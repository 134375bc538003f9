//! `GET /v1/b2b/sessions/jwks/{project_id}`: the published keys.

use serde_json::{Value, json};

use super::{Answer, jwt, project::Project, responses, server::Received};
use crate::generated::types;

/// Stytch asks for no credentials here; wrong ones are refused all the same.
pub(super) fn jwks(
    project: &Project,
    request: &Received<'_>,
    project_id: &str,
) -> Result<Answer, types::Error> {
    if !request.header_values("authorization").is_empty() {
        project.admit(request)?;
    }
    if project_id != project.id {
        return Err(responses::error(404, "project_not_found", "Project could not be found."));
    }
    let keys: Vec<Value> = project.state().keys.iter().map(published).collect();
    let request_id = project.id_of("request-id");
    let body = json!({"keys": keys, "request_id": request_id, "status_code": 200});
    Ok(Answer::json(200, &body))
}

fn published(key: &jwt::Key) -> Value {
    let mut published = json!({"use": "sig", "key_ops": ["verify"], "x5c": [], "x5tS256": ""});
    jwt::merge(&mut published, json!(key.jwk()));
    published
}
