//! The one HTTP server of the process, and which stand-in a request is for.
//!
//! httpmock hands out 25 servers at most and blocks whoever asks for one more, so all
//! stand-ins share one: each lives under a number of its own, the first segment of the path.
//! One mock answers everything, because httpmock tries its mocks one after the other.
//!
//! httpmock asks the matchers while it holds its state locked, and answers from one thread.
//! So nothing here adds or deletes a mock while it holds a lock that a matcher takes, and
//! nothing blocks; a delay is a mock of its own, which httpmock itself makes wait.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, LockResult, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use httpmock::{HttpMockRequest, HttpMockResponse, Mock, MockServer};
use serde_json::Value;

use super::{
    Answer,
    operation::Route,
    project::{Arrival, Project},
};

/// Where the stand-in `id` is reached.
pub(super) fn base_url(id: u64) -> String {
    format!("{}/{id}", SERVER.base_url())
}

/// A number that nothing else in this process has.
pub(super) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// A stand-in's place on the server, given back when the last clone of the stand-in is gone.
pub(super) struct Lease {
    id: u64,
}

impl Lease {
    pub(super) fn take(project: Arc<Project>) -> Self {
        LazyLock::force(&SERVER);
        let id = next_id();
        locked(STAND_INS.write()).insert(id, project);
        Self { id }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let project = locked(STAND_INS.write()).remove(&self.id);
        if let Some(project) = project {
            project.script.retire();
        }
    }
}

/// The mock that delays the requests claimed for it.
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

/// A request for one stand-in, without the prefix that leads to it.
pub(super) struct Received<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
    /// The body as JSON, where it is.
    pub(super) json: Option<Value>,
}

impl<'a> Received<'a> {
    /// The values of all headers of that name, which is in lower case.
    pub(super) fn header_values(&self, name: &str) -> Vec<&'a str> {
        let headers = self.headers.iter().filter(|(header, _)| header == name);
        headers.map(|(_, value)| value.as_str()).collect()
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

static STAND_INS: LazyLock<RwLock<HashMap<u64, Arc<Project>>>> = LazyLock::new(RwLock::default);

/// The delay that the request in hand must wait for, or 0. httpmock matches one request at a
/// time, the mock that answers everything first, because it is the oldest.
static CLAIMED: AtomicU64 = AtomicU64::new(0);

/// How many delays there are: with none, which is the rule, no request is looked at twice.
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
    let operation = Route::of(request.method_str(), path)?.operation();
    // The guard is held on purpose: a clone of the stand-in could be the last one here, and
    // dropping it would delete mocks while httpmock's state is locked.
    let stand_ins = locked(STAND_INS.read());
    let project = stand_ins.get(&id)?;
    let claimed = project.script.next_delay(operation)?;
    // Counted on arrival: the caller may have given up before the answer.
    project.log.count(operation);
    Some(claimed)
}

fn respond(request: &HttpMockRequest, arrival: Arrival) -> HttpMockResponse {
    let answer = split_path(request.uri_str()).and_then(|(id, path)| {
        let project = locked(STAND_INS.read()).get(&id).cloned()?;
        let received = Received {
            method: request.method_str(),
            path,
            headers: request.headers_vec(),
            body: request.body_ref(),
            json: serde_json::from_slice(request.body_ref()).ok(),
        };
        Some(project.answer(&received, arrival))
    });
    answer
        .unwrap_or_else(|| Answer::new(410, "This stand-in for Stytch has been dropped."))
        .into_response()
}

fn locked<T>(guard: LockResult<T>) -> T {
    guard.unwrap_or_else(PoisonError::into_inner)
}

/// Takes `http://127.0.0.1:1234/7/v1/b2b/..` apart into `7` and `/v1/b2b/..`.
fn split_path(uri: &str) -> Option<(u64, &str)> {
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => uri.strip_prefix('/')?,
    };
    let end = path.find('/').unwrap_or(path.len());
    let (id, path) = path.split_at(end);
    Some((id.parse().ok()?, path))
}
