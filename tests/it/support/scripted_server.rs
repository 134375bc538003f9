//! A server on raw TCP, with a scripted response to each request.
//!
//! It parses requests itself, so that tests can compare them byte by byte, and sends what no HTTP
//! library would: incomplete responses, resets, single bytes with pauses, invalid headers.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use super::steps::{After, Step, Steps, perform};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The request target, as it stood in the first line.
    pub(crate) target: String,
    /// In the order of their arrival, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }

    /// All values of a header, whatever the case of its name.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        headers.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn read(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        Some(Self { method, target, headers: headers.collect(), body: Vec::new() })
    }

    fn body_length(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }
}

/// The server, until it is dropped.
pub(crate) struct ScriptedServer {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Seen>,
    listener: Arc<TcpListener>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// The first of them: a long test must not fill the memory that it measures.
    requests: Mutex<Vec<Request>>,
    arrived: AtomicUsize,
    connections: AtomicUsize,
    bytes_sent: AtomicUsize,
}

/// The response to a request, before which there were so many.
pub(crate) trait Script: Fn(&Request, usize) -> Steps + Send + Sync + 'static {}

impl<F: Fn(&Request, usize) -> Steps + Send + Sync + 'static> Script for F {}

/// What a server does with its connections.
enum Manner {
    /// Responds to each request. With TLS, there is an acceptor for each connection, the last one
    /// repeatedly.
    Respond(Vec<TlsAcceptor>, Box<dyn Script>),
    /// Performs this step before it has read anything, and closes.
    Greet(Step),
}

impl ScriptedServer {
    /// Starts a server that responds by `script`, which gets the request and how
    /// many requests there were before it.
    pub(crate) async fn start(script: impl Script) -> Self {
        Self::start_on(listen().await, script)
    }

    /// Starts one on a listener that exists already.
    pub(crate) fn start_on(listener: TcpListener, script: impl Script) -> Self {
        Self::accept(listener, Manner::Respond(vec![], Box::new(script)))
    }

    /// Starts a server that speaks TLS, with a configuration for each connection, the last one
    /// repeatedly.
    pub(crate) async fn start_tls(
        configs: impl IntoIterator<Item = ServerConfig>,
        script: impl Script,
    ) -> Self {
        let acceptors = configs.into_iter().map(|config| TlsAcceptor::from(Arc::new(config)));
        let manner = Manner::Respond(acceptors.collect(), Box::new(script));
        Self::accept(listen().await, manner)
    }

    /// Starts a server that performs this step on every connection before it has read anything,
    /// and closes.
    pub(crate) async fn start_greeting(step: Step) -> Self {
        Self::accept(listen().await, Manner::Greet(step))
    }

    fn accept(listener: TcpListener, manner: Manner) -> Self {
        let has_tls = matches!(&manner, Manner::Respond(acceptors, _) if !acceptors.is_empty());
        let scheme = if has_tls { "https" } else { "http" };
        let (listener, manner) = (Arc::new(listener), Arc::new(manner));
        let address = listener.local_addr().unwrap();
        let accepts = Arc::clone(&listener);
        let seen = Arc::new(Seen::default());
        let counted = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            // Dropped with the server, and the connections with it.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = accepts.accept().await {
                let _ = stream.set_nodelay(true);
                let number = counted.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(stream, number, Arc::clone(&manner), Arc::clone(&counted)));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, scheme, seen, listener, accepting }
    }

    /// Where it is reached, as a base URL.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it is reached, as another name of this machine.
    pub(crate) fn url_at(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}", self.address.port())
    }

    /// Closes all connections and rejects new ones. Returns the requests that arrived before.
    pub(crate) async fn stop(mut self) -> Vec<Request> {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        self.requests()
    }

    /// Closes all connections and lets nobody finish connecting any more, while what is
    /// returned is held: the queue of those who wait to be accepted is full.
    #[cfg(target_os = "linux")]
    pub(crate) async fn stall(&mut self) -> Vec<TcpStream> {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        socket2::SockRef::from(&*self.listener).listen(0).unwrap();
        let mut waiting = Vec::new();
        let patience = Duration::from_millis(50);
        while let Ok(Ok(stream)) =
            tokio::time::timeout(patience, TcpStream::connect(self.address)).await
        {
            waiting.push(stream);
        }
        waiting
    }

    /// The requests that have arrived whole, up to a thousand.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.requests().clone()
    }

    /// Those whose target contains `part`.
    pub(crate) fn seen(&self, part: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.target.contains(part));
        requests
    }

    /// The requests that have arrived, which are forgotten.
    pub(crate) fn take(&self) -> Vec<Request> {
        self.seen.arrived.store(0, Ordering::SeqCst);
        std::mem::take(&mut *self.seen.requests())
    }

    /// How many requests of that method have arrived.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.seen.requests().iter().filter(|request| request.method == method).count()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of its responses were sent.
    pub(crate) fn bytes_sent(&self) -> usize {
        self.seen.bytes_sent.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Seen {
    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address of this machine at which nothing listens.
pub(crate) async fn nobody() -> String {
    format!("http://{}", listen().await.local_addr().unwrap())
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Serves a connection until its end.
async fn serve(mut stream: TcpStream, number: usize, manner: Arc<Manner>, seen: Arc<Seen>) {
    let after = match &*manner {
        Manner::Greet(step) => perform(vec![step.clone()], &mut stream, |_| ()).await,
        Manner::Respond(acceptors, script) => match acceptors.get(number).or(acceptors.last()) {
            None => converse(&mut stream, &**script, &seen).await,
            Some(acceptor) => match acceptor.accept(&mut stream).await {
                Ok(mut stream) => converse(&mut stream, &**script, &seen).await,
                Err(_) => After::Close,
            },
        },
    };
    if matches!(after, After::Reset) {
        reset(&stream);
    } else {
        let _ = stream.shutdown().await;
    }
}

async fn converse<S>(stream: &mut S, script: &dyn Script, seen: &Seen) -> After
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = Vec::new();
    while let Some(request) = next_request(stream, &mut buffer).await {
        let before = seen.arrived.fetch_add(1, Ordering::SeqCst);
        if before < REQUESTS_KEPT {
            seen.requests().push(request.clone());
        }
        let count = |bytes| _ = seen.bytes_sent.fetch_add(bytes, Ordering::SeqCst);
        match perform(script(&request, before), stream, count).await {
            After::Serve => {}
            end => return end,
        }
    }
    After::Close
}

/// Reads a request to its last byte: closing a socket that holds unread bytes would reset
/// it, which only [`Step::Reset`] may.
async fn next_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> Option<Request> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break buffer.drain(..end + 4).collect::<Vec<_>>();
        }
        fill(stream, buffer).await?;
    };
    let mut request = Request::read(&String::from_utf8_lossy(&head))?;
    while buffer.len() < request.body_length() {
        fill(stream, buffer).await?;
    }
    request.body = buffer.drain(..request.body_length()).collect();
    Some(request)
}

async fn fill<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(buffer).await.ok()?;
    (read > 0).then_some(())
}

/// Makes the socket reset the connection when it closes: with a linger time of zero, no FIN is
/// sent.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

const REQUESTS_KEPT: usize = 1_000;
