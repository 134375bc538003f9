//! Unit tests of the session cache, whose size can't be seen from outside.

use super::*;
use crate::{
    clock::Clock,
    jwks,
    retry::{Retry, RetryPolicy},
    span::Server,
    transport::{Transport, TransportConfig},
};

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
    let http = reqwest::Client::new();
    let config = TransportConfig {
        base_url: "http://127.0.0.1:1".to_owned(),
        base: reqwest::Url::parse("http://127.0.0.1:1").unwrap(),
        authorization: http::HeaderValue::from_static("unused"),
        attempt_timeout: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(1),
        max_response_bytes: 1,
    };
    let project_id = PathSegment::new("project-test-1").unwrap();
    let clock = Clock::system();
    let context = CallContext {
        transport: Arc::new(Transport::new(config, http, project_id, 1, clock.clone())),
        retry: Arc::new(Retry::new(RetryPolicy::disabled(), clock.clone())),
        operation_timeout: Duration::ZERO,
        attempt_timeout: Duration::ZERO,
        clock,
        server: Arc::new(Server { address: "127.0.0.1".to_owned(), port: 1 }),
    };
    let settings = jwks::Settings::default();
    let keys = JwksCache::new(context.clone(), &settings, "http://127.0.0.1:1");
    OrganizationResolver::new(context, keys, Settings { capacity, ..Settings::default() })
}
