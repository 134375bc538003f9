//! Measures in real time what an outage of the project's keys costs the calls:
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml --bin outage
//! ```
//!
//! Prints a table in Markdown. A server in the process plays Stytch: `sessions/authenticate`
//! and JWKS respond at once, unless the scenario replaces their response.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use stytch_sso_external::{Client, ClientBuilder, Error, Session};
use stytch_sso_external_bench::{
    Result,
    fixtures::{Folder, PROJECT, SECRET, TOKEN},
};
use tokio::{net::TcpListener, runtime, task::JoinSet, time::sleep};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Jwks {
    Up,
    Unavailable,
    Hanging,
    /// Responds with keys that signed none of the JWTs.
    Old,
}

struct Fake {
    port: u16,
    jwks: Mutex<Jwks>,
    authenticate_takes: Duration,
    /// Whether the first `sessions/authenticate` gets no response.
    loses_first: AtomicBool,
    keys: Bytes,
    old_keys: Bytes,
    authenticated: Bytes,
    fetches: AtomicUsize,
    authentications: AtomicUsize,
}

impl Fake {
    async fn start(folder: &Folder, jwks: Jwks, authenticate_takes: Duration) -> Result<Arc<Self>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let keys: Value = serde_json::from_str(&folder.read("jwks.json")?)?;
        let mut old_keys = keys.clone();
        old_keys["keys"][0]["kid"] = "old".into();
        let fake = Arc::new(Self {
            port: listener.local_addr()?.port(),
            jwks: Mutex::new(jwks),
            authenticate_takes,
            loses_first: AtomicBool::new(false),
            keys: keys.to_string().into(),
            old_keys: old_keys.to_string().into(),
            authenticated: folder.read("authenticate.json")?.into(),
            fetches: AtomicUsize::new(0),
            authentications: AtomicUsize::new(0),
        });
        let served = Arc::clone(&fake);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = Arc::clone(&served);
                tokio::spawn(async move {
                    let service = service_fn(|request| fake.respond(request));
                    let stream = TokioIo::new(stream);
                    let _ = http1::Builder::new().serve_connection(stream, service).await;
                });
            }
        });
        Ok(fake)
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
    ) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
        let is_post = request.method() == Method::POST;
        let _ = request.into_body().collect().await;
        let jwks = *self.jwks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (status, body) = if is_post {
            self.authentications.fetch_add(1, Ordering::SeqCst);
            if self.loses_first.swap(false, Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            sleep(self.authenticate_takes).await;
            (StatusCode::OK, self.authenticated.clone())
        } else {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            match jwks {
                Jwks::Up => (StatusCode::OK, self.keys.clone()),
                Jwks::Old => (StatusCode::OK, self.old_keys.clone()),
                Jwks::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, Bytes::new()),
                Jwks::Hanging => std::future::pending().await,
            }
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(JSON));
        Ok(response)
    }

    fn set(&self, jwks: Jwks) {
        *self.jwks.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = jwks;
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder(PROJECT, SECRET).base_url(format!("http://127.0.0.1:{}", self.port))
    }

    fn row(&self, scenario: &str, times: &Times) {
        let (fetches, authentications) =
            (self.fetches.load(Ordering::SeqCst), self.authentications.load(Ordering::SeqCst));
        let Times { count, failed, slowest, .. } = times;
        println!(
            "| {scenario} | {count} | {failed} | {:.2} s | {fetches} | {authentications} |",
            slowest.as_secs_f64()
        );
    }
}

#[derive(Default)]
struct Times {
    count: usize,
    failed: usize,
    slowest: Duration,
}

impl Times {
    fn add(&mut self, (result, took): (std::result::Result<String, Error>, Duration)) {
        self.count += 1;
        self.failed += usize::from(result.is_err());
        self.slowest = self.slowest.max(took);
    }
}

async fn call(client: Client, session: Session) -> (std::result::Result<String, Error>, Duration) {
    let began = Instant::now();
    (client.as_member(session).organization_id().await, began.elapsed())
}

async fn all(client: &Client, sessions: impl Iterator<Item = Session>) -> Times {
    let (mut calls, mut times) = (JoinSet::new(), Times::default());
    for session in sessions {
        calls.spawn(call(client.clone(), session));
    }
    while let Some(Ok(outcome)) = calls.join_next().await {
        times.add(outcome);
    }
    times
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let _ = rlimit::increase_nofile_limit(65_536);
    let folder = Folder::make(3_000, 0)?;
    println!("| scenario | calls | failed | slowest call | JWKS requests | authenticate |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    up(&folder).await?;
    cold_start(&folder).await?;
    given_up(&folder).await?;
    unavailable(&folder).await?;
    stale(&folder).await?;
    rotation(&folder).await?;
    floods(&folder).await?;
    cold_flood(&folder).await?;
    runtimes(&folder).await?;
    late_joiner(&folder).await?;
    folder.remove()
}

fn jwts(folder: &Folder) -> Result<impl Iterator<Item = Session>> {
    Ok(folder.lines("fresh")?.into_iter().map(Session::jwt))
}

fn made_up(folder: &Folder, n: usize) -> Result<Session> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let jwt = folder.read("jwt")?;
    let (_, tail) = jwt.split_once('.').ok_or("no JWT")?;
    let header = format!(r#"{{"alg":"RS256","kid":"made-up-{n}"}}"#);
    Ok(Session::jwt(format!("{}.{tail}", BASE64_URL_SAFE_NO_PAD.encode(header))))
}

async fn up(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Up, Duration::ZERO).await?;
    let times = all(&fake.builder().build()?, jwts(folder)?.take(2_000)).await;
    fake.row("no outage: 2,000 callers at once at cold start", &times);
    Ok(())
}

async fn cold_start(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Hanging, Duration::ZERO).await?;
    let (client, mut jwts) = (fake.builder().build()?, jwts(folder)?);
    let first = all(&client, jwts.by_ref().take(200)).await;
    fake.row("JWKS hangs at cold start, 200 callers at once", &first);
    let next = all(&client, jwts.by_ref().take(200)).await;
    fake.row("the next 200", &next);
    let mut later = Times::default();
    for jwt in jwts.take(200) {
        sleep(Duration::from_millis(100)).await;
        later.add(call(client.clone(), jwt).await);
    }
    fake.row("200 more within 20 s", &later);
    Ok(())
}

async fn given_up(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Hanging, Duration::ZERO).await?;
    let (client, mut jwts) = (fake.builder().build()?, jwts(folder)?);
    let mut next = || jwts.next().ok_or("no JWT left");
    let _ = tokio::time::timeout(Duration::from_millis(1500), call(client.clone(), next()?)).await;
    let mut second = Times::default();
    second.add(call(client.clone(), next()?).await);
    fake.row("JWKS hangs, the first caller gives up after 1.5 s: the second", &second);
    let mut third = Times::default();
    third.add(call(client.clone(), next()?).await);
    fake.row("the third", &third);
    Ok(())
}

async fn unavailable(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Unavailable, Duration::ZERO).await?;
    let times = call_for_30_seconds(&fake.builder().build()?, folder).await?;
    fake.row("JWKS responds 503 for 30 s, a call each 100 ms", &times);
    Ok(())
}

async fn stale(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Up, Duration::ZERO).await?;
    let max_stale = Duration::from_secs(1);
    let client = fake.builder().jwks_max_stale(max_stale).build()?;
    client.warm_up().await?;
    fake.set(Jwks::Unavailable);
    sleep(max_stale).await;
    let times = call_for_30_seconds(&client, folder).await?;
    fake.row("JWKS responds 503 for 30 s, keys older than `jwks_max_stale`", &times);
    Ok(())
}

/// Calls each 100 ms, each time with another session.
async fn call_for_30_seconds(client: &Client, folder: &Folder) -> Result<Times> {
    let mut times = Times::default();
    for jwt in jwts(folder)?.take(300) {
        sleep(Duration::from_millis(100)).await;
        times.add(call(client.clone(), jwt).await);
    }
    Ok(times)
}

/// A made-up `kid` each second before and after a rotation, and members with the new key.
async fn rotation(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Old, Duration::ZERO).await?;
    let (client, mut jwts) = (fake.builder().build()?, jwts(folder)?);
    client.warm_up().await?;
    let (mut calls, mut attacks, mut times) = (JoinSet::new(), JoinSet::new(), Times::default());
    for n in 0..20 {
        attacks.spawn(call(client.clone(), made_up(folder, n)?));
        if n == 7 {
            fake.set(Jwks::Up);
        }
        if n >= 7 {
            calls.spawn(call(client.clone(), jwts.next().ok_or("no JWT left")?));
        }
        sleep(Duration::from_secs(1)).await;
    }
    while let Some(Ok(outcome)) = calls.join_next().await {
        times.add(outcome);
    }
    fake.row("rotation, a made-up `kid` each second: members with the new key", &times);
    attacks.abort_all();
    Ok(())
}

async fn floods(folder: &Folder) -> Result<()> {
    let cases =
        [("is up", Jwks::Up), ("responds 503", Jwks::Unavailable), ("hangs", Jwks::Hanging)];
    for (name, jwks) in cases {
        let fake = Fake::start(folder, Jwks::Up, Duration::ZERO).await?;
        let client = fake.builder().build()?;
        client.warm_up().await?;
        fake.set(jwks);
        let (mut flood, mut honest, mut jwts) = (JoinSet::new(), Times::default(), jwts(folder)?);
        for n in 0..100_000 {
            flood.spawn(call(client.clone(), made_up(folder, n)?));
            if n % 1_000 == 0 {
                honest.add(call(client.clone(), jwts.next().ok_or("no JWT left")?).await);
            }
        }
        let mut made_up = Times::default();
        while let Some(Ok(outcome)) = flood.join_next().await {
            made_up.add(outcome);
        }
        fake.row(&format!("100,000 made-up `kid`s, keys cached, JWKS {name}"), &made_up);
        fake.row("honest calls with cached keys meanwhile", &honest);
    }
    Ok(())
}

async fn cold_flood(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Unavailable, Duration::from_millis(100)).await?;
    let (client, mut flood) = (fake.builder().build()?, JoinSet::new());
    for n in 0..5_000 {
        flood.spawn(call(client.clone(), made_up(folder, n)?));
    }
    let mut honest = Times::default();
    for n in 0..50 {
        honest.add(call(client.clone(), Session::token(format!("{TOKEN}{n}"))).await);
    }
    fake.row("tokens beside 5,000 made-up `kid`s, no keys, authenticate takes 100 ms", &honest);
    flood.abort_all();
    Ok(())
}

async fn runtimes(folder: &Folder) -> Result<()> {
    for is_multi_thread in [false, true] {
        let flavor = if is_multi_thread { "multi-thread" } else { "current-thread" };
        let fake = Fake::start(folder, Jwks::Hanging, Duration::ZERO).await?;
        let (client, mut jwts) = (fake.builder().build()?, jwts(folder)?);
        let mut next = || jwts.next().ok_or("no JWT left");
        let sessions = [next()?, next()?];
        let joined = join_a_dropped_runtime(client, sessions, is_multi_thread).await?;
        fake.row(&format!("JWKS hangs, the runtime that fetches is dropped ({flavor})"), &joined);

        let fake = Fake::start(folder, Jwks::Up, Duration::ZERO).await?;
        fake.loses_first.store(true, Ordering::SeqCst);
        let sessions = [Session::token(TOKEN), Session::token(TOKEN)];
        let joined = join_a_dropped_runtime(fake.builder().build()?, sessions, is_multi_thread);
        let scenario = format!("authenticate hangs, its runtime is dropped ({flavor})");
        fake.row(&scenario, &joined.await?);
    }
    Ok(())
}

/// A call on a runtime that is dropped after a second, and the times of one that joins it.
async fn join_a_dropped_runtime(
    client: Client,
    [first, second]: [Session; 2],
    is_multi_thread: bool,
) -> Result<Times> {
    let (starter, joiner) = (call(client.clone(), first), call(client, second));
    let a = std::thread::spawn(move || {
        let mut builder = if is_multi_thread {
            runtime::Builder::new_multi_thread()
        } else {
            runtime::Builder::new_current_thread()
        };
        let runtime = builder.worker_threads(1).enable_all().build()?;
        runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(1), starter).await.ok() });
        std::io::Result::Ok(())
    });
    sleep(Duration::from_millis(500)).await;
    let mut times = Times::default();
    times.add(tokio::spawn(joiner).await?);
    a.join().map_err(|_| "a thread panicked")??;
    Ok(times)
}

async fn late_joiner(folder: &Folder) -> Result<()> {
    let fake = Fake::start(folder, Jwks::Up, Duration::ZERO).await?;
    fake.loses_first.store(true, Ordering::SeqCst);
    let client = fake.builder().operation_timeout(Duration::from_secs(2)).build()?;
    let starter = tokio::spawn(call(client.clone(), Session::token(TOKEN)));
    sleep(Duration::from_millis(1500)).await;
    let mut times = Times::default();
    times.add(call(client, Session::token(TOKEN)).await);
    fake.row("authenticate hangs, joined 0.5 s before its caller's 2 s end", &times);
    let _ = starter.await?;
    Ok(())
}

const JSON: &str = "application/json";
