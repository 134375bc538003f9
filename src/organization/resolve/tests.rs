//! What tests from outside can't see or cause: the size of the session cache, and a clock that is
//! set back.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::task::yield_now;

use super::*;
use crate::{organization::jwks, sync::Clock};

#[tokio::test]
async fn cache_stays_within_its_capacity() {
    let organizations = organizations(1_000);
    let valid_until = SystemTime::now() + Duration::from_secs(60);
    for n in 0..100_000 {
        organizations.0.insert(&Session::token(format!("token-{n}")), member(valid_until));
    }
    assert!(organizations.0.cache.len() <= 1_000);
    assert!(organizations.0.cache.len() > 900);
}

#[tokio::test]
async fn expired_session_is_removed() {
    let organizations = organizations(10);
    let session = Session::token("token");
    organizations.0.insert(&session, member(SystemTime::UNIX_EPOCH));
    assert!(organizations.0.cached(&session).is_none());
    assert_eq!(organizations.0.cache.len(), 0);
}

#[tokio::test]
async fn renewed_session_is_not_replaced_by_a_verified_one() {
    let organizations = organizations(10);
    let session = Session::jwt("a.b.c");
    let verified = || member(SystemTime::now() + Duration::from_secs(60));
    organizations.0.insert(&session, Member { sequence: 1, ..verified() });
    assert_eq!(organizations.0.insert(&session, verified()).sequence, 1);
    assert_eq!(organizations.0.cached(&session).unwrap().sequence, 1);
}

#[tokio::test]
async fn renewal_is_not_the_result_of_a_local_verification() {
    let organizations = organizations(10);
    let session = Session::jwt("a.b.c");
    let verified = member(SystemTime::now() + Duration::from_secs(60));
    let verify = |_| async {
        yield_now().await;
        Ok(verified)
    };
    let digest = session.digest();
    let verification = organizations.0.requests.run(&digest, verify, |_| false);
    let renewal = organizations.renew(&session, deadline());
    let (verified, renewed) = tokio::join!(verification, renewal);
    assert!(verified.unwrap().is_ok());
    // A request of its own, which nothing responds to.
    assert_eq!(renewed.unwrap_err().kind(), ErrorKind::Transport);
}

/// The time of a reading is in the future if the clock was set back after it.
#[tokio::test]
async fn roles_from_the_future_are_read_again() {
    let organizations = organizations(10);
    let (session, now, hour) =
        (Session::token("token"), SystemTime::now(), Duration::from_secs(3600));
    for (resolved, is_cached) in [(now - hour / 2, true), (now - hour, false), (now + hour, false)]
    {
        organizations.0.insert(&session, Member { resolved, ..member(now + 2 * hour) });
        let max_age = hour * 3 / 4;
        let roles = organizations.resolve_roles(&session, max_age, None, deadline()).await;
        assert_eq!(roles.is_ok(), is_cached, "{resolved:?}");
    }
}

#[tokio::test]
async fn jwt_from_the_future_may_have_expired() {
    let organizations = organizations(10);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    for (issued, may_have_expired) in [(now - 60, true), (now, false), (now + 60, true)] {
        let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"key"}"#);
        let times = format!(r#"{{"iat":{issued},"exp":{}}}"#, issued + 300);
        let claims = BASE64_URL_SAFE_NO_PAD.encode(times);
        let session = Session::jwt(format!("{header}.{claims}.c2lnbmF0dXJl"));
        assert_eq!(organizations.may_have_expired(&session), may_have_expired, "{issued} {now}");
    }
}

fn deadline() -> Deadline {
    Deadline::after(Operation::AuthenticateSession, Duration::from_secs(10))
}

fn member(valid_until: SystemTime) -> Member {
    Member {
        organization: PathSegment::new("organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931")
            .unwrap(),
        renewed: None,
        roles: Arc::default(),
        resolved: SystemTime::UNIX_EPOCH,
        sequence: VERIFIED,
        valid_until,
    }
}

fn organizations(capacity: usize) -> OrganizationResolver {
    let context = CallContext::unreachable(Clock::system());
    let settings = jwks::Settings::default();
    let keys = JwksCache::new(context.clone(), &settings, "http://127.0.0.1:1");
    OrganizationResolver::new(context, keys, Settings { capacity, ..Settings::default() })
}
