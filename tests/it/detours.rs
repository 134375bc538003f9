//! Failures before an update: of the JWKS and of `sessions/authenticate`. No update is sent,
//! and the outcome is `NotApplied`.

use crate::support::prelude::*;

/// The error of an update whose `sessions/authenticate` gets this response. No update is sent.
async fn error_after_authenticate(session: Session, steps: Steps) -> Error {
    let project = ScriptedProject::successful().await;
    project.respond(GetJwks, html(500));
    project.respond(AuthenticateSession, steps);
    let error = update_as(&project.client(), session).await.unwrap_err();
    assert_eq!(project.counts()[1..], [error.attempts() as usize, 0], "{error:?}");
    assert_eq!(error.operation(), AuthenticateSession);
    error
}

#[tokio::test]
async fn authenticate_failures_have_the_same_kinds() {
    let cut = authenticated("a.b.c").to_string()[..40].to_owned();
    let ended = rejected(404, "session_not_found");
    let credentials = rejected(401, "unauthorized_credentials");
    let unknown = |status| rejection(status, "new_in_2027");
    for (steps, kind, status, attempts) in [
        (html(200), UnexpectedResponse, Some(200), 1),
        (html(403), UnexpectedResponse, Some(403), 1),
        (html(404), UnexpectedResponse, Some(404), 1),
        (html(429), RateLimited, Some(429), 3),
        (html(502), UnexpectedResponse, Some(502), 3),
        (steps::http(500, "", ""), UnexpectedResponse, Some(500), 1),
        (steps::http(204, "", ""), UnexpectedResponse, Some(204), 1),
        (steps::http(200, "", cut), UnexpectedResponse, Some(200), 1),
        (steps::http(200, "", "[".repeat(100_000)), UnexpectedResponse, Some(200), 1),
        (steps::json(200, &json!({"status_code": 200})), UnexpectedResponse, Some(200), 1),
        (steps::json(401, &credentials), InvalidProjectCredentials, Some(401), 1),
        (steps::json(404, &ended), InvalidSession, Some(404), 1),
        (steps::json(200, &ended), UnexpectedResponse, Some(200), 1),
        (unknown(400), Api, Some(400), 1),
        // Only the project's credentials can be rejected here: the session is in the body.
        (unknown(401), InvalidProjectCredentials, Some(401), 1),
        (unknown(429), RateLimited, Some(429), 3),
        (unknown(500), Api, Some(500), 1),
        // They change nothing, so that interrupted responses are retried too.
        (steps::truncated(200, 99, "{"), UnexpectedResponse, Some(200), 3),
        (vec![Step::Close], Transport, None, 3),
        (vec![Step::Reset], Transport, None, 3),
    ] {
        let error = error_after_authenticate(token(), steps.clone()).await;
        assert_eq!(facts(&error), (kind, status, NotApplied), "{steps:?}");
        assert_eq!(error.attempts(), attempts, "{steps:?}");
    }
}

#[tokio::test]
async fn organization_id_or_jwt_that_cannot_be_sent_keeps_the_status_and_the_request_id() {
    let id = "/member_session/organization_id";
    let ids = ["", ".", "..", "..\\..\\x", "a\r\nb", "a\0b"];
    let ids = ids.map(|it| (token(), with(authenticated("a.b.c"), id, it)));
    let long = "a".repeat(17 * 1024);
    let jwts = ["", "a b", "a\r\nx-evil: 1", "ä.b.c", &long];
    let jwts = jwts.map(|jwt| (session(), authenticated(jwt)));
    for (session, response) in ids.into_iter().chain(jwts) {
        let error = error_after_authenticate(session, steps::json(200, &response)).await;
        assert_eq!(facts(&error), (UnexpectedResponse, Some(200), NotApplied), "{response:.90}");
        assert_eq!(error.request_id(), Some(REQUEST_ID), "{response:.90}");
    }
}

/// Key sets with which no JWT can be checked.
fn useless_keys() -> Vec<Steps> {
    let key = json!(KEY.jwk());
    let ec = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": KEY.kid(), "x": "a"});
    let sets = [
        json!([]),
        json!([{}]),
        json!([ec]),
        json!([with(key.clone(), "/alg", "RS512")]),
        json!([with(key.clone(), "/kty", "oct")]),
        json!([with(key.clone(), "/kid", Value::Null)]),
        // One byte less than 2,048 bits.
        json!([with(key.clone(), "/n", &key["n"].as_str().unwrap()[..340])]),
        json!([with(key, "/n", "!".repeat(342))]),
        json!([null]),
        json!("none"),
        Value::Null,
    ];
    sets.map(|keys| steps::json(200, &json!({"keys": keys, "request_id": REQUEST_ID}))).into()
}

#[tokio::test]
async fn unreachable_jwks_leads_to_authenticate() {
    let others = [
        html(200),
        html(403),
        steps::http(204, "", ""),
        vec![Step::Close],
        steps::http(200, "", "[".repeat(100_000)),
        steps::http(200, "", " ".repeat((1 << 20) + 1)),
        rejection(404, "project_not_found"),
    ];
    for steps in useless_keys().into_iter().chain(others) {
        let project = ScriptedProject::successful().await;
        project.respond(GetJwks, steps.clone());
        let updated = update(&project.client()).await;
        updated.unwrap_or_else(|error| panic!("{error:?} at {steps:?}"));
        assert_eq!(project.counts()[1..], [1, 1], "{steps:?}");
    }
}

#[tokio::test]
async fn warm_up_reports_unusable_keys() {
    for steps in useless_keys() {
        let project = ScriptedProject::successful().await;
        project.respond(GetJwks, steps.clone());
        let error = project.client().warm_up().await.unwrap_err();
        capture::inspect(&error);
        assert_eq!(facts(&error), (UnexpectedResponse, Some(200), NotApplied), "{steps:?}");
        assert_eq!(project.counts(), [1, 0, 0], "{steps:?}");
        assert_eq!(error.operation(), GetJwks);
    }
}
