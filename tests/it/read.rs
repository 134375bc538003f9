//! Reading connections: requests, responses and redaction.

use std::time::Duration;

use serde_json::{Value, json};
use stytch_sso_external::{
    ErrorKind, Operation, Outcome, Session,
    testing::{Fault, Stytch},
};

use crate::support::{
    capture,
    scripted_project::{self, ScriptedProject, variant},
    scripted_server::Request,
    steps::{self, Steps},
};

fn list(connections: &Value) -> Value {
    json!({
        "status_code": 200,
        "request_id": scripted_project::REQUEST_ID,
        "saml_connections": [{"verification_certificates": ["hunter2-saml"]}],
        "oidc_connections": [{"client_secret": "hunter2-oidc"}],
        "external_connections": connections,
    })
}

/// A server that responds to the list of connections with these steps.
async fn listing(steps: Steps) -> ScriptedProject {
    let authenticate = |request: &Request, before: usize| {
        scripted_project::successful_authenticate(request, before)
    };
    ScriptedProject::scripted(
        move |request, before| {
            if request.target.contains("/jwks/") {
                scripted_project::successful_jwks(request, before)
            } else {
                steps.clone()
            }
        },
        authenticate,
        |_, _| steps::json(200, &scripted_project::updated()),
    )
    .await
}

#[tokio::test]
async fn the_organizations_connections_are_listed_with_the_members_session() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let (okta, entra) = (acme.connection("Acme Okta"), acme.connection("Acme Entra"));
    let foreign = stytch.organization("globex").connection("Globex");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    for session in [Session::jwt(ada.jwt()), Session::token(ada.token())] {
        let member = stytch.client().as_member(session);
        let listed = member.connections().await.unwrap();
        assert_eq!(listed.external_connections, [okta.state(), entra.state()]);
        assert!(listed.request_id.starts_with("request-id-"));
        let seen = stytch.requests().pop().unwrap();
        assert_eq!(seen.operation, Some(Operation::GetConnections));
        assert_eq!(seen.path, format!("/v1/b2b/sso/{}", acme.id()));
        assert!(seen.text.is_empty(), "{}", seen.text);

        assert_eq!(member.connection(entra.id()).await.unwrap(), entra.state());
        let error = member.connection(foreign.id()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        assert_eq!(error.status().unwrap(), 200);
        assert!(error.request_id().unwrap().starts_with("request-id-"));
        assert_eq!(error.operation(), Operation::GetConnections);
        assert_eq!(error.reason(), "no external connection of the organization has this id");
        assert!(!error.to_string().contains("HTTP 200"), "{error}");
        assert_eq!((error.outcome(), error.attempts()), (Outcome::NotApplied, 1));
    }
}

#[tokio::test]
async fn a_read_needs_the_permission_to_get() {
    let stytch = Stytch::start();
    stytch.role("reader", &[("stytch.sso", &["get"])]);
    stytch.role("writer", &[("stytch.sso", &["update"])]);
    let acme = stytch.organization("acme");
    let okta = acme.connection("Acme Okta");
    let client = stytch.client();
    let member =
        |role: &str| client.as_member(Session::jwt(acme.member(role, &[role]).log_in().jwt()));
    member("reader").connection(okta.id()).await.unwrap();
    let error = member("writer").connections().await.unwrap_err();
    let denied = ErrorKind::PermissionDenied { action: "get", resource: "stytch.sso" };
    assert_eq!(error.kind(), denied, "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

#[tokio::test]
async fn a_read_is_renewed_and_retried_as_an_update() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let okta = acme.connection("Acme Okta");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let client = stytch.client();
    let member = client.as_member(Session::jwt(ada.jwt()));
    stytch.clock().advance(Duration::from_secs(5 * 60));
    let _ = stytch.fault(Operation::GetConnections, Fault::status(503)).times(1);
    assert_eq!(member.connection(okta.id()).await.unwrap(), okta.state());
    assert_eq!(stytch.count(Operation::GetConnections), 2);
    assert_eq!(stytch.count(Operation::AuthenticateSession), 1);
    assert!(member.session() != Session::jwt(ada.jwt()));

    let _ = stytch.fault(Operation::GetConnections, Fault::status(500));
    let error = member.connections().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.outcome()), (500, Outcome::NotApplied));
}

#[tokio::test]
async fn a_connection_of_another_organization_in_the_list_is_an_error() {
    let mut foreign = scripted_project::updated()["connection"].clone();
    foreign["organization_id"] = json!("organization-test-other");
    let own = scripted_project::updated()["connection"].clone();
    let project = listing(steps::json(200, &list(&json!([own, foreign])))).await;
    let member = project.client().as_member(scripted_project::session());
    for error in [
        member.connections().await.unwrap_err(),
        member.connection(scripted_project::CONNECTION).await.unwrap_err(),
    ] {
        assert_eq!(variant(&error), "UnexpectedResponse", "{error:?}");
        assert!(error.reason().contains("another organization"), "{error:?}");
        assert_eq!(error.request_id(), Some(scripted_project::REQUEST_ID));
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
}

#[tokio::test]
async fn secrets_of_other_connections_are_never_printed() {
    for secret in ["hunter2-saml", "hunter2-oidc"] {
        capture::register(secret);
    }
    let good = list(&json!([])).to_string();
    let wrong_type = list(&json!([{"connection_id": {"hunter2-oidc": 1}}])).to_string();
    let bodies = [&good[..good.len() - 1], &wrong_type, "hunter2-oidc", "[\"hunter2-saml\"]"];
    for (status, body) in [200, 403, 404, 500].into_iter().flat_map(|s| bodies.map(|b| (s, b))) {
        let project = listing(steps::http(status, "content-type: text/html\r\n", body)).await;
        let member = project.client().as_member(scripted_project::session());
        let error = member.connections().await.unwrap_err();
        capture::inspect(&error);
        assert_eq!(error.body_snippet(), None, "{status} {body}");
        assert!(!format!("{error} {error:?} {}", error.reason()).contains("hunter2"), "{error:?}");
    }
    // Nor of what `sessions/authenticate` responds with.
    for status in [200, 403, 500] {
        let steps = steps::http(status, "content-type: text/html\r\n", "hunter2-saml");
        let project = ScriptedProject::scripted(
            scripted_project::successful_jwks,
            move |_, _| steps.clone(),
            |_, _| steps::json(200, &scripted_project::updated()),
        );
        let client = project.await.client();
        let error = scripted_project::update_as(&client, Session::token(scripted_project::TOKEN))
            .await
            .unwrap_err();
        assert_eq!(error.operation(), Operation::AuthenticateSession);
        assert_eq!(error.body_snippet(), None, "{status}");
    }
}

#[tokio::test]
async fn invalid_id_is_rejected_before_sending() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
    let member = stytch.client().as_member(Session::jwt(ada.jwt()));
    for id in ["", ".", "..", "a\\b", "a\nb"] {
        let error = member.connection(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        assert_eq!((error.operation(), error.attempts()), (Operation::GetConnections, 0));
        let edit = member.edit_connection(id, |edit| edit.grant_role("editor")).await;
        let error = edit.unwrap_err();
        assert_eq!(error.operation(), Operation::UpdateExternalConnection, "{error:?}");
    }
    assert_eq!(stytch.requests(), []);
}
