//! Measures in real time what an outage of the project's keys costs the calls:
//! `cargo bench -p benches --bench outage`. `tests/it/outage.rs` asserts it.
//!
//! Prints a table in Markdown. `testing::Stytch` responds at once, unless the scenario scripts a
//! fault. Its clock stands still; the clients use the system's.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "the table")]

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use stytch_sso_external::{
    Client, ClientBuilder, Operation, Session,
    testing::{Fault, LoggedIn, Member, Stytch, jwt},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::{sleep, timeout},
};

const SECOND: Duration = Duration::from_secs(1);

fn main() {
    println!("| scenario | calls | failed | slowest call | JWKS requests | authenticate |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    runtime().block_on(async {
        cold_start().await;
        first_caller_gives_up().await;
        half_a_minute().await;
        rotation().await;
        floods().await;
        cold_flood().await;
        dropped_runtimes().await;
        late_joiner().await;
    });
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A project, and a client of it with default settings.
struct Outage {
    stytch: Stytch,
    member: Member,
    login: LoggedIn,
    client: Client,
}

/// Whether a call failed, and how long it took.
type Call = (bool, Duration);

impl Outage {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let stytch = Stytch::builder().jwt_lifetime(3600 * SECOND).start();
        let builder = Client::builder(stytch.project_id(), stytch.secret());
        let client = configure(builder.base_url(stytch.base_url())).build().unwrap();
        let member = stytch.organization("acme").member("ada", &[]);
        Self { login: member.log_in(), stytch, member, client }
    }

    fn jwt(&self) -> Session {
        Session::jwt(self.member.log_in().jwt())
    }

    fn token(&self) -> Session {
        Session::token(self.member.log_in().token())
    }

    /// Returns a JWT with another `kid` for each number.
    fn made_up(&self, n: usize) -> Session {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{n}")});
        let (made_up, jwt) = (jwt::unsigned(&header, &self.login.claims()), self.login.jwt());
        let (_, signature) = jwt.rsplit_once('.').unwrap();
        Session::jwt(made_up + signature)
    }

    /// Resolves the organization of a session.
    fn call(&self, session: Session) -> impl Future<Output = Call> + Send + use<> {
        let member = self.client.as_member(session);
        async move {
            let began = Instant::now();
            (member.organization_id().await.is_err(), began.elapsed())
        }
    }

    async fn call_at_once(&self, count: usize) -> Vec<Call> {
        let calls: Vec<_> = (0..count).map(|_| self.call(self.jwt())).collect();
        calls.into_iter().collect::<JoinSet<_>>().join_all().await
    }

    async fn call_each_100_ms(&self, count: usize) -> Vec<Call> {
        let mut calls = Vec::new();
        for _ in 0..count {
            sleep(SECOND / 10).await;
            calls.push(self.call(self.jwt()).await);
        }
        calls
    }

    fn row(&self, scenario: &str, calls: &[Call]) {
        let failed = calls.iter().filter(|(failed, _)| *failed).count();
        let slowest = calls.iter().map(|(_, took)| *took).max().unwrap_or_default();
        println!(
            "| {scenario} | {} | {failed} | {:.2} s | {} | {} |",
            calls.len(),
            slowest.as_secs_f64(),
            self.stytch.count(Operation::GetJwks),
            self.stytch.count(Operation::AuthenticateSession),
        );
    }
}

fn hang() -> Fault {
    Fault::delay(600 * SECOND)
}

async fn cold_start() {
    let up = Outage::new();
    let calls = up.call_at_once(2_000).await;
    up.row("no outage: 2,000 callers at once at cold start", &calls);

    let outage = Outage::new();
    outage.stytch.fault(Operation::GetJwks, hang());
    let calls = outage.call_at_once(200).await;
    outage.row("JWKS hangs at cold start, 200 callers at once", &calls);
    let calls = outage.call_at_once(200).await;
    outage.row("the next 200", &calls);
    let calls = outage.call_each_100_ms(200).await;
    outage.row("200 more within 20 s", &calls);
}

async fn first_caller_gives_up() {
    let outage = Outage::new();
    outage.stytch.fault(Operation::GetJwks, hang());
    let _ = timeout(3 * SECOND / 2, outage.call(outage.jwt())).await;
    let second = outage.call(outage.jwt()).await;
    outage.row("JWKS hangs, the first caller gives up after 1.5 s: the second", &[second]);
    let third = outage.call(outage.jwt()).await;
    outage.row("the third", &[third]);
}

async fn half_a_minute() {
    let outage = Outage::new();
    outage.stytch.fault(Operation::GetJwks, Fault::status(503));
    let calls = outage.call_each_100_ms(300).await;
    outage.row("JWKS responds 503 for 30 s, a call each 100 ms", &calls);

    let outage = Outage::with(|builder| builder.jwks_max_stale(SECOND));
    outage.client.warm_up().await.unwrap();
    outage.stytch.fault(Operation::GetJwks, Fault::status(503));
    sleep(SECOND).await;
    let calls = outage.call_each_100_ms(300).await;
    outage.row("JWKS responds 503 for 30 s, keys older than `jwks_max_stale`", &calls);
}

/// A made-up `kid` each second before and after a rotation, and members with the new key.
async fn rotation() {
    let outage = Outage::new();
    outage.client.warm_up().await.unwrap();
    let (mut attacks, mut members) = (JoinSet::new(), JoinSet::new());
    for n in 0..20 {
        attacks.spawn(outage.call(outage.made_up(n)));
        if n == 7 {
            outage.stytch.rotate_keys();
        }
        if n >= 7 {
            members.spawn(outage.call(outage.jwt()));
        }
        sleep(SECOND).await;
    }
    let calls = members.join_all().await;
    outage.row("rotation, a made-up `kid` each second: members with the new key", &calls);
}

async fn floods() {
    let responds_at_once = Fault::delay(Duration::ZERO);
    let faults =
        [("is up", responds_at_once), ("responds 503", Fault::status(503)), ("hangs", hang())];
    for (state, fault) in faults {
        let outage = Outage::new();
        outage.client.warm_up().await.unwrap();
        outage.stytch.fault(Operation::GetJwks, fault);
        let (mut flood, mut honest) = (JoinSet::new(), Vec::new());
        for n in 0..100_000 {
            flood.spawn(outage.call(outage.made_up(n)));
            if n % 1_000 == 0 {
                honest.push(outage.call(outage.jwt()).await);
            }
        }
        let flood = flood.join_all().await;
        outage.row(&format!("100,000 made-up `kid`s, keys cached, JWKS {state}"), &flood);
        outage.row("honest calls with cached keys meanwhile", &honest);
    }
}

async fn cold_flood() {
    let outage = Outage::new();
    outage.stytch.fault(Operation::GetJwks, Fault::status(503));
    outage.stytch.fault(Operation::AuthenticateSession, Fault::delay(SECOND / 10));
    let (mut flood, mut honest) = (JoinSet::new(), Vec::new());
    for n in 0..5_000 {
        flood.spawn(outage.call(outage.made_up(n)));
    }
    for _ in 0..50 {
        honest.push(outage.call(outage.token()).await);
    }
    let scenario = "tokens beside 5,000 made-up `kid`s, no keys, authenticate takes 100 ms";
    outage.row(scenario, &honest);
}

async fn dropped_runtimes() {
    let outage = Outage::new();
    outage.stytch.fault(Operation::GetJwks, hang());
    let joined = join_a_dropped_runtime(&outage, outage.jwt(), outage.jwt()).await;
    outage.row("JWKS hangs, the runtime that fetches is dropped", &[joined]);

    let outage = Outage::new();
    outage.stytch.fault(Operation::AuthenticateSession, hang()).times(1);
    let token = outage.token();
    let joined = join_a_dropped_runtime(&outage, token.clone(), token).await;
    outage.row("authenticate hangs, its runtime is dropped", &[joined]);
}

/// Calls in a runtime that is dropped after a second, and in this one.
async fn join_a_dropped_runtime(outage: &Outage, first: Session, second: Session) -> Call {
    let starter = outage.call(first);
    let dropped =
        thread::spawn(|| runtime().block_on(async { timeout(SECOND, starter).await.is_err() }));
    sleep(SECOND / 2).await;
    let joined = outage.call(second).await;
    dropped.join().unwrap();
    joined
}

async fn late_joiner() {
    let outage = Outage::with(|builder| builder.operation_timeout(2 * SECOND));
    outage.stytch.fault(Operation::AuthenticateSession, hang()).times(1);
    let token = outage.token();
    let starter = tokio::spawn(outage.call(token.clone()));
    sleep(3 * SECOND / 2).await;
    let joined = outage.call(token).await;
    outage.row("authenticate hangs, joined 0.5 s before its caller's 2 s end", &[joined]);
    starter.await.unwrap();
}
