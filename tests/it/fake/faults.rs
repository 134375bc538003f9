//! Scripted faults.

use super::{NAME, TOKEN, http};
use crate::support::prelude::*;

#[tokio::test]
async fn faults_are_used_up_in_order() {
    let acme = Acme::new();
    let stytch = &acme.stytch;
    let limited = stytch.fault(UPDATE, Fault::rate_limited().retry_after("2")).times(2);
    let _ = stytch.fault(UPDATE, Fault::html(502)).times(1);
    // The response is lost after the update was applied.
    let _ = stytch.fault(UPDATE, Fault::status(504).after_applying()).times(1);
    for (n, status) in [429, 429, 502, 504, 200].into_iter().enumerate() {
        let name = format!("name {n}");
        assert_eq!(acme.put_by_ada(&json!({"display_name": name})).await.0, status);
        let is_applied = acme.connection.state().display_name == name;
        assert_eq!(is_applied, [504, 200].contains(&status), "{status}");
    }
    assert_eq!(limited.hits(), 2);
    assert_eq!(limited.times(2).hits(), 2);
    assert_eq!((stytch.accepted(), stytch.count(UPDATE)), (2, 5));
    let outage = stytch.fault(GetJwks, Fault::status(503));
    assert_eq!(acme.jwks().await["error_type"], "server_unavailable");
    outage.clear();
    assert!(acme.jwks().await["keys"].is_array());
    let _ = stytch.fault(GetJwks, Fault::status(500));
    stytch.clear_faults();
    assert!(acme.jwks().await["keys"].is_array());
}

#[tokio::test]
async fn fault_has_headers_and_any_body() {
    let acme = Acme::new();
    let get = async || {
        let url = format!("{}/v1/b2b/sessions/jwks/x", acme.stytch.base_url());
        http().get(url).send().await.unwrap()
    };
    let _ = acme.stytch.fault(GetJwks, Fault::rate_limited().retry_after("2")).times(1);
    assert_eq!(get().await.headers()["retry-after"], "2");
    let hook = |request: &testing::SeenRequest| Response::new(418, request.method.clone());
    let _ = acme.stytch.fault(GetJwks, Fault::respond(hook));
    let response = get().await;
    assert_eq!(response.status(), 418);
    assert_eq!(response.text().await.unwrap(), "GET");
}

#[tokio::test]
async fn delay_affects_only_its_own_requests() {
    let (slow, quick) = (Acme::new(), Acme::new());
    let never = slow.stytch.fault(UPDATE, Fault::delay(HOUR)).times(1);
    let session = [(TOKEN, &*slow.ada.token())];
    let delayed = tokio::spawn(slow.request("PUT", &slow.path(), &session, &NAME.into()).send());
    until(|| never.hits() > 0).await;
    // Counted on arrival, before the response.
    assert_eq!(slow.stytch.count(UPDATE), 1);
    quick.put_ok(&NAME.into()).await;
    assert!(slow.jwks().await["keys"].is_array());
    slow.put_ok(&NAME.into()).await;
    assert_eq!(slow.stytch.count(UPDATE), 2);
    assert!(!delayed.is_finished());
    delayed.abort();
}

/// In real time: the fake delays in a thread of its own.
#[tokio::test]
async fn delay_is_added_to_another_fault() {
    let acme = Acme::new();
    let delay = Duration::from_millis(100);
    let _ = acme.stytch.fault(UPDATE, Fault::delay(delay)).times(1);
    let _ = acme.stytch.fault(UPDATE, Fault::status(503)).times(1);
    let start = Instant::now();
    assert_eq!(acme.put_by_ada(&NAME.into()).await.0, 503);
    assert!(start.elapsed() >= delay);
    assert_eq!(acme.stytch.count(UPDATE), 1);
}

#[tokio::test]
async fn dropped_fake_responds_with_410_and_drops_its_delays() {
    let acme = Acme::new();
    let _ = acme.stytch.fault(UPDATE, Fault::delay(HOUR));
    let url = format!("{}{}", acme.stytch.base_url(), acme.path());
    drop(acme);
    assert_eq!(http().put(url).send().await.unwrap().status(), 410);
}

const HOUR: Duration = Duration::from_secs(60 * 60);
