//! The counters and the log of requests.

use super::TOKEN;
use crate::support::prelude::*;

#[tokio::test]
async fn requests_are_logged_without_their_credentials() {
    let acme = Acme::new();
    let (token, jwt) = (acme.ada.token(), acme.ada.jwt());
    acme.put_ok(&json!({"display_name": "x"})).await;
    acme.authenticate(&json!({"session_jwt": jwt})).await;
    let [update, authenticate] = &acme.stytch.requests()[..] else {
        panic!("two requests were made");
    };
    assert_eq!(update.operation, Some(UPDATE));
    assert_eq!(update.method, "PUT");
    assert_eq!(update.path, acme.path());
    assert_eq!(update.body, Some(json!({"display_name": "x"})));
    assert_eq!(update.text, r#"{"display_name":"x"}"#);
    assert_eq!(update.status, 200);
    assert_eq!(update.header(TOKEN), Some("[redacted]"));
    assert!(update.header_names().contains(&"authorization"));
    assert!(update.carries(&token) && update.carries(acme.stytch.secret()));
    assert!(!update.carries(&jwt));
    assert_eq!(authenticate.body, Some(json!({"session_jwt": "[redacted]"})));
    assert!(authenticate.carries(&jwt) && !authenticate.carries(&token));
    let shown = format!("{:?} {acme:?}", acme.stytch.requests());
    for credential in [&token, &jwt, acme.stytch.secret()] {
        assert!(!shown.contains(credential));
    }
}

#[test]
fn fake_listens_only_on_loopback() {
    assert!(Stytch::start().base_url().starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn logs_are_bounded_and_counters_are_not() {
    let stytch = Stytch::builder().requests_kept(2).updates_kept(1).start();
    let acme = Acme::on(stytch);
    for name in ["a", "b", "c"] {
        acme.put_ok(&json!({"display_name": name})).await;
    }
    assert_eq!(acme.stytch.requests().len(), 2);
    assert_eq!(acme.stytch.updates()[0].body, json!({"display_name": "c"}));
    assert_eq!(acme.stytch.count(UPDATE), 3);
    assert_eq!(acme.stytch.accepted(), 3);
    assert_eq!(acme.stytch.count(AuthenticateSession), 0);
}
