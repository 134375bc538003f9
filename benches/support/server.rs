//! The server of the benchmarks: HTTP on loopback, with one canned response for each operation.
//!
//! It validates nothing. In the client's runtime, one thread does all the work in the same order
//! each time, so that instruction counts are reproducible.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The responses, as [`raw`] encodes them.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) jwks: String,
    /// The policies of the project and of the organization.
    pub(crate) policies: String,
    /// The response of `sessions/authenticate`. [`NUMBER`] in it is another number each time.
    pub(crate) authenticated: String,
    pub(crate) updated: String,
    /// The response to an update of the connection [`DENIED`].
    pub(crate) denied: String,
    /// The delay of an update.
    pub(crate) delay: Duration,
    /// How many sessions were authenticated.
    pub(crate) authentications: AtomicU64,
}

impl Server {
    /// Starts to serve, and returns the base URL.
    pub(crate) async fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(self);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&server).serve(stream));
            }
        });
        base_url
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut request = Vec::with_capacity(8 * 1024);
        while stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
            if let Some(response) = self.respond(&request) {
                if !self.delay.is_zero() && request.starts_with(b"PUT") {
                    tokio::time::sleep(self.delay).await;
                }
                stream.write_all(response.as_bytes()).await.unwrap();
                request.clear();
            }
        }
    }

    /// Returns the response to a request, or `None` while the request is incomplete.
    fn respond(&self, request: &[u8]) -> Option<Cow<'_, str>> {
        let (head, body) = str::from_utf8(request).ok()?.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
            return None;
        }
        let (method, rest) = head.split_once(' ')?;
        let response = match method {
            "POST" => {
                let number = self.authentications.fetch_add(1, Ordering::Relaxed);
                let number = format!("{number:0width$}", width = NUMBER.len());
                return Some(self.authenticated.replace(NUMBER, &number).into());
            }
            "GET" if rest.starts_with("/v1/b2b/rbac/") => &self.policies,
            "GET" => &self.jwks,
            _ if rest.lines().next()?.contains(DENIED) => &self.denied,
            _ => &self.updated,
        };
        Some(response.into())
    }
}

/// Encodes a response as HTTP/1.1.
pub(crate) fn raw(status: u16, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// What is replaced in a session JWT, so that it differs each time: valid base64.
pub(crate) const NUMBER: &str = "------------";

/// A connection whose update is denied.
pub(crate) const DENIED: &str = "external-connection-test-b05c992f-ebdc-489d-a754-c7e70ba13141";
