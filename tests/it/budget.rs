//! The retry budget of a client, on an injected clock.

use std::time::Duration;

use stytch_sso_external::{
    Client, Error, ErrorKind, Operation, RetryPolicy, Session,
    testing::{Connection, Fault, LoggedIn, Response, Stytch, responses},
    types::UpdateExternalConnectionRequest,
};

const UPDATE: Operation = Operation::UpdateExternalConnection;
const CALLS_A_SECOND: u64 = 50;
const SECONDS: u64 = 25;

struct Fixture {
    stytch: Stytch,
    client: Client,
    connection: Connection,
    ada: LoggedIn,
}

impl Fixture {
    /// With the default policy but no waits, which are in real time.
    async fn new(policy: RetryPolicy) -> Self {
        let stytch = Stytch::start();
        let acme = stytch.organization("acme");
        let policy = policy.initial_backoff(Duration::ZERO);
        let client = stytch.client_builder().retry(policy).build().unwrap();
        client.warm_up().await.unwrap();
        let ada = acme.member("ada", &["stytch_admin"]).log_in();
        Self { client, connection: acme.connection("Acme Okta"), ada, stytch }
    }

    async fn update(&self) -> Result<(), Error> {
        let update = UpdateExternalConnectionRequest::default().display_name("Renamed");
        let member = self.client.as_member(Session::jwt(self.ada.jwt()));
        member.update_connection(self.connection.id(), &update).await.map(|_| ())
    }

    /// Makes one second's calls, and returns how many requests they became.
    async fn second(&self) -> u64 {
        let before = self.stytch.count(UPDATE);
        for _ in 0..CALLS_A_SECOND {
            self.update().await.unwrap_err();
            self.stytch.clock().advance(Duration::from_secs(1) / 50);
        }
        self.stytch.count(UPDATE) - before
    }

    /// How many retries of an outage get through at once.
    async fn drain(&self) -> u64 {
        let before = self.stytch.count(UPDATE);
        // A call makes four retries, and there are at most 500.
        for calls in 1..=200 {
            let error = self.update().await.unwrap_err();
            if error.reason().ends_with("retry budget exhausted") {
                return self.stytch.count(UPDATE) - before - calls;
            }
        }
        panic!("the retry budget is not exhausted after 200 calls");
    }
}

#[tokio::test]
async fn retries_of_a_permanent_outage_are_bounded() {
    let fixture = Fixture::new(RetryPolicy::default()).await;
    let outage = fixture.stytch.fault(UPDATE, Fault::status(503));
    let mut requests = Vec::new();
    for _ in 0..SECONDS {
        requests.push(fixture.second().await);
    }
    let total: u64 = requests.iter().sum();
    let calls = SECONDS * CALLS_A_SECOND;
    assert!(total <= calls * 12 / 10 + 500, "{total} requests for {calls} calls");
    assert!(total > calls + 500, "the budget is used: {total}");
    for (second, requests) in requests.iter().enumerate().skip(15) {
        assert!(*requests <= CALLS_A_SECOND * 125 / 100, "second {second}: {requests}");
    }
    outage.clear();
    fixture.update().await.unwrap();

    fixture.stytch.clock().advance(Duration::from_secs(100));
    let _ = fixture.stytch.fault(UPDATE, Fault::status(503));
    // The capacity of the budget, and what the calls themselves add.
    let retries = fixture.drain().await;
    assert!((500..=520).contains(&retries), "{retries}");
}

#[tokio::test]
async fn exhausted_budget_returns_the_last_error() {
    let fixture = Fixture::new(RetryPolicy::default()).await;
    let _ = fixture.stytch.fault(UPDATE, Fault::status(503));
    let retries = fixture.drain().await;
    assert!((500..=515).contains(&retries), "{retries}");
    let error = fixture.update().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 503);
    assert_eq!(error.error_type(), Some("server_unavailable"));
    assert!(error.is_retryable());
    assert_eq!(error.reason(), "Stytch responded with an error; retry budget exhausted");

    // Half of the budget after half of the time.
    fixture.stytch.clock().advance(Duration::from_secs(50));
    let retries = fixture.drain().await;
    assert!((250..=262).contains(&retries), "{retries}");
}

#[tokio::test]
async fn exhausted_budget_renews_no_rejected_jwt() {
    let fixture = Fixture::new(RetryPolicy::default()).await;
    let outage = fixture.stytch.fault(UPDATE, Fault::status(503));
    fixture.drain().await;
    outage.clear();
    let rejection = Response::error(&responses::unable_to_parse_session_jwt());
    let _ = fixture.stytch.fault(UPDATE, Fault::response(rejection));
    let error = fixture.update().await.unwrap_err();
    assert!(error.reason().ends_with("; retry budget exhausted"), "{error}");
    assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
    assert_eq!(fixture.stytch.count(Operation::AuthenticateSession), 0);
}

#[tokio::test]
async fn made_up_tokens_leave_the_budget_of_updates_full() {
    let fixture = Fixture::new(RetryPolicy::default()).await;
    let authenticate = Operation::AuthenticateSession;
    let _ = fixture.stytch.fault(authenticate, Fault::rate_limited());
    for n in 0..400 {
        let member = fixture.client.as_member(Session::token(format!("mAdE-uP-{n}")));
        let error = member.organization_id().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
    }
    // A tenth of the budget, and a tenth of a retry for each call.
    let retries = fixture.stytch.count(authenticate) - 400;
    assert!((50..=90).contains(&retries), "{retries}");
    let _ = fixture.stytch.fault(UPDATE, Fault::status(503));
    let retries = fixture.drain().await;
    assert!((500..=515).contains(&retries), "{retries}");
}

#[tokio::test]
async fn without_a_budget_every_call_makes_all_of_its_attempts() {
    let fixture = Fixture::new(RetryPolicy::default().without_budget()).await;
    let _ = fixture.stytch.fault(UPDATE, Fault::status(503));
    for _ in 0..200 {
        let error = fixture.update().await.unwrap_err();
        assert_eq!((error.attempts(), error.reason()), (5, "Stytch responded with an error"));
    }
    assert_eq!(fixture.stytch.count(UPDATE), 1_000);
}
