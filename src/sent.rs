//! Whether a request's body was handed over to a connection.
//!
//! The HTTP client's error tells that an attempt timed out, not whether it was still
//! connecting. It asks for the body once it has a connection and before the first byte goes
//! out, so a body that nobody asked for was never sent, and neither was its request. Which
//! attempts need it, `wire.rs` says.

use std::{
    mem,
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
    /// Watches a body.
    pub(crate) fn watch(&self, body: &mut reqwest::Body) {
        let watched = Watched { body: mem::take(body), sent: self.clone() };
        *body = reqwest::Body::wrap(watched);
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

struct Watched {
    body: reqwest::Body,
    sent: Sent,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        self.sent.0.store(true, Ordering::SeqCst);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
