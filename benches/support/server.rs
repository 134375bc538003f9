//! The server of the benchmarks: HTTP on loopback, with one canned response per operation.
//!
//! It runs in the client's runtime, so that one thread does all the work in the same order each
//! time. It validates nothing.

use std::{io::Write, sync::Arc};

use stytch_sso_external::testing::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The responses, byte for byte.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) jwks: Vec<u8>,
    /// The policies of the project and of the organization.
    pub(crate) policies: Vec<u8>,
    pub(crate) authenticated: Vec<u8>,
    pub(crate) updated: Vec<u8>,
    pub(crate) denied: Vec<u8>,
    /// The id of the connection whose update is denied.
    pub(crate) denied_id: &'static str,
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
                stream.write_all(response).await.unwrap();
                request.clear();
            }
        }
    }

    /// Returns the response to a request, or `None` while the request is incomplete.
    fn respond(&self, request: &[u8]) -> Option<&[u8]> {
        let (head, body) = str::from_utf8(request).ok()?.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
            return None;
        }
        let (method, rest) = head.split_once(' ')?;
        Some(match method {
            "GET" if rest.starts_with("/v1/b2b/rbac/") => &self.policies,
            "GET" => &self.jwks,
            "POST" => &self.authenticated,
            _ if rest.lines().next()?.contains(self.denied_id) => &self.denied,
            _ => &self.updated,
        })
    }
}

/// Encodes a response as HTTP/1.1.
pub(crate) fn raw(response: &Response) -> Vec<u8> {
    let mut raw = Vec::new();
    write!(raw, "HTTP/1.1 {} -\r\n", response.status()).unwrap();
    for (name, value) in response.headers() {
        write!(raw, "{name}: {value}\r\n").unwrap();
    }
    write!(raw, "content-length: {}\r\n\r\n", response.body().len()).unwrap();
    raw.extend_from_slice(response.body());
    raw
}
