//! The bindings, with which a service acts for the project itself: what they reject before
//! sending, and what their errors contain.

use progenitor_client::{ClientHooks, OperationInfo};
use stytch_sso_external::bindings::{
    ClientInfo, Credential, ProjectClient,
    ProjectClientError::{self, ErrorResponse, InvalidRequest, UnexpectedResponse},
};

use crate::support::prelude::*;

/// A client whose server responds to every request with these steps.
async fn responding(steps: Steps) -> (ScriptedServer, Client) {
    let server = ScriptedServer::start(always(steps)).await;
    let client = builder(&server.url()).build().unwrap();
    (server, client)
}

/// Updates the connection for the project itself, or with these session headers.
async fn update(
    client: &Client,
    token: Option<&str>,
    jwt: Option<&str>,
) -> Result<UpdateExternalConnectionResponse, ProjectClientError<types::ErrorBody>> {
    let (bindings, update) = (client.bindings(), rename("Acme"));
    let updating =
        bindings.update_external_connection(ORGANIZATION, CONNECTION, token, jwt, &update);
    Ok(updating.await?.into_inner())
}

#[tokio::test]
async fn empty_session_header_or_both_are_rejected_before_sending() {
    let (server, client) = responding(steps::json(200, &updated())).await;
    let one = [(Some(""), None), (None, Some("")), (Some(" "), None), (None, Some("\t"))];
    let both = [("", "j"), ("t", ""), ("t", "j")].map(|(token, jwt)| (Some(token), Some(jwt)));
    for (token, jwt) in one.into_iter().chain(both) {
        let listed = client.bindings().get_connections(ORGANIZATION, token, jwt).await;
        assert!(matches!(listed, Err(InvalidRequest(_))), "{token:?} {jwt:?}");
        let updated = update(&client, token, jwt).await;
        assert!(matches!(updated, Err(InvalidRequest(_))), "{token:?} {jwt:?}: {updated:?}");
    }
    assert_eq!(server.connections(), 0);
    for (token, jwt) in [(None, None), (Some("t"), None), (None, Some("j"))] {
        update(&client, token, jwt).await.unwrap();
    }
    assert_eq!(server.count("PUT"), 3);
}

#[tokio::test]
async fn incomplete_body_is_an_error_with_its_status() {
    let body = updated().to_string();
    for status in [200, 403, 503] {
        let too_long = steps::http(status, JSON, format!("{body}{}", " ".repeat(1 << 20)));
        for steps in [steps::truncated(status, 1, &body), too_long] {
            let (_server, client) = responding(steps).await;
            let updated = update(&client, None, None).await;
            let Err(UnexpectedResponse(response)) = updated else {
                panic!("{status}: {updated:?}");
            };
            assert_eq!(response.status(), status);
            assert_eq!(response.text().await.unwrap(), "", "HTTP {status}");
        }
    }
}

#[tokio::test]
async fn bodies_of_operations_with_secrets_are_withheld() {
    let secret = "cLiEnT-sEcReT-oF-aN-oIdC-cOnNeCtIoN-aT-sTyTcH";
    let undecodable = format!("{{{secret}}}");
    let rejected = with(rejected(400, "session_authorization_error"), "/error_message", secret);
    let bodies = [
        with(rejected, "/error_details", json!([secret])).to_string(),
        format!(r#"{{"external_connections": 7, "member_session": "{secret}"}}"#),
        // As an error of Stytch, as far as that can be decoded.
        format!(r#"{{"request_id": "r", "error_type": {{}}, "member_session": "{secret}"}}"#),
        undecodable.clone(),
    ];
    let session_token = Some(Credential::new(TOKEN));
    let request = types::AuthenticateSessionRequest { session_token, session_jwt: None };
    for (status, body) in
        [200, 400, 403, 500, 502].iter().flat_map(|s| bodies.each_ref().map(|b| (*s, b)))
    {
        let (_server, client) = responding(steps::http(status, JSON, body)).await;
        let bindings = client.bindings();
        let listed = bindings.get_connections(ORGANIZATION, None, None).await.unwrap_err();
        let authenticated = bindings.authenticate_session(&request).await.unwrap_err();
        let shown = format!("{listed:?} {listed} {authenticated:?} {authenticated}");
        assert!(!shown.contains(secret), "{status} {body}: {shown}");
        for error_status in [listed.status(), authenticated.status()] {
            assert_eq!(error_status.unwrap(), status, "{body}: {shown}");
        }
        // An operation without secrets keeps the body.
        let policy = bindings.get_rbac_policy().await.unwrap_err();
        if status >= 400 && *body == bodies[0] {
            let ErrorResponse(response) = policy else { panic!("{status}: {policy:?}") };
            assert_eq!(response.error_message.as_deref(), Some(secret), "{status}");
        } else if *body == undecodable {
            assert!(format!("{policy:?}").contains(secret), "{status}: {policy:?}");
        }
    }
}

/// The type of this success requires no field that an error lacks.
#[tokio::test]
async fn error_body_under_a_success_is_an_error() {
    let rejected = rejected(500, "internal_server_error");
    let (_server, client) = responding(steps::json(200, &rejected)).await;
    let error = client.bindings().get_organization_rbac_policy(ORGANIZATION).await.unwrap_err();
    let UnexpectedResponse(response) = error else { panic!("{error:?}") };
    assert_eq!(response.status(), 200);
}

#[test]
fn debug_shows_no_default_headers() {
    let headers = headers_of(&[("x-acme-gateway", "hunter2")]);
    let builder = builder("https://test.stytch.com")
        .configure_http(move |http| http.default_headers(headers.clone()));
    let client = builder.build().unwrap();
    let bindings = client.bindings();
    for shown in [format!("{bindings:?}"), format!("{:?}", bindings.client())] {
        assert!(!shown.contains("x-acme-gateway") && !shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn bindings_with_another_base_url_send_nothing() {
    let (stytch, other) = (Stytch::start(), Stytch::start());
    let client = stytch.client();
    // The base URL as a prefix is another fake, or another host.
    let longer = format!("{}0", stytch.base_url());
    let host = "https://test.stytch.com";
    let at_host = stytch.client_builder().base_url(host).build().unwrap();
    for (client, base_url) in [
        (&client, other.base_url()),
        (&client, longer),
        (&at_host, format!("{host}.evil.example")),
        (&at_host, format!("{host}:444")),
        (&at_host, "https://test.stytch.co".to_owned()),
    ] {
        let elsewhere = ProjectClient::new(&base_url, client.bindings().inner().clone());
        let error = elsewhere.get_jwks(stytch.project_id()).await.unwrap_err();
        assert!(matches!(error, InvalidRequest(_)), "{base_url}: {error:?}");
    }
    assert_eq!((stytch.requests(), other.requests()), (vec![], vec![]));
    client.bindings().get_jwks(stytch.project_id()).await.unwrap();
}

/// A caller who depends on `progenitor-client` can call the hooks with a request of its own.
#[tokio::test]
async fn request_to_another_base_url_gets_no_credentials() {
    let client = builder("https://test.stytch.com/sso").build().unwrap();
    for (url, is_below) in [
        ("https://test.stytch.com/sso/v1", true),
        ("https://test.stytch.com/sso", false),
        ("https://test.stytch.com/sso0/v1", false),
        ("https://test.stytch.com/sso@evil.example/", false),
        ("https://test.stytch.com/", false),
        ("https://test.stytch.com.evil.example/sso/v1", false),
        ("http://test.stytch.com/sso/v1", false),
    ] {
        let url = url.parse().unwrap();
        let mut request = reqwest::Request::new(Method::GET, url);
        let info = OperationInfo { operation_id: "getJwks" };
        let result = client.bindings().pre::<()>(&mut request, &info).await;
        let is_rejected = matches!(result, Err(InvalidRequest(_)));
        let has_credentials = request.headers().contains_key("authorization");
        assert_eq!((is_rejected, has_credentials), (!is_below, is_below), "{}", request.url());
    }
}
