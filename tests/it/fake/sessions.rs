//! Sessions and their JWTs: expiry, revocation, forgery, published keys.

use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stytch_sso_external::testing::jwt;

use super::{AcmeOverHttp, JWT, NAME, TOKEN};

#[tokio::test]
async fn sessions_end() {
    let acme = AcmeOverHttp::new();
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
    let acme = AcmeOverHttp::new();
    let (token, jwt) = (acme.ada.token(), acme.ada.jwt());
    for headers in [[(TOKEN, &*token), (JWT, &*jwt)], [(TOKEN, &*token), (TOKEN, &*token)]] {
        let (status, response) = acme.send("PUT", &acme.path(), &headers, &NAME.into()).await;
        assert_eq!(status, 400);
        assert_eq!(response["error_type"], "too_many_session_arguments");
    }
}

#[tokio::test]
async fn forged_jwts_are_rejected() {
    let acme = AcmeOverHttp::new();
    let (header, claims) = (jwt::header(&acme.ada.jwt()), acme.ada.claims());
    let project = acme.stytch.key();
    let foreign = jwt::Key::generate().with_kid(project.kid());
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
        let (status, _) = acme.authenticate(&json!({"session_jwt": forged})).await;
        assert_eq!(status, 400);
    }
    let good = acme.ada.mint(json!({"aud": acme.stytch.project_id()}));
    assert_eq!(acme.put(JWT, &good, &NAME.into()).await.0, 200);
}

#[tokio::test]
async fn only_authenticate_accepts_an_expired_jwt() {
    let acme = AcmeOverHttp::new();
    let expired = acme.ada.jwt();
    acme.stytch.clock().advance(Duration::from_secs(300));
    acme.assert_rejected(JWT, &expired, 400, "unable_to_parse_session_jwt").await;
    let (status, response) = acme.authenticate(&json!({"session_jwt": expired})).await;
    assert_eq!(status, 200);
    let renewed = response["session_jwt"].as_str().unwrap();
    assert_eq!(acme.put(JWT, renewed, &NAME.into()).await.0, 200);
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
    let (status, response) = acme.authenticate(&json!({"session_jwt": renewed})).await;
    assert_eq!((status, &response["error_type"]), (404, &json!("session_not_found")));
}

#[tokio::test]
async fn authenticate_accepts_exactly_one_session() {
    let acme = AcmeOverHttp::new();
    let (token, jwt) = (acme.ada.token(), acme.ada.jwt());
    for (body, error) in [
        (json!({}), "no_session_arguments"),
        (json!("no object"), "no_session_arguments"),
        (json!({"session_token": token, "session_jwt": jwt}), "too_many_session_arguments"),
    ] {
        let (status, response) = acme.authenticate(&body).await;
        assert_eq!((status, &response["error_type"]), (400, &json!(error)));
    }
    let before = acme.ada.expires_at();
    let extend = json!({"session_token": token, "session_duration_minutes": 120});
    assert_eq!(acme.authenticate(&extend).await.0, 200);
    assert_eq!(acme.ada.expires_at(), before + Duration::from_secs(3600));
}

#[tokio::test]
async fn the_published_keys_verify_the_jwts() {
    let acme = AcmeOverHttp::new();
    let before = acme.ada.jwt();
    assert!(verifies(&acme.jwks().await, &before));
    acme.stytch.rotate_keys();
    let after = acme.ada.fresh_jwt();
    assert_ne!(jwt::header(&before)["kid"], jwt::header(&after)["kid"]);
    let keys = acme.jwks().await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert!(verifies(&keys, &before) && verifies(&keys, &after));
    acme.stytch.drop_old_keys();
    let keys = acme.jwks().await;
    assert!(!verifies(&keys, &before) && verifies(&keys, &after));
    acme.assert_rejected(JWT, &before, 400, "unable_to_parse_session_jwt").await;
    assert_eq!(acme.put(JWT, &after, &NAME.into()).await.0, 200);
}

#[tokio::test]
async fn a_session_started_before_a_rotation_keeps_its_first_jwt() {
    let acme = AcmeOverHttp::new();
    let kid = acme.stytch.key().kid().to_owned();
    acme.stytch.rotate_keys();
    assert_eq!(jwt::header(&acme.ada.jwt())["kid"], kid);
}

#[tokio::test]
async fn jwks_of_another_project_is_not_found() {
    let acme = AcmeOverHttp::new();
    let path = "/v1/b2b/sessions/jwks/project-test-other";
    let (status, _) = acme.send("GET", path, &[], &Value::Null).await;
    assert_eq!(status, 404);
}

/// Verifies a JWT as a client does, with the JWKS alone.
fn verifies(jwks: &Value, jwt: &str) -> bool {
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    let kid = &jwt::header(jwt)["kid"];
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    keys.iter().filter(|key| key["kid"] == *kid).any(|key| {
        assert_eq!((&key["kty"], &key["alg"]), (&json!("RSA"), &json!("RS256")));
        let n = decode(key["n"].as_str().unwrap());
        let e = decode(key["e"].as_str().unwrap());
        RsaPublicKeyComponents { n, e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature))
            .is_ok()
    })
}
