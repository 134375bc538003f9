//! When cached keys and policies are fetched again, and what callers wait for meanwhile.

use std::time::{Duration, Instant};

use stytch_sso_external::{
    ErrorKind, Operation, Session,
    testing::{Fault, Stytch},
    types::UpdateExternalConnectionRequest,
};

const PROJECT: Operation = Operation::GetRbacPolicy;
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn policy_endpoint_that_hangs_delays_one_check_after_a_denial() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let okta = acme.connection("Acme Okta");
    let bob = acme.member("bob", &[]).log_in();
    let member = stytch.client().as_member(Session::token(bob.token()));
    let update = UpdateExternalConnectionRequest::default().display_name("Renamed");
    member.check_permissions([Operation::UpdateExternalConnection]).await.unwrap();
    stytch.clock().advance(Duration::from_secs(10));
    member.update_connection(okta.id(), &update).await.unwrap_err();
    let outage = stytch.fault(PROJECT, Fault::delay(MINUTE));
    let mut waits = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        // The policy at hand may not be the one that Stytch decided by.
        let checked = member.check_permissions([Operation::UpdateExternalConnection]).await;
        let error = checked.unwrap_err();
        assert_eq!((error.operation(), error.is_retryable()), (PROJECT, true), "{error:?}");
        waits.push(began.elapsed());
    }
    assert!(waits[0] >= Duration::from_secs(1), "{waits:?}");
    assert!(waits[1..].iter().all(|wait| *wait < Duration::from_secs(1)), "{waits:?}");
    assert_eq!(outage.hits(), 1);
}

#[tokio::test]
async fn jwks_retry_after_is_honored() {
    let stytch = Stytch::start();
    let client = stytch.client();
    let outage = stytch.fault(Operation::GetJwks, Fault::status(429).retry_after("20")).times(1);
    client.warm_up().await.unwrap_err();
    stytch.clock().advance(Duration::from_secs(19));
    client.warm_up().await.unwrap_err();
    assert_eq!((outage.hits(), stytch.count(Operation::GetJwks)), (1, 1));
    stytch.clock().advance(Duration::from_secs(1));
    client.warm_up().await.unwrap();
    assert_eq!(stytch.count(Operation::GetJwks), 2);
}

#[tokio::test]
async fn retry_after_of_a_late_response_is_honored() {
    let stytch = Stytch::start();
    let client = stytch.client();
    let outage = stytch.fault(Operation::GetJwks, Fault::status(429).retry_after("20")).times(1);
    let _ = stytch.fault(Operation::GetJwks, Fault::delay(Duration::from_millis(2_500))).times(1);
    let error = client.warm_up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    // Nobody waits for the response any more, but the next calls return its error.
    let began = Instant::now();
    while client.warm_up().await.unwrap_err().status().is_none() {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stytch.clock().advance(Duration::from_secs(19));
    assert_eq!(client.warm_up().await.unwrap_err().status().unwrap(), 429);
    assert_eq!((outage.hits(), stytch.count(Operation::GetJwks)), (1, 1));
    stytch.clock().advance(Duration::from_secs(1));
    client.warm_up().await.unwrap();
    assert_eq!(stytch.count(Operation::GetJwks), 2);
}

#[tokio::test]
async fn keys_are_refreshed_before_a_short_maximum_age_ends() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
    // The last setting counts.
    let settings = stytch.client_builder().jwks_max_stale(MINUTE / 60).jwks_max_stale(MINUTE);
    let client = settings.build().unwrap();
    let resolve = async || {
        let member = client.as_member(Session::jwt(ada.fresh_jwt()));
        member.organization_id().await.unwrap();
    };
    for (seconds, fetches) in [(0, 1), (29, 1), (1, 2)] {
        stytch.clock().advance(Duration::from_secs(seconds));
        resolve().await;
        let fetched = async {
            while stytch.count(Operation::GetJwks) < fetches {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), fetched).await.unwrap();
        assert_eq!(stytch.count(Operation::GetJwks), fetches);
    }
}
