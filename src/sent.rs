//! Whether a request's body was handed over to a connection.
//!
//! The HTTP client's error tells that an attempt timed out, not whether it was still
//! connecting. It asks for the body once it has a connection and before the first byte goes
//! out, so a body that nobody asked for was never sent, and neither was its request.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Remembers whether the body that it watches was asked for.
#[derive(Clone, Default)]
pub(crate) struct Sent(Arc<AtomicBool>);

impl Sent {
    /// Watches a body. One that can't be watched counts as sent.
    pub(crate) fn watch(&self, body: &mut reqwest::Body) {
        match body.as_bytes() {
            Some(bytes) => {
                let bytes = Some(Bytes::copy_from_slice(bytes));
                *body = reqwest::Body::wrap(Watched { bytes, sent: self.clone() });
            }
            None => self.0.store(true, Ordering::SeqCst),
        }
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

struct Watched {
    bytes: Option<Bytes>,
    sent: Sent,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent.0.store(true, Ordering::SeqCst);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
