//! The example service, called over HTTP as by browsers and scripts.

mod edits;
mod forgery;
mod process;
mod reads;
mod rejections;
mod session;

use std::ops::Deref;

use crate::support::prelude::*;

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

    /// The path of the connection.
    fn path(&self) -> String {
        path(self.connection.id())
    }

    /// Sends a request of the member to the service.
    async fn send(
        &self,
        method: Method,
        path: &str,
        member: &LoggedIn,
        body: &str,
    ) -> ServiceResponse {
        ServiceResponse::to(self.service.request(method, path, &token_cookie(member), body)).await
    }

    async fn get(&self, path: &str, member: &LoggedIn) -> ServiceResponse {
        self.send(Method::GET, path, member, "").await
    }

    /// Updates the connection as Ada.
    async fn put(&self, body: &str) -> ServiceResponse {
        let cookie = format!("theme=dark; stytch_session_jwt={}", self.ada.fresh_jwt());
        self.put_with(&cookie, body).await
    }

    /// Updates the connection with the session of this cookie.
    async fn put_with(&self, cookie: &str, body: &str) -> ServiceResponse {
        let request = self.service.request(Method::PUT, &self.path(), cookie, body);
        ServiceResponse::to(request).await
    }

    async fn rename(&self) -> ServiceResponse {
        self.put(RENAME).await
    }

    /// Renames the connection with the session of this cookie.
    async fn rename_with(&self, cookie: &str) -> ServiceResponse {
        self.put_with(cookie, RENAME).await
    }
}

#[tokio::test]
async fn update_changes_only_the_fields_of_the_body() {
    let acme = AcmeService::new();
    let connection = &acme.rename().await.successful()["connection"];
    let state = acme.connection.state();
    assert_eq!(state.display_name, "Renamed");
    assert_eq!(state.external_connection_implicit_role_assignments.unwrap().len(), 1);
    assert_eq!(connection["display_name"], "Renamed");
    assert_eq!(connection[ROLES], json!([{"role_id": "stytch_member"}]));

    let groups = json!([{"group": "it", "role_id": "stytch_admin"}]);
    acme.put(&json!({ROLES: [], GROUP_ROLES: groups}).to_string()).await.successful();
    let state = acme.connection.state();
    assert_eq!(state.display_name, "Renamed");
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    assert_eq!(state.external_group_implicit_role_assignments.unwrap()[0].group, "it");

    // Null is left out too: it is never sent to Stytch.
    let roles = json!([{"role_id": "stytch_member"}]);
    acme.put(&json!({"display_name": null, ROLES: roles}).to_string()).await.successful();
    let sent = acme.stytch.updates().pop().unwrap().body;
    assert_eq!(sent, json!({ROLES: roles}));
}

#[tokio::test]
async fn both_request_ids_are_returned_and_logged() {
    let acme = AcmeService::new();
    let response = acme.rename().await;
    let json = response.successful();
    let stytch_request_id = json["stytch_request_id"].as_str().unwrap();
    assert!(stytch_request_id.starts_with("request-id-test-"));
    for part in [response.header("x-request-id"), stytch_request_id, "status=200"] {
        acme.service.logged_with(part).await;
    }
}

#[tokio::test]
async fn without_the_fake_there_is_no_login() {
    let acme = AcmeService::new();
    acme.service.get("/login/ada").await.problem(404);
    let setup = acme.service.get("/setup").await.successful();
    assert_eq!(setup, json!({"fake": false, "login_url": null}));
    acme.service.get("/nothing").await.problem(404);
    acme.send(Method::DELETE, &acme.path(), &acme.ada, "").await.problem(405);
}

fn path(connection_id: &str) -> String {
    format!("/sso/connections/{connection_id}")
}

fn token_cookie(session: &LoggedIn) -> String {
    format!("stytch_session={}", session.token())
}

const RENAME: &str = r#"{"display_name": "Renamed"}"#;
