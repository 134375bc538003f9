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
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
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
}

struct Fake {
    port: u16,
    jwks: Mutex<Jwks>,
    authenticate_takes: Duration,
    keys: Bytes,
    authenticated: Bytes,
    fetches: AtomicUsize,
    authentications: AtomicUsize,
}

impl Fake {
    async fn start(folder: &Folder, jwks: Jwks, authenticate_takes: Duration) -> Result<Arc<Self>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let fake = Arc::new(Self {
            port: listener.local_addr()?.port(),
            jwks: Mutex::new(jwks),
            authenticate_takes,
            keys: folder.read("jwks.json")?.into(),
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
            sleep(self.authenticate_takes).await;
            (StatusCode::OK, self.authenticated.clone())
        } else {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            match jwks {
                Jwks::Up => (StatusCode::OK, self.keys.clone()),
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
    cold_start(&folder).await?;
    given_up(&folder).await?;
    unavailable(&folder).await?;
    floods(&folder).await?;
    cold_flood(&folder).await?;
    runtimes(&folder).await?;
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
    let (client, mut times) = (fake.builder().build()?, Times::default());
    for jwt in jwts(folder)?.take(300) {
        sleep(Duration::from_millis(100)).await;
        times.add(call(client.clone(), jwt).await);
    }
    fake.row("JWKS responds 503 for 30 s, a call each 100 ms", &times);
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
    let fake = Fake::start(folder, Jwks::Hanging, Duration::ZERO).await?;
    let (client, mut jwts) = (fake.builder().build()?, jwts(folder)?);
    let mut next = || jwts.next().ok_or("no JWT left");
    let (starter, joiner) = (call(client.clone(), next()?), call(client, next()?));
    let a = std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(1), starter).await.ok() });
        std::io::Result::Ok(())
    });
    sleep(Duration::from_millis(500)).await;
    let joined = tokio::spawn(joiner).await?;
    let mut times = Times::default();
    times.add(joined);
    fake.row("JWKS hangs, the runtime that fetches is dropped: a caller of another one", &times);
    a.join().map_err(|_| "a thread panicked")??;
    Ok(())
}

const JSON: &str = "application/json";
