//! The example service, called over HTTP as by browsers and scripts.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy.toml doesn't know for tests"
)]

mod edits;
mod forgery;
mod process;
mod reads;
mod rejections;
mod session;

use std::ops::Deref;

use reqwest::Method;
use serde_json::json;
use stytch_sso_external::testing::LoggedIn;

use crate::support::{
    acme::Acme,
    service::{Service, ServiceResponse},
};

/// The service in front of a project.
pub(crate) struct AcmeService {
    acme: Acme,
    pub(crate) service: Service,
}

impl Deref for AcmeService {
    type Target = Acme;

    fn deref(&self) -> &Acme {
        &self.acme
    }
}

impl AcmeService {
    pub(crate) fn new() -> Self {
        let acme = Acme::new();
        Self { service: Service::against(&acme.stytch), acme }
    }

    async fn put(&self, body: &str) -> ServiceResponse {
        ServiceResponse::to(self.service.put(self.connection.id(), &jwt_cookie(&self.ada), body))
            .await
    }

    /// Sends a request of the member to the service.
    async fn send(
        &self,
        method: Method,
        path: &str,
        member: &LoggedIn,
        body: &str,
    ) -> ServiceResponse {
        let request = self.service.request(method, path, &token_cookie(member), body);
        ServiceResponse::to(request).await
    }

    async fn get(&self, path: &str, member: &LoggedIn) -> ServiceResponse {
        self.send(Method::GET, path, member, "").await
    }

    async fn rename(&self) -> ServiceResponse {
        self.put(RENAME).await
    }
}

#[tokio::test]
async fn update_changes_only_the_fields_of_the_body() {
    let acme = AcmeService::new();
    let response = acme.rename().await;
    assert_eq!(response.status, 200, "{}", response.text);
    let state = acme.connection.state();
    assert_eq!(state.display_name, "Renamed");
    assert_eq!(state.external_connection_implicit_role_assignments.unwrap().len(), 1);
    let connection = &response.json()["connection"];
    assert_eq!(connection["display_name"], "Renamed");
    assert_eq!(connection[ROLES], json!([{"role_id": "stytch_member"}]));

    let groups = json!([{"group": "it", "role_id": "stytch_admin"}]);
    let body = json!({ROLES: [], GROUP_ROLES: groups});
    let response = acme.put(&body.to_string()).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let state = acme.connection.state();
    assert_eq!(state.display_name, "Renamed");
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    assert_eq!(state.external_group_implicit_role_assignments.unwrap()[0].group, "it");

    // Null is left out too: it is never sent to Stytch.
    let roles = json!([{"role_id": "stytch_member"}]);
    let body = json!({"display_name": null, ROLES: roles});
    assert_eq!(acme.put(&body.to_string()).await.status, 200);
    let sent = acme.stytch.updates().pop().unwrap().body;
    assert_eq!(sent, json!({ROLES: roles}));
}

#[tokio::test]
async fn both_request_ids_are_returned_and_logged() {
    let acme = AcmeService::new();
    let response = acme.rename().await;
    let json = response.json();
    let stytch_request_id = json["stytch_request_id"].as_str().unwrap();
    assert!(stytch_request_id.starts_with("request-id-test-"));
    for part in [response.header("x-request-id"), stytch_request_id, "status=200"] {
        acme.service.logged_with(part);
    }
}

#[tokio::test]
async fn without_the_fake_there_is_no_login() {
    let acme = AcmeService::new();
    acme.service.get("/login/ada").await.problem(404);
    assert_eq!(acme.service.get("/setup").await.json(), json!({"fake": false, "login_url": null}));
    acme.service.get("/nothing").await.problem(404);
    let path = format!("/sso/connections/{}", acme.connection.id());
    acme.send(Method::DELETE, &path, &acme.ada, "").await.problem(405);
}

fn jwt_cookie(session: &LoggedIn) -> String {
    format!("theme=dark; stytch_session_jwt={}", session.fresh_jwt())
}

fn token_cookie(session: &LoggedIn) -> String {
    format!("stytch_session={}", session.token())
}

const RENAME: &str = r#"{"display_name": "Renamed"}"#;
const ROLES: &str = "external_connection_implicit_role_assignments";
const GROUP_ROLES: &str = "external_group_implicit_role_assignments";
