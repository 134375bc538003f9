//! How long RBAC policies are cached, also while their endpoints fail.

use crate::support::{
    member::{ORGANIZATION_POLICY, PROJECT_POLICY},
    prelude::*,
};

const SECOND: Duration = Duration::from_secs(1);

/// A member who may not update, logged in for a day.
fn bob(acme: &Acme) -> MemberClient {
    let bob = acme.organization.member("bob", &["stytch_member"]);
    acme.as_member(token_of(&bob.log_in_for(SECOND * 24 * 60 * 60)))
}

#[tokio::test]
async fn policies_are_refetched_in_the_background_after_five_minutes() {
    let acme = Acme::captured();
    let (stytch, bob) = (&acme.stytch, bob(&acme));
    let may_update = async || bob.check_permissions([UPDATE]).await.unwrap().authorized;
    let counts = || [PROJECT_POLICY, ORGANIZATION_POLICY].map(|policy| stytch.count(policy));
    assert!(!may_update().await);
    // Granted after the policies were fetched.
    stytch.role("stytch_member", &[("stytch.sso", &["update"])]);
    stytch.clock().advance(SECOND * 299);
    assert!(!may_update().await);
    assert_eq!(counts(), [1, 1]);

    // This check starts the fetches and doesn't wait for them.
    stytch.clock().advance(SECOND);
    assert!(!may_update().await);
    until(|| counts() == [2, 2]).await;
    let mut checks = 0;
    while !may_update().await {
        checks += 1;
        assert!(checks < 1_000, "the refetched policy is not used");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(counts(), [2, 2]);
}

#[tokio::test]
async fn policies_are_used_for_an_hour_of_an_outage_and_no_longer() {
    for operation in [PROJECT_POLICY, ORGANIZATION_POLICY] {
        let acme = Acme::captured();
        let (stytch, bob) = (&acme.stytch, bob(&acme));
        bob.check_permissions([UPDATE]).await.unwrap();
        let outage = stytch.fault(operation, Fault::status(503));
        for (advance, hits) in [(SECOND * 299, 0), (SECOND * 3_300, 1)] {
            stytch.clock().advance(advance);
            let verdict = bob.check_permissions([UPDATE]).await.unwrap();
            assert_eq!(verdict.sufficient_roles, ["stytch_admin"], "{operation}");
            until(|| outage.hits() >= hits).await;
            assert_eq!(outage.hits(), hits, "{operation} after {advance:?}");
        }

        stytch.clock().advance(SECOND);
        let error = bob.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!((error.operation(), error.status().unwrap().as_u16()), (operation, 503));
        assert!(error.is_retryable(), "{error:?}");

        outage.clear();
        // Beyond the backoff after the last failure.
        stytch.clock().advance(SECOND * 30);
        bob.check_permissions([UPDATE]).await.unwrap();
    }
}
