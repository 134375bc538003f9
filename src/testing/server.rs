//! The one HTTP server of the process, which all fakes share.
//!
//! httpmock runs at most 25 servers and blocks a caller who asks for one more. So each fake is
//! a [`Handler`] under a number of its own, the first segment of the path. One mock responds to
//! everything, because httpmock compares a request with its mocks one after the other.
//!
//! httpmock runs the matchers while it holds its state locked, and responds from one thread.
//! So nothing here adds or deletes a mock while it holds a lock that a matcher takes, and
//! nothing blocks; a delay is a mock of its own, which httpmock itself delays.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, LockResult, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use httpmock::{HttpMockRequest, HttpMockResponse, Mock, MockServer};

use super::{
    request::{Arrival, Received},
    response::Response,
};

/// What responds to the requests of one fake.
pub(super) trait Handler: Send + Sync {
    /// Counts a request and claims a delay for it, if one is scripted: the id of the [`Delay`].
    fn claim_delay(&self, method: &str, path: &str) -> Option<u64>;

    fn respond(&self, request: &Received<'_>, arrival: Arrival) -> Response;

    /// Drops the delays, after the last clone of the fake was dropped.
    fn retire(&self);
}

/// Returns the base URL of the fake `id`.
pub(super) fn base_url(id: u64) -> String {
    format!("{}/{id}", SERVER.base_url())
}

/// Returns a number that is unique in this process.
pub(super) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// The registration of a fake with the server. Dropping it removes the fake.
pub(super) struct Lease {
    id: u64,
}

impl Lease {
    pub(super) fn take(handler: Arc<dyn Handler>) -> Self {
        LazyLock::force(&SERVER);
        let id = next_id();
        locked(FAKES.write()).insert(id, handler);
        Self { id }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let handler = locked(FAKES.write()).remove(&self.id);
        if let Some(handler) = handler {
            handler.retire();
        }
    }
}

/// The mock that delays the requests that claimed it.
pub(super) struct Delay {
    mock: usize,
}

impl Delay {
    pub(super) fn start(id: u64, by: Duration) -> Self {
        let mock = SERVER.mock(|when, then| {
            when.is_true(move |_| CLAIMED.load(Ordering::SeqCst) == id);
            then.delay(by).respond_with(|request| respond(request, Arrival::Delayed));
        });
        DELAYS.fetch_add(1, Ordering::SeqCst);
        Self { mock: mock.id() }
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        DELAYS.fetch_sub(1, Ordering::SeqCst);
        Mock::new(self.mock, &SERVER).delete();
    }
}

static SERVER: LazyLock<MockServer> = LazyLock::new(|| {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.is_true(|request| !is_claimed_by_a_delay(request));
        then.respond_with(|request| respond(request, Arrival::Now));
    });
    server
});

static FAKES: LazyLock<RwLock<HashMap<u64, Arc<dyn Handler>>>> = LazyLock::new(RwLock::default);

/// The delay that the current request claimed, or 0. httpmock matches one request at a time,
/// and first with the mock that responds to everything, because it is the oldest.
static CLAIMED: AtomicU64 = AtomicU64::new(0);

/// The number of delays. Without any, the usual case, each request is matched only once.
static DELAYS: AtomicUsize = AtomicUsize::new(0);

fn is_claimed_by_a_delay(request: &HttpMockRequest) -> bool {
    if DELAYS.load(Ordering::SeqCst) == 0 {
        return false;
    }
    let claimed = claim(request).unwrap_or(0);
    CLAIMED.store(claimed, Ordering::SeqCst);
    claimed != 0
}

fn claim(request: &HttpMockRequest) -> Option<u64> {
    let (id, path) = split_path(request.uri_str())?;
    // The guard is held on purpose: a clone of the handler could be the last one here, and
    // dropping it would delete mocks while httpmock's state is locked.
    let fakes = locked(FAKES.read());
    fakes.get(&id)?.claim_delay(request.method_str(), path)
}

fn respond(request: &HttpMockRequest, arrival: Arrival) -> HttpMockResponse {
    let response = split_path(request.uri_str()).and_then(|(id, path)| {
        let handler = locked(FAKES.read()).get(&id).cloned()?;
        let received = Received {
            method: request.method_str(),
            path,
            headers: request.headers_vec(),
            body: request.body_ref(),
            json: serde_json::from_slice(request.body_ref()).ok(),
        };
        Some(handler.respond(&received, arrival))
    });
    response
        .unwrap_or_else(|| Response::new(410, "This fake of Stytch was dropped."))
        .into_httpmock()
}

fn locked<T>(guard: LockResult<T>) -> T {
    guard.unwrap_or_else(PoisonError::into_inner)
}

/// Splits `http://127.0.0.1:1234/7/v1/b2b/..` into `7` and `/v1/b2b/..`.
fn split_path(uri: &str) -> Option<(u64, &str)> {
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => uri.strip_prefix('/')?,
    };
    let end = path.find('/').unwrap_or(path.len());
    let (id, path) = path.split_at(end);
    Some((id.parse().ok()?, path))
}
