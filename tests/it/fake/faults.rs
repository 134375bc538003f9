//! Scripted faults.

use std::time::{Duration, Instant};

use serde_json::json;
use stytch_sso_external::{
    Operation,
    testing::{Fault, Response, SeenRequest},
};

use super::{AcmeOverHttp, NAME, TOKEN};
use crate::support::wait::until;

#[tokio::test]
async fn faults_are_used_up_in_order() {
    let acme = AcmeOverHttp::new();
    let limit = Fault::rate_limited().retry_after("2");
    let limited = acme.stytch.fault(Operation::UpdateExternalConnection, limit).times(2);
    acme.stytch.fault(Operation::UpdateExternalConnection, Fault::html(502)).times(1);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(acme.put(TOKEN, &acme.ada.token(), &NAME.into()).await.0);
    }
    assert_eq!(statuses, [429, 429, 502, 200]);
    assert_eq!(limited.hits(), 2);
    assert_eq!(limited.times(2).hits(), 2);
    assert_eq!(acme.stytch.accepted(), 1);
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 4);
    let outage = acme.stytch.fault(Operation::GetJwks, Fault::status(503));
    assert_eq!(acme.jwks().await["error_type"], "server_unavailable");
    outage.clear();
    assert!(acme.jwks().await["keys"].is_array());
    acme.stytch.fault(Operation::GetJwks, Fault::status(500));
    acme.stytch.clear_faults();
    assert!(acme.jwks().await["keys"].is_array());
}

#[tokio::test]
async fn fault_has_headers_and_any_body() {
    let acme = AcmeOverHttp::new();
    let limit = Fault::rate_limited().retry_after("2");
    acme.stytch.fault(Operation::GetJwks, limit).times(1);
    let url = format!("{}/v1/b2b/sessions/jwks/x", acme.stytch.base_url());
    let response = reqwest::get(&url).await.unwrap();
    assert_eq!(response.headers()["retry-after"], "2");
    let hook = |request: &SeenRequest| Response::new(418, request.method.clone());
    acme.stytch.fault(Operation::GetJwks, Fault::respond(hook));
    let response = reqwest::get(&url).await.unwrap();
    assert_eq!(response.status(), 418);
    assert_eq!(response.text().await.unwrap(), "GET");
}

#[tokio::test]
async fn response_can_be_lost_after_the_update_was_applied() {
    let acme = AcmeOverHttp::new();
    let lost = Fault::status(504).after_applying();
    acme.stytch.fault(Operation::UpdateExternalConnection, lost).times(1);
    let (status, _) = acme.put(TOKEN, &acme.ada.token(), &json!({"display_name": "x"})).await;
    assert_eq!(status, 504);
    assert_eq!(acme.connection.state().display_name, "x");
}

#[tokio::test]
async fn delay_affects_only_its_own_requests() {
    let (slow, quick) = (AcmeOverHttp::new(), AcmeOverHttp::new());
    let never = slow.stytch.fault(Operation::UpdateExternalConnection, Fault::delay(HOUR)).times(1);
    let session = [(TOKEN, &*slow.ada.token())];
    let request = slow.request("PUT", &slow.path(), &session, &NAME.into());
    let delayed = tokio::spawn(request.send());
    until(|| never.hits() > 0).await;
    // Counted on arrival, before the response.
    assert_eq!(slow.stytch.count(Operation::UpdateExternalConnection), 1);
    quick.put_ok(&json!({"display_name": "x"})).await;
    assert!(slow.jwks().await["keys"].is_array());
    slow.put_ok(&json!({"display_name": "x"})).await;
    assert_eq!(slow.stytch.count(Operation::UpdateExternalConnection), 2);
    assert!(!delayed.is_finished());
    delayed.abort();
}

#[tokio::test]
async fn delay_is_added_to_another_fault() {
    let acme = AcmeOverHttp::new();
    let delay = Duration::from_millis(100);
    acme.stytch.fault(Operation::UpdateExternalConnection, Fault::delay(delay)).times(1);
    acme.stytch.fault(Operation::UpdateExternalConnection, Fault::status(503)).times(1);
    let start = Instant::now();
    assert_eq!(acme.put(TOKEN, &acme.ada.token(), &NAME.into()).await.0, 503);
    assert!(start.elapsed() >= delay);
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 1);
}

#[tokio::test]
async fn dropped_fake_responds_with_410_and_drops_its_delays() {
    let acme = AcmeOverHttp::new();
    acme.stytch.fault(Operation::UpdateExternalConnection, Fault::delay(HOUR));
    let url = format!("{}{}", acme.stytch.base_url(), acme.path());
    drop(acme);
    let response = reqwest::Client::new().put(url).send().await.unwrap();
    assert_eq!(response.status(), 410);
}

const HOUR: Duration = Duration::from_secs(60 * 60);
