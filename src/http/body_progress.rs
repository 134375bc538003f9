//! Detects whether a request's body was handed to a connection.
//!
//! A timeout error of the HTTP client doesn't show whether the attempt was still connecting.
//! The client polls the body once it has a connection and before the first byte goes out, so
//! an attempt whose body was never polled was never sent. `hooks.rs` decides which attempts
//! need this.

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

/// Records whether the body that it watches was polled.
#[derive(Clone, Default)]
pub(crate) struct BodyProgress(Arc<AtomicBool>);

impl BodyProgress {
    /// Wraps a body so that polling it is recorded.
    pub(crate) fn watch(&self, body: &mut reqwest::Body) {
        let watched = Watched { body: mem::take(body), progress: self.clone() };
        *body = reqwest::Body::wrap(watched);
    }

    pub(crate) fn has_started(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

struct Watched {
    body: reqwest::Body,
    progress: BodyProgress,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        self.progress.0.store(true, Ordering::SeqCst);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        let is_empty = self.body.is_end_stream();
        // An empty body is asked for this instead of polled.
        if is_empty {
            self.progress.0.store(true, Ordering::SeqCst);
        }
        is_empty
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
