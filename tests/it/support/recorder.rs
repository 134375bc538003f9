//! An HTTP server that records requests byte for byte and returns scripted responses.
//!
//! The fake redacts credentials; this is for tests of the exact bytes.

use std::sync::{Arc, Mutex};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use stytch_sso_external::testing::Response;

pub(crate) struct Recorder {
    server: MockServer,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let values = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body must be JSON")
    }
}

impl Recorder {
    /// Starts a server that responds to each request with the result of `respond`.
    pub(crate) async fn start(respond: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Self {
        super::capture::install();
        let server = MockServer::start_async().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        server.mock(|_, then| {
            then.respond_with(move |request: &HttpMockRequest| {
                let request = Seen {
                    method: request.method_str().to_owned(),
                    path: request.uri().path_and_query().expect("a path").to_string(),
                    headers: request.headers_vec().clone(),
                    body: request.body_vec(),
                };
                let response = respond(&request);
                kept.lock().unwrap().push(request);
                to_httpmock(&response)
            });
        });
        Self { server, seen }
    }

    pub(crate) fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// The requests whose path contains `part`.
    pub(crate) fn seen(&self, part: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| request.path.contains(part)).cloned().collect()
    }
}

fn to_httpmock(response: &Response) -> HttpMockResponse {
    HttpMockResponse::builder()
        .status(response.status())
        .headers(response.headers().iter().cloned())
        .body(response.body().to_vec())
        .build()
}
