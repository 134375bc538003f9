//! Sessions and their JWTs: expiry, revocation, forgery, published keys.

use crate::support::prelude::*;

use super::{JWT, NAME, TOKEN, assert_error, assert_ok};

#[tokio::test]
async fn sessions_end() {
    let acme = Acme::new();
    let minute = Duration::from_secs(60);
    let short = acme.member.log_in_for(minute);
    acme.assert_rejected(TOKEN, "unknown", 404, "session_not_found").await;
    acme.stytch.clock().advance(minute);
    acme.assert_rejected(TOKEN, &short.token(), 404, "session_not_found").await;
    acme.assert_rejected(JWT, &short.jwt(), 404, "session_not_found").await;
    acme.ada.revoke();
    acme.assert_rejected(TOKEN, &acme.ada.token(), 404, "session_not_found").await;
    acme.assert_rejected(JWT, &acme.ada.fresh_jwt(), 404, "session_not_found").await;
}

#[tokio::test]
async fn two_sessions_are_rejected() {
    let acme = Acme::new();
    let (token, jwt) = (acme.ada.token(), acme.ada.jwt());
    for headers in [[(TOKEN, &*token), (JWT, &*jwt)], [(TOKEN, &*token), (TOKEN, &*token)]] {
        let response = acme.send("PUT", &acme.path(), &headers, &NAME.into()).await;
        assert_error(&response, 400, "too_many_session_arguments");
    }
}

#[tokio::test]
async fn forged_jwts_are_rejected() {
    let acme = Acme::new();
    let (header, claims) = (jwt::header(&acme.ada.jwt()), acme.ada.claims());
    let project = acme.stytch.key();
    let foreign = Key::generate().with_kid(project.kid());
    let hs256 = json!({"alg": "HS256", "kid": project.kid()});
    let renamed = json!({"alg": "RS256", "kid": "other"});
    let forged = [
        jwt::sign(&header, &claims, &foreign),
        jwt::sign(&renamed, &claims, &project),
        jwt::sign(&hs256, &claims, &project),
        jwt::sign_hmac(&hs256, &claims, project.public_key_pem().as_bytes()),
        jwt::unsigned(&json!({"alg": "none"}), &claims),
        jwt::unsigned(&header, &claims),
        acme.ada.mint(json!({"aud": ["project-test-other"]})),
        acme.ada.mint(json!({"exp": null})),
        acme.ada.mint(json!({"https://stytch.com/session": null})),
        "a.b.c".into(),
        "a.b".into(),
    ];
    for forged in &forged {
        acme.assert_rejected(JWT, forged, 400, "unable_to_parse_session_jwt").await;
        assert_eq!(acme.authenticate(&json!({"session_jwt": forged})).await.0, 400);
    }
    let good = acme.ada.mint(json!({"aud": acme.stytch.project_id()}));
    assert_ok(&acme.put(JWT, &good, &NAME.into()).await);
}

#[tokio::test]
async fn only_authenticate_accepts_an_expired_jwt() {
    let acme = Acme::new();
    let expired = acme.ada.jwt();
    acme.stytch.clock().advance(Duration::from_secs(300));
    acme.assert_rejected(JWT, &expired, 400, "unable_to_parse_session_jwt").await;
    let (status, response) = acme.authenticate(&json!({"session_jwt": expired})).await;
    assert_eq!(status, 200);
    let renewed = response["session_jwt"].as_str().unwrap();
    assert_ok(&acme.put(JWT, renewed, &NAME.into()).await);
    assert_eq!(response["session_token"], acme.ada.token());
    let session = &response["member_session"];
    assert_eq!(session["organization_id"], acme.organization.id());
    assert_eq!(session["organization_slug"], "acme");
    assert_eq!(session["member_id"], acme.member.id());
    assert_eq!(session["member_session_id"], acme.ada.session_id());
    assert_eq!(session["roles"], json!(["stytch_member", "stytch_admin"]));
    assert_eq!(response["member"]["member_id"], acme.member.id());
    assert_eq!(response["organization"]["organization_slug"], "acme");
    acme.ada.revoke();
    let response = acme.authenticate(&json!({"session_jwt": renewed})).await;
    assert_error(&response, 404, "session_not_found");
}

#[tokio::test]
async fn authenticate_accepts_exactly_one_session() {
    let acme = Acme::new();
    let (token, jwt) = (acme.ada.token(), acme.ada.jwt());
    for (body, error) in [
        (json!({}), "no_session_arguments"),
        (json!("no object"), "no_session_arguments"),
        (json!({"session_token": token, "session_jwt": jwt}), "too_many_session_arguments"),
    ] {
        assert_error(&acme.authenticate(&body).await, 400, error);
    }
    let ada = acme.member.log_in();
    let before = ada.expires_at();
    let extend = json!({"session_token": ada.token(), "session_duration_minutes": 120});
    assert_eq!(acme.authenticate(&extend).await.0, 200);
    assert_eq!(ada.expires_at(), before + Duration::from_secs(3600));
}

#[tokio::test]
async fn the_published_keys_verify_the_jwts() {
    let acme = Acme::new();
    let (before, waiting) = (acme.ada.jwt(), acme.member.log_in());
    assert!(is_verified(&acme, &before).await);
    acme.stytch.rotate_keys();
    let after = acme.ada.fresh_jwt();
    assert_ne!(jwt::header(&before)["kid"], jwt::header(&after)["kid"]);
    // A session that was started before the rotation keeps its first JWT.
    assert_eq!(jwt::header(&waiting.jwt())["kid"], jwt::header(&before)["kid"]);
    assert_eq!(acme.jwks().await["keys"].as_array().unwrap().len(), 2);
    assert!(is_verified(&acme, &before).await && is_verified(&acme, &after).await);
    acme.stytch.drop_old_keys();
    assert!(!is_verified(&acme, &before).await && is_verified(&acme, &after).await);
    acme.assert_rejected(JWT, &before, 400, "unable_to_parse_session_jwt").await;
    assert_ok(&acme.put(JWT, &after, &NAME.into()).await);
}

/// Returns whether a client that has fetched the keys accepts a JWT, without asking the fake.
async fn is_verified(acme: &Acme, jwt: &str) -> bool {
    let client = acme.stytch.client();
    let is_valid = client.as_member(Session::jwt(jwt)).organization_id().await.is_ok();
    assert_eq!(acme.stytch.count(AuthenticateSession), 0);
    is_valid
}
