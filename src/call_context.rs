//! What every call uses: the transport, the retries, the timeouts and the clock. One for each
//! client.

use std::{sync::Arc, time::Duration};

use tracing::Instrument;

use crate::{
    clock::Clock,
    deadline::Deadline,
    error::Error,
    operation::{Operation, ResponseBody},
    response::Success,
    retry::{Attempts, Retry},
    span::{CallSpan, Server},
    transport::Transport,
};

#[derive(Clone)]
pub(crate) struct CallContext {
    pub(crate) transport: Arc<Transport>,
    pub(crate) retry: Arc<Retry>,
    /// The time for a whole call.
    pub(crate) operation_timeout: Duration,
    /// The time for one HTTP request.
    pub(crate) attempt_timeout: Duration,
    pub(crate) clock: Clock,
    pub(crate) server: Arc<Server>,
}

impl CallContext {
    /// The deadline of a call that begins now.
    pub(crate) fn deadline(&self, operation: Operation) -> Deadline {
        Deadline::after(operation, self.operation_timeout)
    }

    /// The span of a call that begins now.
    pub(crate) fn span(&self, operation: Operation) -> CallSpan {
        CallSpan::new(operation, &self.server)
    }

    /// Makes a call for the project: a span with all its attempts.
    pub(crate) async fn call_as_project<T, F>(
        &self,
        mut attempts: Attempts<'_>,
        attempt: impl Fn() -> F,
    ) -> Result<Success<T>, Error>
    where
        T: ResponseBody,
        F: Future<Output = Result<Success<T>, Error>>,
    {
        let span = self.span(attempts.deadline().operation());
        let attempted = async {
            loop {
                match attempt().await {
                    Ok(success) => return Ok(success),
                    Err(error) => attempts.retry_or_fail(error).await?,
                }
            }
        };
        let outcome = attempted.instrument(span.span().clone()).await;
        span.finish(&outcome, attempts.failed());
        outcome
    }
}
