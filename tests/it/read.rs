//! Reading connections: requests, responses, retries and redaction.

use crate::support::prelude::*;

fn list(connections: &Value) -> Value {
    json!({
        "status_code": 200,
        "request_id": REQUEST_ID,
        "saml_connections": [{"verification_certificates": ["hunter2-saml"]}],
        "oidc_connections": [{"client_secret": "hunter2-oidc"}],
        "external_connections": connections,
    })
}

/// A project that responds to the list of connections with these steps.
async fn listing(steps: Steps) -> (ScriptedProject, Client) {
    let project = ScriptedProject::successful().await;
    project.respond(LIST, steps);
    project.with_client()
}

#[tokio::test]
async fn the_organizations_connections_are_listed_with_the_members_session() {
    let acme = Acme::new();
    let entra = acme.organization.connection("Acme Entra");
    let foreign = acme.stytch.organization("globex").connection("Globex");
    for session in [acme.jwt(), acme.token()] {
        let member = acme.as_member(session);
        let listed = member.connections().await.unwrap();
        assert_eq!(listed.external_connections, [acme.connection.state(), entra.state()]);
        assert!(listed.request_id.starts_with("request-id-"));
        let seen = acme.stytch.requests().pop().unwrap();
        let path = format!("/v1/b2b/sso/{}", acme.organization.id());
        assert_eq!((seen.operation, seen.path, &*seen.text), (Some(LIST), path, ""));

        assert_eq!(member.connection(entra.id()).await.unwrap(), entra.state());
        let error = member.connection(foreign.id()).await.unwrap_err();
        assert_not_applied("foreign", &error, NotFound);
        assert_eq!(error.status().unwrap(), 200);
        assert!(error.request_id().unwrap().starts_with("request-id-"));
        assert_eq!((error.operation(), error.attempts()), (LIST, 1));
        assert_eq!(error.reason(), "no external connection of the organization has this id");
        assert!(!error.to_string().contains("HTTP 200"), "{error}");
    }
}

#[tokio::test]
async fn a_read_is_renewed_and_retried_as_an_update() {
    let acme = Acme::new();
    let member = acme.as_member(acme.jwt());
    acme.stytch.clock().advance(Duration::from_secs(5 * 60));
    acme.fault(LIST, Fault::status(503));
    let read = member.connection(acme.connection.id()).await.unwrap();
    assert_eq!(read, acme.connection.state());
    assert_eq!((acme.stytch.count(LIST), acme.stytch.count(AUTHENTICATE)), (2, 1));
    assert!(member.session() != acme.jwt());

    let _ = acme.stytch.fault(LIST, Fault::status(500));
    let error = member.connections().await.unwrap_err();
    assert_not_applied("500", &error, Api);
    assert_eq!(error.status().unwrap(), 500);
}

#[tokio::test]
async fn a_connection_of_another_organization_in_the_list_is_an_error() {
    let own = updated()["connection"].clone();
    let mut foreign = own.clone();
    foreign["organization_id"] = json!("organization-test-other");
    let (_project, client) = listing(steps::json(200, &list(&json!([own, foreign])))).await;
    let member = client.as_member(session());
    for error in
        [member.connections().await.unwrap_err(), member.connection(CONNECTION).await.unwrap_err()]
    {
        assert_not_applied("foreign", &error, UnexpectedResponse);
        assert!(error.reason().contains("another organization"), "{error:?}");
        assert_eq!(error.request_id(), Some(REQUEST_ID));
    }
}

#[tokio::test]
async fn secrets_of_other_connections_are_never_printed() {
    for secret in ["hunter2-saml", "hunter2-oidc"] {
        capture::register(secret);
    }
    let respond = |status, body: &str| steps::http(status, "content-type: text/html\r\n", body);
    let good = list(&json!([])).to_string();
    let wrong_type = list(&json!([{"connection_id": {"hunter2-oidc": 1}}])).to_string();
    let bodies = [&good[..good.len() - 1], &wrong_type, "hunter2-oidc", "[\"hunter2-saml\"]"];
    for (status, body) in [200, 403, 404, 500].into_iter().flat_map(|s| bodies.map(|b| (s, b))) {
        let (_project, client) = listing(respond(status, body)).await;
        let member = client.as_member(session());
        let error = member.connections().await.unwrap_err();
        capture::inspect(&error);
        assert_eq!(error.body_snippet(), None, "{status} {body}");
        assert!(!format!("{error} {error:?} {}", error.reason()).contains("hunter2"), "{error:?}");
    }
    // Nor of what `sessions/authenticate` responds with.
    for status in [200, 403, 500] {
        let authenticate = always(respond(status, "hunter2-saml"));
        let (_project, client, _) = scripted(successful, authenticate, |it| it).await;
        let error = update_as(&client, token()).await.unwrap_err();
        assert_eq!((error.operation(), error.body_snippet()), (AUTHENTICATE, None), "{status}");
    }
}

/// It changes nothing, so it is retried.
#[tokio::test]
async fn interrupted_list_is_retryable() {
    let project = ScriptedProject::successful().await;
    project.respond(GetConnections, steps::truncated(200, 99, "{"));
    let error = project.client().as_member(session()).connections().await.unwrap_err();
    assert_eq!(facts(&error), (UnexpectedResponse, Some(200), NotApplied));
    assert_eq!((error.attempts(), error.is_retryable()), (3, true));
    // The JWKS and three attempts.
    assert_eq!(project.server.count("GET"), 4);
}

#[tokio::test]
async fn list_timeout_reports_waiting_for_the_response() {
    // Signed first: signing may outlast the attempt timeout.
    let session = session();
    let project = ScriptedProject::successful().await;
    project.respond(GetConnections, vec![Step::Hang]);
    let settings = project.builder().retry(RetryPolicy::disabled());
    let client = settings.attempt_timeout(Duration::from_secs(1)).build().unwrap();
    accelerate();
    let error = client.as_member(session).connections().await.unwrap_err();
    assert_eq!(error.reason(), "timed out while waiting for the response");
    // Finding that out gives the request no body.
    let sent = project.server.requests().pop().unwrap();
    let mut names = sent.headers.iter().map(|(name, _)| &**name);
    assert!(!names.any(|name| ["content-length", "transfer-encoding"].contains(&name)));
}
