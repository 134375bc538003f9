//! The service: its routes, each as the member who sends the request.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path},
    http::StatusCode,
    middleware,
    response::Response,
    routing::get,
};
use serde_json::json;
use stytch_sso_external::{Client, types::UpdateExternalConnectionRequest};

use crate::{
    edit::{Edit, MAX_CHANGES},
    fake::{self, Fake},
    member::Member,
    origin::{self, Origin},
    page,
    problem::{self, Problem},
    record,
};

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) client: Client,
    pub(crate) origin: Arc<Origin>,
    pub(crate) fake: Option<Arc<Fake>>,
    /// Where members log in.
    pub(crate) login_url: Option<String>,
}

/// All routes of the service.
pub(crate) fn router(service: Service) -> Router {
    let mut router = Router::new()
        .route("/sso/connections", get(list))
        .route("/sso/connections/{connection_id}", get(read).put(replace).patch(edit))
        .merge(page::router());
    if service.fake.is_some() {
        router = router.merge(fake::router());
    }
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(service.clone(), origin::guard))
        .layer(middleware::from_fn(record::record))
        .with_state(service)
}

/// `GET /sso/connections`: the external connections of the member's organization, and whether
/// the member may update them.
async fn list(member: Member) -> Response {
    let (listed, permission) =
        tokio::join!(member.client.connections(), member.permission_to_update());
    let listed = listed.map(|listed| {
        let connections = listed.external_connections;
        json!({"connections": connections, "permission": permission})
    });
    member.respond(listed).await
}

/// `GET /sso/connections/{connection_id}`: one of them.
async fn read(member: Member, Path(id): Path<String>) -> Response {
    let (read, permission) =
        tokio::join!(member.client.connection(&id), member.permission_to_update());
    let read = read.map(|connection| json!({"connection": connection, "permission": permission}));
    member.respond(read).await
}

/// `PUT /sso/connections/{connection_id}`: replaces the fields that the body contains.
async fn replace(
    member: Member,
    Path(id): Path<String>,
    Json(update): Json<UpdateExternalConnectionRequest>,
) -> Response {
    let updated = member.client.update_connection(&id, &update).await.map(|updated| {
        let stytch_request_id = problem::plain(&updated.request_id);
        json!({"connection": updated.connection, "stytch_request_id": stytch_request_id})
    });
    member.respond_to_change(&id, updated, &update).await
}

/// `PATCH /sso/connections/{connection_id}`: grants and revokes single roles. What others
/// changed in the meantime stays.
async fn edit(
    member: Member,
    Path(id): Path<String>,
    Json(changes): Json<Edit>,
) -> Result<Response, Problem> {
    if changes.is_too_long() {
        let detail = format!("An edit has at most {MAX_CHANGES} changes.");
        return Err(Problem::bare(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let mut sent = UpdateExternalConnectionRequest::default();
    let edited = member.client.edit_connection(&id, |edit| {
        changes.apply(edit);
        sent = edit.clone().into_update().unwrap_or_default();
    });
    let edited = edited.await.map(|connection| json!({"connection": connection}));
    Ok(member.respond_to_change(&id, edited, &sent).await)
}

/// Far more than any list of roles needs.
const MAX_BODY_BYTES: usize = 64 * 1024;
