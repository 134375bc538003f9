//! Failures before an update: of the JWKS and of `sessions/authenticate`. No update is sent,
//! and the outcome is `NotApplied`.

use serde_json::{Value, json};
use stytch_sso_external::{Error, Outcome, Session};

use crate::support::{
    capture,
    scripted_project::{self, REQUEST_ID, ScriptedProject, variant},
    scripted_server::Request,
    steps::{self, Step, Steps},
};

fn update(_: &Request, _: usize) -> Steps {
    steps::json(200, &scripted_project::updated())
}

/// The error of an update whose `sessions/authenticate` gets this response. No update is sent.
async fn error_after_authenticate(steps: Steps) -> Error {
    let project = ScriptedProject::scripted(
        scripted_project::successful_jwks,
        move |_, _| steps.clone(),
        update,
    )
    .await;
    let session = Session::token(scripted_project::TOKEN);
    let error = scripted_project::update_as(&project.client(), session).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
    assert_eq!(project.updates(), 0, "{error:?}");
    assert_eq!(project.authenticate_requests(), error.attempts() as usize, "{error:?}");
    error
}

#[tokio::test]
async fn authenticate_failures_have_the_same_variants() {
    let authenticated = scripted_project::authenticated("a.b.c").to_string();
    let cases: Vec<(Steps, &str, Option<u16>, u32)> = vec![
        (steps::html(200), "UnexpectedResponse", Some(200), 1),
        (steps::html(403), "UnexpectedResponse", Some(403), 1),
        (steps::html(404), "UnexpectedResponse", Some(404), 1),
        (steps::html(429), "RateLimited", Some(429), 3),
        (steps::html(502), "UnexpectedResponse", Some(502), 3),
        (steps::http(500, "", ""), "UnexpectedResponse", Some(500), 1),
        (steps::http(204, "", ""), "UnexpectedResponse", Some(204), 1),
        (steps::http(200, "", &authenticated[..40]), "UnexpectedResponse", Some(200), 1),
        (steps::http(200, "", "[".repeat(100_000)), "UnexpectedResponse", Some(200), 1),
        (steps::json(200, &json!({"status_code": 200})), "UnexpectedResponse", Some(200), 1),
        (
            steps::json(401, &scripted_project::rejected(401, "unauthorized_credentials")),
            "InvalidProjectCredentials",
            Some(401),
            1,
        ),
        (
            steps::json(404, &scripted_project::rejected(404, "session_not_found")),
            "InvalidSession",
            Some(404),
            1,
        ),
        (
            steps::json(200, &scripted_project::rejected(404, "session_not_found")),
            "UnexpectedResponse",
            Some(200),
            1,
        ),
        (vec![Step::Close], "Transport", None, 3),
        (vec![Step::Reset], "Transport", None, 3),
    ];
    for (steps, expected, status, attempts) in cases {
        let error = error_after_authenticate(steps.clone()).await;
        assert_eq!(variant(&error), expected, "{steps:?}");
        assert_eq!(error.status().map(|status| status.as_u16()), status, "{steps:?}");
        assert_eq!(error.attempts(), attempts, "{steps:?}");
    }
}

#[tokio::test]
async fn invalid_organization_id_in_a_response_keeps_the_status_and_the_request_id() {
    for organization in ["", ".", "..", "..\\..\\x", "a\r\nb", "a\0b"] {
        let mut response = scripted_project::authenticated("a.b.c");
        response["member_session"]["organization_id"] = json!(organization);
        let error = error_after_authenticate(steps::json(200, &response)).await;
        assert_eq!(variant(&error), "UnexpectedResponse", "{organization:?}");
        assert_eq!(error.status().unwrap(), 200, "{organization:?}");
        assert_eq!(error.request_id(), Some(REQUEST_ID), "{organization:?}");
    }
}

#[tokio::test]
async fn a_renewed_jwt_that_no_header_can_carry_is_an_error() {
    for jwt in ["", "a b", "a\r\nx-evil: 1", "ä.b.c", &"a".repeat(17 * 1024)] {
        let response = steps::json(200, &scripted_project::authenticated(jwt));
        let project = ScriptedProject::scripted(
            |_, _| steps::html(500),
            move |_, _| response.clone(),
            update,
        )
        .await;
        let error = scripted_project::update(&project.client()).await.unwrap_err();
        assert_eq!(variant(&error), "UnexpectedResponse", "{jwt:?}");
        assert_eq!(error.status().unwrap(), 200);
        assert_eq!(error.request_id(), Some(REQUEST_ID));
        assert_eq!((error.outcome(), project.updates()), (Outcome::NotApplied, 0));
    }
}

/// Key sets with which no JWT can be checked.
fn useless_keys() -> Vec<Steps> {
    let mut wrong_alg = scripted_project::KEY.jwk();
    wrong_alg.alg = Some("RS512".into());
    let mut symmetric = scripted_project::KEY.jwk();
    symmetric.kty = Some("oct".into());
    let mut nameless = scripted_project::KEY.jwk();
    nameless.kid = None;
    let mut short = scripted_project::KEY.jwk();
    short.n = short.n.map(|n| n[..86].to_owned());
    let mut not_base64 = scripted_project::KEY.jwk();
    not_base64.n = Some("!".repeat(342));
    let ec = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": scripted_project::KEY.kid(), "x": "a"});
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
    sets.map(|keys| steps::json(200, &json!({"keys": keys, "request_id": REQUEST_ID}))).into()
}

/// A project whose JWKS endpoint gives this response.
async fn project_with_jwks(jwks: &Steps) -> ScriptedProject {
    let jwks = jwks.clone();
    let authenticate = scripted_project::successful_authenticate;
    ScriptedProject::scripted(move |_, _| jwks.clone(), authenticate, update).await
}

#[tokio::test]
async fn unreachable_jwks_leads_to_authenticate() {
    let mut responses = useless_keys();
    responses.extend([
        steps::html(200),
        steps::html(403),
        steps::http(204, "", ""),
        vec![Step::Close],
    ]);
    responses.push(steps::http(200, "", "[".repeat(100_000)));
    responses.push(steps::http(200, "", " ".repeat((1 << 20) + 1)));
    responses.push(steps::json(404, &scripted_project::rejected(404, "project_not_found")));
    for steps in responses {
        let project = project_with_jwks(&steps).await;
        scripted_project::update(&project.client())
            .await
            .unwrap_or_else(|error| panic!("{error:?} at {steps:?}"));
        assert_eq!((project.authenticate_requests(), project.updates()), (1, 1), "{steps:?}");
    }
}

#[tokio::test]
async fn warm_up_reports_unusable_keys() {
    for steps in useless_keys() {
        let project = project_with_jwks(&steps).await;
        let error = project.client().warm_up().await.unwrap_err();
        capture::inspect(&error);
        assert_eq!(variant(&error), "UnexpectedResponse", "{steps:?}");
        assert_eq!(error.status().unwrap(), 200, "{steps:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{steps:?}");
        assert_eq!(project.jwks_requests(), 1, "{steps:?}");
    }
}
