//! Key sets that are too large, ambiguous or weak.

use std::time::Duration;

use serde_json::{Value, json};
use stytch_sso_external::testing::jwt::{self, Key};
use stytch_sso_external::{Client, Error, Session};

use crate::support::{
    raw,
    scripted_project::{self, KEY, ScriptedProject, claims, header, variant},
    steps,
};

async fn publishing(keys: Value) -> ScriptedProject {
    let keys = steps::json(200, &json!({"keys": keys, "status_code": 200}));
    let update = |_: &_, _| steps::json(200, &scripted_project::updated());
    ScriptedProject::scripted(
        move |_, _| keys.clone(),
        scripted_project::successful_authenticate,
        update,
    )
    .await
}

async fn update(client: &Client, jwt: String) -> Result<(), Error> {
    scripted_project::update_as(client, Session::jwt(jwt)).await.map(|_| ())
}

/// A JWT signed with the raw key under this name.
fn raw_jwt(kid: &str) -> String {
    let header = json!({"alg": "RS256", "kid": kid}).to_string();
    raw::sign(&header, &claims().to_string())
}

#[tokio::test]
async fn ten_thousand_keys_are_read_while_they_fit_and_rejected_beyond() {
    let mut small = vec![json!({"kty": "EC", "kid": "ec"}); 10_000];
    small.push(raw::jwk());
    let project = publishing(json!(small)).await;
    update(&project.client(), raw_jwt(raw::KID)).await.unwrap();
    assert_eq!((project.authenticate_requests(), project.updates()), (0, 1));

    let named = |n: usize| {
        let mut key = raw::jwk();
        key["kid"] = json!(n.to_string());
        key
    };
    let large: Vec<Value> = (0..10_000).map(named).collect();
    let project = publishing(json!(large)).await;
    update(&project.client(), raw_jwt("7")).await.unwrap();
    // 4 MB of keys are beyond the bound on bodies: `sessions/authenticate` is called instead.
    assert_eq!((project.authenticate_requests(), project.updates()), (1, 1));
    assert!(project.server.bytes_sent() < 5 << 20);
}

#[tokio::test]
async fn first_of_two_keys_with_one_kid_is_used() {
    let mut second = KEY.jwk();
    second.kid = Some(raw::KID.into());
    let second_kid = KEY.clone().with_kid(raw::KID);
    let by_second = jwt::sign(&json!({"alg": "RS256", "kid": raw::KID}), &claims(), &second_kid);
    let project = publishing(json!([raw::jwk(), second])).await;
    let client = project.client();
    update(&client, raw_jwt(raw::KID)).await.unwrap();
    assert_eq!(variant(&update(&client, by_second).await.unwrap_err()), "InvalidSession");
    assert_eq!(
        (project.jwks_requests(), project.authenticate_requests(), project.updates()),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn unusable_key_does_not_shadow_another_of_the_same_kid() {
    let short = json!({"n": "A".repeat(86)});
    let mut spoilt = Vec::new();
    for wrong in [
        json!({"kty": "EC"}),
        json!({"alg": "RS512"}),
        json!({"n": "!"}),
        json!({"e": null}),
        short,
        json!({"kty": null}),
    ] {
        let mut key = raw::jwk();
        for (name, value) in wrong.as_object().unwrap() {
            key[name] = value.clone();
        }
        spoilt.push(key);
    }
    spoilt.push(raw::jwk());
    let project = publishing(json!(spoilt)).await;
    update(&project.client(), raw_jwt(raw::KID)).await.unwrap();
    assert_eq!((project.authenticate_requests(), project.updates()), (0, 1));
}

#[tokio::test]
async fn a_key_for_another_algorithm_or_too_short_verifies_nothing() {
    for (name, value) in [
        ("alg", json!("RS512")),
        ("alg", json!("HS256")),
        ("alg", json!("")),
        ("kty", json!("oct")),
        ("kty", json!("EC")),
        ("n", json!("A".repeat(86))),
    ] {
        let mut key = raw::jwk();
        key[name] = value.clone();
        // Beside a good one, so that the set as a whole can be used.
        let project = publishing(json!([key, KEY.jwk()])).await;
        let error = update(&project.client(), raw_jwt(raw::KID)).await.unwrap_err();
        assert_eq!(variant(&error), "InvalidSession", "{name} {value}");
        assert_eq!((project.authenticate_requests(), project.updates()), (0, 0), "{name} {value}");
    }
}

#[tokio::test]
async fn removed_key_is_rejected_after_a_refresh() {
    let old = Key::generate();
    let kid = old.kid().to_owned();
    let new = KEY.jwk();
    let keys = [json!([old.jwk(), new]), json!([new])];
    let keys = keys.map(|keys| steps::json(200, &json!({"keys": keys})));
    let update_ = |_: &_, _| steps::json(200, &scripted_project::updated());
    let script = move |_: &_, before: usize| keys[before.min(1)].clone();
    let project =
        ScriptedProject::scripted(script, scripted_project::successful_authenticate, update_).await;
    let clock = stytch_sso_external::testing::Clock::stopped();
    let client = project.builder().clock(clock.clone()).build().unwrap();
    let mut header = header();
    header["kid"] = json!(kid);
    let signed = |id: &str| {
        let mut claims = claims();
        claims["exp"] = json!(u32::MAX);
        claims["sub"] = json!(id);
        jwt::sign(&header, &claims, &old)
    };
    update(&client, signed("before")).await.unwrap();
    clock.advance(Duration::from_secs(3600));
    let error = update(&client, signed("after")).await.unwrap_err();
    assert_eq!(variant(&error), "InvalidSession");
    assert_eq!(
        (project.jwks_requests(), project.authenticate_requests(), project.updates()),
        (2, 0, 1)
    );
}
