//! Responds to a request: with a scripted fault, or as the function of the operation does.

use std::panic;

use super::{
    authenticate, jwks,
    log::SeenRequest,
    project::Project,
    read,
    request::{Arrival, Received},
    response::Response,
    responses,
    route::Route,
    server::Handler,
    update,
};
use crate::wire::{Operation, types};

impl Handler for Project {
    fn claim_delay(&self, method: &str, path: &str) -> Option<u64> {
        let operation = Route::of(method, path)?.operation;
        let claimed = self.script.next_delay(operation)?;
        // Counted on arrival: the caller may give up before the response.
        self.log.count(operation);
        Some(claimed)
    }

    fn respond(&self, request: &Received<'_>, arrival: Arrival) -> Response {
        let route = Route::of(request.method, request.path);
        let operation = route.as_ref().map(|route| route.operation);
        if let (Arrival::Now, Some(operation)) = (arrival, operation) {
            self.log.count(operation);
        }
        let mut seen = SeenRequest::new(operation, request);
        let fault = operation.and_then(|operation| self.script.next_response(operation));
        let response = match &fault {
            None => perform(self, route.as_ref(), request),
            Some(fault) => {
                if fault.is_after_applying() {
                    perform(self, route.as_ref(), request);
                }
                fault.response_to(&seen).unwrap_or_else(internal_server_error)
            }
        };
        let is_disconnect = fault.is_some_and(|fault| fault.is_disconnect());
        seen.status = if is_disconnect { 0 } else { response.status() };
        self.log.add_request(seen);
        if is_disconnect {
            // httpmock serves each connection in a task of its own, which this ends. It doesn't
            // call the panic hook.
            panic::resume_unwind(Box::new("a fault closed the connection"));
        }
        response
    }

    fn retire(&self) {
        self.script.retire();
    }
}

fn perform(project: &Project, route: Option<&Route>, request: &Received<'_>) -> Response {
    let result = match route.map(|route| (route.operation, &*route.ids)) {
        Some((Operation::UpdateExternalConnection, [organization, connection])) => {
            update::update(project, request, organization, connection)
        }
        Some((Operation::AuthenticateSession, [])) => authenticate::authenticate(project, request),
        Some((Operation::GetJwks, [id])) => jwks::jwks(project, request, id),
        Some((Operation::GetConnections, [organization])) => {
            read::connections(project, request, organization)
        }
        Some((Operation::GetRbacPolicy, [])) => read::policy(project, request),
        Some((Operation::GetOrganizationRbacPolicy, [organization])) => {
            read::organization_policy(project, request, organization)
        }
        _ => Err(responses::error(404, "route_not_found", "The fake has no such route.")),
    };
    result.unwrap_or_else(|error| {
        let request_id = Some(project.id_of("request-id"));
        Response::error(&types::ErrorBody { request_id, ..error })
    })
}

fn internal_server_error() -> Response {
    Response::error(&responses::internal_server_error())
}
