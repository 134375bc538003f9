//! The far end of the benchmarks: HTTP on loopback, with one canned answer per question.
//!
//! It runs in the client's own runtime, so that one thread does all the work, in the same
//! order each time. It looks at nothing that it could refuse: that is for the tests.

use std::{io::Write, sync::Arc};

use stytch_sso_external::testing::Answer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is answered, to the byte.
pub(crate) struct FarEnd {
    pub(crate) jwks: Vec<u8>,
    pub(crate) authenticated: Vec<u8>,
    pub(crate) updated: Vec<u8>,
    pub(crate) refused: Vec<u8>,
    /// The connection whose update is refused.
    pub(crate) refused_id: &'static str,
}

impl FarEnd {
    /// Answers from now on, at the address that it gives back.
    pub(crate) async fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let far_end = Arc::new(self);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&far_end).talk(stream));
            }
        });
        base_url
    }

    async fn talk(self: Arc<Self>, mut stream: TcpStream) {
        let mut request = Vec::with_capacity(8 * 1024);
        while stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
            if let Some(answer) = self.answer(&request) {
                stream.write_all(answer).await.unwrap();
                request.clear();
            }
        }
    }

    /// The answer to a request, once all of it is there.
    fn answer(&self, request: &[u8]) -> Option<&[u8]> {
        let (head, body) = str::from_utf8(request).ok()?.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
            return None;
        }
        let (method, rest) = head.split_once(' ')?;
        Some(match method {
            "GET" => &self.jwks,
            "POST" => &self.authenticated,
            _ if rest.lines().next()?.contains(self.refused_id) => &self.refused,
            _ => &self.updated,
        })
    }
}

/// An answer as it goes over the wire.
pub(crate) fn raw(answer: &Answer) -> Vec<u8> {
    let mut raw = Vec::new();
    write!(raw, "HTTP/1.1 {} -\r\n", answer.status()).unwrap();
    for (name, value) in answer.headers() {
        write!(raw, "{name}: {value}\r\n").unwrap();
    }
    write!(raw, "content-length: {}\r\n\r\n", answer.body().len()).unwrap();
    raw.extend_from_slice(answer.body());
    raw
}
