//! What every call uses: the transport, the retries, the timeouts and the clock. One for each
//! client.

use std::{sync::Arc, time::Duration};

use tracing::Instrument;

use super::{
    retry::{Attempts, Retry},
    span::{CallSpan, Server},
};
use crate::{
    error::{Error, Success},
    http::Transport,
    sync::{Clock, Deadline},
    wire::{Operation, ResponseBody},
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

#[cfg(test)]
impl CallContext {
    /// A context whose requests fail, since nothing listens on that port.
    pub(crate) fn unreachable(clock: Clock) -> Self {
        use crate::{
            call::retry::RetryPolicy,
            http::{OperationUrls, TransportConfig},
            wire::PathSegment,
        };

        let config = TransportConfig {
            base_url: "http://127.0.0.1:1".to_owned(),
            urls: OperationUrls::new(&reqwest::Url::parse("http://127.0.0.1:1").unwrap()),
            host_header: http::HeaderValue::from_static("127.0.0.1:1"),
            authorization: http::HeaderValue::from_static("unused"),
            attempt_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            max_response_bytes: 1,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            placeholder: reqwest::Client::builder().no_proxy().build().unwrap(),
            proxy: None,
            clock: clock.clone(),
        };
        let project_id = PathSegment::new("project-test-1").unwrap();
        Self {
            transport: Arc::new(Transport::new(config, project_id, 1)),
            retry: Arc::new(Retry::new(RetryPolicy::disabled(), clock.clone())),
            operation_timeout: Duration::from_secs(1),
            attempt_timeout: Duration::from_secs(1),
            clock,
            server: Arc::new(Server { address: "127.0.0.1".to_owned(), port: 1 }),
        }
    }
}
