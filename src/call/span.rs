//! The tracing span of a call, with OpenTelemetry's attribute names.
//!
//! Nothing of a request's or response's content goes into it but the status and, where they
//! look like Stytch's, the request id and the error type.

use tracing::{Span, field::Empty};

use crate::{
    error::{Attempted, Error, loggable_request_id},
    http::BaseUrl,
    wire::{Operation, ResponseBody},
};

/// The span of one call of an operation with all its attempts. Dropped unfinished, it records
/// that the call was cancelled.
pub(crate) struct CallSpan {
    /// For what belongs to the call.
    pub(crate) span: Span,
    operation: Operation,
    is_finished: bool,
}

impl CallSpan {
    pub(crate) fn new(operation: Operation, base_url: &BaseUrl) -> Self {
        let span = tracing::info_span!(
            "stytch.call",
            otel.name = format!("{} {}", operation.method(), operation.path()),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = operation.method().as_str(),
            url.template = operation.path(),
            server.address = base_url.host,
            server.port = base_url.port,
            http.response.status_code = Empty,
            http.request.resend_count = Empty,
            error.type = Empty,
            stytch.request_id = Empty,
        );
        Self { span, operation, is_finished: false }
    }

    /// Records the result of the call, which had this many failed attempts.
    pub(crate) fn finish<T: ResponseBody>(mut self, outcome: &Attempted<T>, failed_attempts: u32) {
        self.is_finished = true;
        if self.span.is_disabled() {
            return;
        }
        let (status, request_id, resends) = match outcome {
            Ok(response) => {
                let request_id = loggable_request_id(response.request_id());
                (Some(response.status()), request_id, failed_attempts)
            }
            Err(error) => {
                // The response of another request, `sessions/authenticate` for one, has its own
                // span.
                let own = Some(error).filter(|error| error.operation() == self.operation);
                let request_id = own.and_then(Error::loggable_request_id);
                (own.and_then(Error::status), request_id, failed_attempts.saturating_sub(1))
            }
        };
        // A record without a value would leave a space in a log.
        if let Some(status) = status {
            self.span.record("http.response.status_code", status.as_u16());
        }
        if let Some(request_id) = request_id {
            self.span.record("stytch.request_id", request_id);
        }
        if resends > 0 {
            self.span.record("http.request.resend_count", resends);
        }
        if let Err(error) = outcome {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", error.loggable_type());
        }
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.is_finished {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", "cancelled");
        }
    }
}
