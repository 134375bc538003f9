//! The service: its routes, each as the member who sends the request.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Path,
        rejection::{JsonRejection, PathRejection},
    },
    http::StatusCode,
    middleware,
    response::Response,
    routing::get,
};
use stytch_sso_external::{Client, Error, types::UpdateExternalConnectionRequest};

use crate::{
    connection::{Changed, Edit, Listed, MAX_CHANGES, Read, Replacement, Shown},
    fake::{self, Fake},
    member::Member,
    origin::{self, Origin},
    page,
    problem::Problem,
    record,
};

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) client: Client,
    pub(crate) origin: Arc<Origin>,
    pub(crate) fake: Option<Arc<Fake>>,
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
        .fallback(|| async { Problem::bare(StatusCode::NOT_FOUND, "There is no such page.") })
        .method_not_allowed_fallback(|| async {
            let detail = "This method is not supported here.";
            Problem::bare(StatusCode::METHOD_NOT_ALLOWED, detail)
        })
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
    match listed {
        Ok(listed) => member.respond(Json(Listed {
            connections: listed.external_connections.into_iter().map(Shown::from).collect(),
            permission,
        })),
        Err(error) => member.respond(member.problem(&error).await),
    }
}

/// `GET /sso/connections/{connection_id}`: one of them.
async fn read(
    member: Member,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let (read, permission) =
        tokio::join!(member.client.connection(&id), member.permission_to_update());
    Ok(match read {
        Ok(connection) => member.respond(Json(Read { connection: connection.into(), permission })),
        Err(error) => member.respond(member.problem(&error).await),
    })
}

/// `PUT /sso/connections/{connection_id}`: replaces the fields that the body contains.
async fn replace(
    member: Member,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Replacement>, JsonRejection>,
) -> Result<Response, Problem> {
    let (Path(id), Json(replacement)) = (id?, body?);
    let update = replacement.into();
    let updated = member.client.update_connection(&id, &update).await.map(Changed::from);
    Ok(changed(&member, &id, updated, &update).await)
}

/// `PATCH /sso/connections/{connection_id}`: grants and revokes single roles. What others
/// changed in the meantime stays.
async fn edit(
    member: Member,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Edit>, JsonRejection>,
) -> Result<Response, Problem> {
    let (Path(id), Json(changes)) = (id?, body?);
    if changes.is_too_long() {
        let detail = format!("An edit has at most {MAX_CHANGES} changes.");
        return Err(Problem::bare(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let mut sent = UpdateExternalConnectionRequest::default();
    let edited = member.client.edit_connection(&id, |edit| {
        changes.apply(edit);
        sent = edit.clone().into_update().unwrap_or_default();
    });
    let edited = edited.await.map(Changed::from);
    Ok(changed(&member, &id, edited, &sent).await)
}

async fn changed(
    member: &Member,
    connection_id: &str,
    result: Result<Changed, Error>,
    sent: &UpdateExternalConnectionRequest,
) -> Response {
    match result {
        Ok(changed) => {
            let stytch_request_id = changed.stytch_request_id.as_deref();
            // Cached, since the update has just used it.
            let organization_id = member.client.organization_id().await.ok();
            tracing::info!(organization_id, connection_id, stytch_request_id, "changed");
            member.respond(Json(changed))
        }
        Err(error) => {
            let problem = member.problem(&error).await;
            member.respond(problem.of_change(&error, sent))
        }
    }
}

/// Far more than any list of roles needs.
const MAX_BODY_BYTES: usize = 64 * 1024;
