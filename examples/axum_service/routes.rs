//! The service: its routes, and the update as the member who sends the request.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Path, State,
        rejection::{JsonRejection, PathRejection},
    },
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    middleware,
    response::{IntoResponse, Response},
    routing::put,
};
use stytch_sso_external::{Client, Error, Session, types::UpdateExternalConnectionResponse};

use crate::{
    connection::{Change, Updated},
    cookie,
    fake::{self, Fake},
    origin,
    origin::Origin,
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
}

/// All routes of the service.
pub(crate) fn router(service: Service) -> Router {
    let mut router =
        Router::new().route("/sso/connections/{connection_id}", put(update)).merge(page::router());
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

/// `PUT /sso/connections/{connection_id}`: updates a connection as the member whose session the
/// request carries.
async fn update(
    State(service): State<Service>,
    connection_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    change: Result<Json<Change>, JsonRejection>,
) -> Response {
    let Some(session) = Session::from_headers(&headers) else {
        return Problem::logged_out().into_response();
    };
    let (connection_id, change) = match read(connection_id, change) {
        Ok(read) => read,
        Err(problem) => return problem.into_response(),
    };
    let member = service.client.as_member(session.clone());
    let mut response = match member.update_connection(&connection_id, &change.into()).await {
        Ok(response) => updated(response),
        Err(error) => failed(&error),
    };
    // After an error too: the session was renewed nonetheless.
    let renewed = cookie::renewed(&session, &member.session(), &headers, &service.origin);
    if let Some(cookie) = renewed {
        tracing::info!("the session JWT had expired and was renewed");
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn read(
    connection_id: Result<Path<String>, PathRejection>,
    change: Result<Json<Change>, JsonRejection>,
) -> Result<(String, Change), Problem> {
    let Path(connection_id) =
        connection_id.map_err(|wrong| Problem::bare(wrong.status(), wrong.body_text()))?;
    // The parser's message is about the caller's own body.
    let Json(change) = change.map_err(|wrong| Problem::bare(wrong.status(), wrong.body_text()))?;
    Ok((connection_id, change))
}

fn updated(response: UpdateExternalConnectionResponse) -> Response {
    let stytch_request_id = problem::plain(&response.request_id).map(str::to_owned);
    tracing::info!(stytch_request_id, "updated");
    Json(Updated { connection: response.connection.into(), stytch_request_id }).into_response()
}

fn failed(error: &Error) -> Response {
    let outcome = error.outcome();
    match error {
        Error::PermissionDenied { .. }
        | Error::SessionInvalid(_)
        | Error::NotFound(_)
        | Error::InvalidUpdate(_) => tracing::info!(%error, ?outcome, "rejected"),
        Error::CredentialsRejected(_) => {
            tracing::error!(%error, ?outcome, "Stytch rejected the project's credentials");
        }
        _ => tracing::warn!(%error, ?outcome, "failed"),
    }
    Problem::from(error).into_response()
}

/// Far more than any list of roles needs.
const MAX_BODY_BYTES: usize = 64 * 1024;
