//! Scripted faults.

use std::time::{Duration, Instant};

use serde_json::json;
use stytch_sso_external::testing::{Answer, Fault, Operation, SeenRequest};

use super::{Acme, NAME, TOKEN};

#[tokio::test]
async fn faults_take_turns_and_end() {
    let acme = Acme::new();
    let limit = Fault::rate_limited().retry_after("2");
    let limited = acme.stytch.fault(Operation::Update, limit).times(2);
    acme.stytch.fault(Operation::Update, Fault::html(502)).times(1);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(acme.put(TOKEN, &acme.ada.token(), &NAME.into()).await.0);
    }
    assert_eq!(statuses, [429, 429, 502, 200]);
    assert_eq!(limited.hits(), 2);
    assert_eq!(limited.times(2).hits(), 2);
    assert_eq!(acme.stytch.accepted(), 1);
    assert_eq!(acme.stytch.count(Operation::Update), 4);
    let outage = acme.stytch.fault(Operation::Jwks, Fault::status(503));
    assert_eq!(acme.jwks().await["error_type"], "server_unavailable");
    outage.clear();
    assert!(acme.jwks().await["keys"].is_array());
    acme.stytch.fault(Operation::Jwks, Fault::status(500));
    acme.stytch.clear_faults();
    assert!(acme.jwks().await["keys"].is_array());
}

#[tokio::test]
async fn a_fault_shows_its_headers_and_any_body() {
    let acme = Acme::new();
    let limit = Fault::rate_limited().retry_after("2");
    acme.stytch.fault(Operation::Jwks, limit).times(1);
    let url = format!("{}/v1/b2b/sessions/jwks/x", acme.stytch.base_url());
    let response = reqwest::get(&url).await.unwrap();
    assert_eq!(response.headers()["retry-after"], "2");
    let hook = |request: &SeenRequest| Answer::new(418, request.method.clone());
    acme.stytch.fault(Operation::Jwks, Fault::respond(hook));
    let response = reqwest::get(&url).await.unwrap();
    assert_eq!(response.status(), 418);
    assert_eq!(response.text().await.unwrap(), "GET");
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_update_was_made() {
    let acme = Acme::new();
    let lost = Fault::status(504).after_applying();
    acme.stytch.fault(Operation::Update, lost).times(1);
    let (status, _) = acme.put(TOKEN, &acme.ada.token(), &json!({"display_name": "x"})).await;
    assert_eq!(status, 504);
    assert_eq!(acme.connection.state().display_name, "x");
}

#[tokio::test]
async fn a_delay_holds_up_its_own_requests_only() {
    let (slow, quick) = (Acme::new(), Acme::new());
    let never = slow.stytch.fault(Operation::Update, Fault::delay(HOUR)).times(1);
    let session = [(TOKEN, &*slow.ada.token())];
    let request = slow.request("PUT", &slow.path(), &session, &NAME.into());
    let delayed = tokio::spawn(request.send());
    while never.hits() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Counted on arrival, though it isn't answered.
    assert_eq!(slow.stytch.count(Operation::Update), 1);
    quick.put_ok(&json!({"display_name": "x"})).await;
    assert!(slow.jwks().await["keys"].is_array());
    slow.put_ok(&json!({"display_name": "x"})).await;
    assert_eq!(slow.stytch.count(Operation::Update), 2);
    assert!(!delayed.is_finished());
    delayed.abort();
}

#[tokio::test]
async fn a_delay_comes_on_top_of_another_fault() {
    let acme = Acme::new();
    let delay = Duration::from_millis(100);
    acme.stytch.fault(Operation::Update, Fault::delay(delay)).times(1);
    acme.stytch.fault(Operation::Update, Fault::status(503)).times(1);
    let start = Instant::now();
    assert_eq!(acme.put(TOKEN, &acme.ada.token(), &NAME.into()).await.0, 503);
    assert!(start.elapsed() >= delay);
    assert_eq!(acme.stytch.count(Operation::Update), 1);
}

#[tokio::test]
async fn a_dropped_stand_in_is_gone_and_takes_its_delays_along() {
    let acme = Acme::new();
    acme.stytch.fault(Operation::Update, Fault::delay(HOUR));
    let url = format!("{}{}", acme.stytch.base_url(), acme.path());
    drop(acme);
    let response = reqwest::Client::new().put(url).send().await.unwrap();
    assert_eq!(response.status(), 410);
}

const HOUR: Duration = Duration::from_secs(60 * 60);
