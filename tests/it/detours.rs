//! Failures before an update: of the JWKS and of `sessions/authenticate`. No update is sent,
//! and the outcome is `NotApplied`.

use serde_json::{Value, json};
use stytch_sso_external::{Error, Outcome, Session};

use crate::support::{
    capture,
    hostile::Request,
    lab::{self, Lab, REQUEST_ID, variant},
    play::{self, Act, Play},
};

fn update(_: &Request, _: usize) -> Play {
    play::json(200, &lab::updated())
}

/// The error of an update whose `sessions/authenticate` gets this response. No update is sent.
async fn error_of_asking(play: Play) -> Error {
    let lab = Lab::scripted(lab::successful_jwks, move |_, _| play.clone(), update).await;
    let session = Session::token(lab::TOKEN);
    let error = lab::update_as(&lab.client(), session).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
    assert_eq!(lab.updates(), 0, "{error:?}");
    assert_eq!(lab.authenticate_requests(), error.attempts() as usize, "{error:?}");
    error
}

#[tokio::test]
async fn authenticate_fails_as_an_update_does() {
    let authenticated = lab::authenticated("a.b.c").to_string();
    let cases: Vec<(Play, &str, Option<u16>, u32)> = vec![
        (play::html(200), "UnexpectedResponse", Some(200), 1),
        (play::html(403), "UnexpectedResponse", Some(403), 1),
        (play::html(404), "UnexpectedResponse", Some(404), 1),
        (play::html(429), "RateLimited", Some(429), 3),
        (play::html(502), "UnexpectedResponse", Some(502), 3),
        (play::http(500, "", ""), "UnexpectedResponse", Some(500), 1),
        (play::http(204, "", ""), "UnexpectedResponse", Some(204), 1),
        (play::http(200, "", &authenticated[..40]), "UnexpectedResponse", Some(200), 1),
        (play::http(200, "", "[".repeat(100_000)), "UnexpectedResponse", Some(200), 1),
        (play::json(200, &json!({"status_code": 200})), "UnexpectedResponse", Some(200), 1),
        (
            play::json(401, &lab::rejected(401, "unauthorized_credentials")),
            "CredentialsRejected",
            Some(401),
            1,
        ),
        (play::json(404, &lab::rejected(404, "session_not_found")), "SessionInvalid", Some(404), 1),
        (
            play::json(200, &lab::rejected(404, "session_not_found")),
            "UnexpectedResponse",
            Some(200),
            1,
        ),
        (vec![Act::Close], "Transport", None, 3),
        (vec![Act::Reset], "Transport", None, 3),
    ];
    for (play, expected, status, attempts) in cases {
        let error = error_of_asking(play.clone()).await;
        assert_eq!(variant(&error), expected, "{play:?}");
        assert_eq!(error.status().map(|status| status.as_u16()), status, "{play:?}");
        assert_eq!(error.attempts(), attempts, "{play:?}");
    }
}

#[tokio::test]
async fn invalid_organization_id_in_a_response_keeps_the_status_and_the_request_id() {
    for organization in ["", ".", "..", "..\\..\\x", "a\r\nb", "a\0b"] {
        let mut response = lab::authenticated("a.b.c");
        response["member_session"]["organization_id"] = json!(organization);
        let error = error_of_asking(play::json(200, &response)).await;
        assert_eq!(variant(&error), "UnexpectedResponse", "{organization:?}");
        assert_eq!(error.status().unwrap(), 200, "{organization:?}");
        assert_eq!(error.request_id(), Some(REQUEST_ID), "{organization:?}");
    }
}

#[tokio::test]
async fn a_renewed_jwt_that_no_header_can_carry_is_an_error() {
    for jwt in ["", "a b", "a\r\nx-evil: 1", "ä.b.c", &"a".repeat(17 * 1024)] {
        let response = play::json(200, &lab::authenticated(jwt));
        let lab = Lab::scripted(|_, _| play::html(500), move |_, _| response.clone(), update).await;
        let error = lab::update(&lab.client()).await.unwrap_err();
        assert_eq!(variant(&error), "UnexpectedResponse", "{jwt:?}");
        assert_eq!(error.status().unwrap(), 200);
        assert_eq!(error.request_id(), Some(REQUEST_ID));
        assert_eq!((error.outcome(), lab.updates()), (Outcome::NotApplied, 0));
    }
}

/// Key sets with which no JWT can be checked.
fn useless_keys() -> Vec<Play> {
    let mut wrong_alg = lab::KEY.jwk();
    wrong_alg.alg = Some("RS512".into());
    let mut symmetric = lab::KEY.jwk();
    symmetric.kty = Some("oct".into());
    let mut nameless = lab::KEY.jwk();
    nameless.kid = None;
    let mut short = lab::KEY.jwk();
    short.n = short.n.map(|n| n[..86].to_owned());
    let mut not_base64 = lab::KEY.jwk();
    not_base64.n = Some("!".repeat(342));
    let ec = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": lab::KEY.kid(), "x": "a"});
    let sets = [
        json!([]),
        json!([{}]),
        json!([ec]),
        json!([wrong_alg]),
        json!([symmetric]),
        json!([nameless]),
        json!([short]),
        json!([not_base64]),
        json!([null]),
        json!("none"),
        Value::Null,
    ];
    sets.map(|keys| play::json(200, &json!({"keys": keys, "request_id": REQUEST_ID}))).into()
}

#[tokio::test]
async fn unreachable_jwks_leads_to_authenticate() {
    let mut plays = useless_keys();
    plays.extend([play::html(200), play::html(403), play::http(204, "", ""), vec![Act::Close]]);
    plays.push(play::http(200, "", "[".repeat(100_000)));
    plays.push(play::http(200, "", " ".repeat((1 << 20) + 1)));
    plays.push(play::json(404, &lab::rejected(404, "project_not_found")));
    for play in plays {
        let keys = play.clone();
        let lab =
            Lab::scripted(move |_, _| keys.clone(), lab::successful_authenticate, update).await;
        lab::update(&lab.client()).await.unwrap_or_else(|error| panic!("{error:?} at {play:?}"));
        assert_eq!((lab.authenticate_requests(), lab.updates()), (1, 1), "{play:?}");
    }
}

#[tokio::test]
async fn warm_up_reports_unusable_keys() {
    for play in useless_keys() {
        let keys = play.clone();
        let lab =
            Lab::scripted(move |_, _| keys.clone(), lab::successful_authenticate, update).await;
        let error = lab.client().warm_up().await.unwrap_err();
        capture::inspect(&error);
        assert_eq!(variant(&error), "UnexpectedResponse", "{play:?}");
        assert_eq!(error.status().unwrap(), 200, "{play:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{play:?}");
        assert_eq!(lab.jwks_requests(), 1, "{play:?}");
    }
}
