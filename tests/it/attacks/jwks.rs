//! Key sets that are too large, ambiguous or weak.

use crate::support::prelude::*;

async fn publishing(keys: Value) -> ScriptedProject {
    let project = ScriptedProject::successful().await;
    project.respond(GetJwks, key_set(&keys));
    project
}

fn key_set(keys: &Value) -> Steps {
    steps::json(200, &json!({"keys": keys, "status_code": 200}))
}

async fn update(client: &Client, jwt: String) -> Result<(), Error> {
    update_as(client, Session::jwt(jwt)).await.map(drop)
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
    assert_eq!(project.counts(), [1, 0, 1]);

    let named = |n: usize| with(raw::jwk(), "/kid", n.to_string());
    let large: Vec<Value> = (0..10_000).map(named).collect();
    let project = publishing(json!(large)).await;
    update(&project.client(), raw_jwt("7")).await.unwrap();
    // 4 MB of keys are beyond the bound on bodies: `sessions/authenticate` is called instead.
    assert_eq!(project.counts(), [1, 1, 1]);
    assert!(project.server.bytes_sent() < 5 << 20);
}

/// Another key under the name of the raw one, and a JWT signed with it.
fn key_of_the_same_kid() -> (types::Jwk, String) {
    let key = KEY.clone().with_kid(raw::KID);
    let jwt = jwt::sign(&json!({"alg": "RS256", "kid": raw::KID}), &claims(), &key);
    (key.jwk(), jwt)
}

#[tokio::test]
async fn first_of_two_keys_with_one_kid_is_used() {
    let (second, by_second) = key_of_the_same_kid();
    let (project, client) = publishing(json!([raw::jwk(), second])).await.with_client();
    update(&client, raw_jwt(raw::KID)).await.unwrap();
    assert_eq!(update(&client, by_second).await.unwrap_err().kind(), InvalidSession);
    assert_eq!(project.counts(), [1, 0, 1]);
}

/// As after a project was restored: the service calls `warm_up`.
#[tokio::test]
async fn key_that_replaces_another_under_its_kid_is_used_after_warm_up() {
    let (project, client) = publishing(json!([raw::jwk()])).await.with_client();
    update(&client, raw_jwt(raw::KID)).await.unwrap();
    let (new, by_new) = key_of_the_same_kid();
    project.respond(GetJwks, key_set(&json!([new])));
    assert_eq!(update(&client, by_new.clone()).await.unwrap_err().kind(), InvalidSession);
    client.warm_up().await.unwrap();
    update(&client, by_new).await.unwrap();
    assert_eq!(project.counts(), [2, 0, 2]);
}

/// One thing wrong with a key, each.
fn unusable() -> Vec<Value> {
    let wrong = [
        ("/alg", json!("RS512")),
        ("/alg", json!("HS256")),
        ("/alg", json!("")),
        ("/kty", json!("oct")),
        ("/kty", json!("EC")),
        ("/kty", json!(null)),
        ("/n", json!("!")),
        ("/n", json!("A".repeat(86))),
        ("/e", json!(null)),
    ];
    wrong.map(|(pointer, value)| with(raw::jwk(), pointer, value)).into()
}

#[tokio::test]
async fn unusable_key_does_not_shadow_another_of_the_same_kid() {
    let project = publishing(json!([unusable(), vec![raw::jwk()]].concat())).await;
    update(&project.client(), raw_jwt(raw::KID)).await.unwrap();
    assert_eq!(project.counts(), [1, 0, 1]);
}

#[tokio::test]
async fn unusable_key_verifies_nothing() {
    for key in unusable() {
        // Beside a good one, so that the set as a whole can be used.
        let project = publishing(json!([key, KEY.jwk()])).await;
        let error = update(&project.client(), raw_jwt(raw::KID)).await.unwrap_err();
        assert_eq!(error.kind(), InvalidSession, "{key}");
        assert_eq!(project.counts()[1..], [0, 0], "{key}");
    }
}

#[tokio::test]
async fn removed_key_is_rejected_after_a_refresh() {
    let (old, new) = (Key::generate(), KEY.jwk());
    let project = publishing(json!([old.jwk(), new])).await;
    let clock = Clock::stopped();
    let client = project.builder().clock(clock.clone()).build().unwrap();
    let header = with(header(), "/kid", old.kid());
    let claims = with(claims(), "/exp", u32::MAX);
    let signed = |id: &str| jwt::sign(&header, &with(claims.clone(), "/sub", id), &old);
    update(&client, signed("before")).await.unwrap();
    project.respond(GetJwks, key_set(&json!([new])));
    clock.advance(Duration::from_secs(3600));
    let error = update(&client, signed("after")).await.unwrap_err();
    assert_eq!(error.kind(), InvalidSession);
    assert_eq!(project.counts(), [2, 0, 1]);
}
