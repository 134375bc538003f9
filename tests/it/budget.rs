//! The retry budget of a client, on an injected clock.

use std::ops::RangeInclusive;

use crate::support::prelude::*;

const CALLS_A_SECOND: u64 = 50;

struct Fixture {
    acme: Acme,
    client: Client,
}

impl Fixture {
    /// Without waits between attempts, which are in real time.
    async fn new(policy: RetryPolicy) -> Self {
        let acme = Acme::new();
        let policy = policy.initial_backoff(Duration::ZERO);
        let client = acme.client_with(|it| it.retry(policy));
        client.warm_up().await.unwrap();
        Self { acme, client }
    }

    async fn update(&self) -> Result<(), Error> {
        let member = self.client.as_member(jwt_of(&self.acme.ada));
        self.acme.rename(&member).await
    }

    /// Uses up the part of the budget that sessions which nobody has can use.
    async fn retry_made_up_tokens(&self) {
        let limited = self.acme.stytch.fault(AUTHENTICATE, Fault::rate_limited());
        for n in 0..200 {
            let member = self.client.as_member(Session::token(format!("mAdE-uP-{n}")));
            let error = member.organization_id().await.unwrap_err();
            assert_eq!(error.kind(), RateLimited, "{error:?}");
        }
        // A tenth of the budget, and a tenth of a retry for each call.
        let retries = limited.hits() - 200;
        assert!((50..=70).contains(&retries), "{retries}");
        limited.clear();
    }

    /// Asserts how many retries of an outage get through at once.
    async fn assert_retries(&self, expected: RangeInclusive<u64>) {
        let before = self.acme.stytch.count(UPDATE);
        // A call makes four retries, and there are at most 500.
        for calls in 1..=200 {
            let error = self.update().await.unwrap_err();
            if error.reason().ends_with("retry budget exhausted") {
                let retries = self.acme.stytch.count(UPDATE) - before - calls;
                assert!(expected.contains(&retries), "{retries} of {expected:?}");
                return;
            }
        }
        panic!("the retry budget is not exhausted after 200 calls");
    }
}

#[tokio::test]
async fn retries_of_a_permanent_outage_are_bounded() {
    let fixture = Fixture::new(RetryPolicy::default()).await;
    fixture.retry_made_up_tokens().await;
    let outage = fixture.acme.stytch.fault(UPDATE, Fault::status(503));
    fixture.assert_retries(500..=515).await;
    // Then an exhausted budget returns the last error.
    let error = fixture.update().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.is_retryable()), (503, true));
    assert_eq!(error.error_type(), Some("server_unavailable"));
    assert_eq!(error.reason(), "Stytch responded with an error; retry budget exhausted");
    for second in 0..5 {
        let before = fixture.acme.stytch.count(UPDATE);
        for _ in 0..CALLS_A_SECOND {
            fixture.update().await.unwrap_err();
            fixture.acme.stytch.clock().advance(Duration::from_secs(1) / 50);
        }
        let requests = fixture.acme.stytch.count(UPDATE) - before;
        let expected = CALLS_A_SECOND + 1..=CALLS_A_SECOND * 125 / 100;
        assert!(expected.contains(&requests), "second {second}: {requests}");
    }
    outage.clear();
    fixture.update().await.unwrap();

    // Half of the budget after half of the time, and no more than all of it.
    for (seconds, retries) in [(50, 250..=262), (150, 500..=520)] {
        fixture.acme.advance(seconds);
        let outage = fixture.acme.stytch.fault(UPDATE, Fault::status(503));
        fixture.assert_retries(retries).await;
        outage.clear();
    }
    let authenticated = fixture.acme.stytch.count(AUTHENTICATE);
    let rejection = Response::error(&responses::unable_to_parse_session_jwt());
    let _ = fixture.acme.stytch.fault(UPDATE, Fault::response(rejection));
    let error = fixture.update().await.unwrap_err();
    assert_eq!(error.kind(), InvalidSession, "{error:?}");
    assert!(error.reason().ends_with("; retry budget exhausted"), "{error}");
    // Nor is a rejected JWT renewed.
    assert_eq!(fixture.acme.stytch.count(AUTHENTICATE), authenticated);
}

#[tokio::test]
async fn without_a_budget_every_call_makes_all_of_its_attempts() {
    let policy = RetryPolicy::default().max_attempts(50).without_budget();
    let fixture = Fixture::new(policy.max_backoff(Duration::ZERO)).await;
    fixture.acme.stytch.fault(UPDATE, Fault::status(503));
    // More than the budget would allow.
    for _ in 0..12 {
        let error = fixture.update().await.unwrap_err();
        assert_eq!((error.attempts(), error.reason()), (50, "Stytch responded with an error"));
    }
    assert_eq!(fixture.acme.stytch.count(UPDATE), 600);
}
