//! An HTTP server that keeps what arrives, byte for byte, and answers what it is told.
//!
//! The stand-in redacts what it sees; where a test is about the very bytes, this is used.

use std::sync::{Arc, Mutex};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use stytch_sso_external::testing::Answer;

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
    /// Starts a server that answers each request with what `answer` makes of it.
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
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
                let answer = answer(&request);
                kept.lock().unwrap().push(request);
                respond(&answer)
            });
        });
        Self { server, seen }
    }

    pub(crate) fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// What arrived under a path that contains `part`.
    pub(crate) fn seen(&self, part: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| request.path.contains(part)).cloned().collect()
    }
}

fn respond(answer: &Answer) -> HttpMockResponse {
    HttpMockResponse::builder()
        .status(answer.status())
        .headers(answer.headers().iter().cloned())
        .body(answer.body().to_vec())
        .build()
}
