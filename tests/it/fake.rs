//! The fake of Stytch, called over raw HTTP: what it enforces, rejects and records.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy.toml doesn't know for tests"
)]

mod faults;
mod load;
mod log;
mod responses;
mod sessions;
mod update;

use serde_json::{Value, json};
use stytch_sso_external::testing::{Connection, LoggedIn, Member, Organization, Stytch};

use crate::support::capture;

/// A project with one organization, its connection and its admin, and a client that sends requests
/// to the fake without the crate.
#[derive(Debug)]
struct AcmeOverHttp {
    stytch: Stytch,
    http: reqwest::Client,
    organization: Organization,
    connection: Connection,
    member: Member,
    ada: LoggedIn,
}

impl AcmeOverHttp {
    fn new() -> Self {
        Self::on(Stytch::start())
    }

    fn on(stytch: Stytch) -> Self {
        capture::install();
        let organization = stytch.organization("acme");
        let member = organization.member("ada", &["stytch_admin"]);
        Self {
            http: http(),
            connection: organization.connection("Acme Okta"),
            ada: member.log_in(),
            stytch,
            organization,
            member,
        }
    }

    fn path(&self) -> String {
        path(self.organization.id(), self.connection.id())
    }

    async fn put(&self, header: &str, session: &str, body: &Value) -> (u16, Value) {
        let session = [(header, session)];
        self.send("PUT", &self.path(), &session, body).await
    }

    async fn put_ok(&self, body: &Value) {
        let (status, response) = self.put(TOKEN, &self.ada.token(), body).await;
        assert_eq!(status, 200, "{response}");
    }

    async fn assert_rejected(&self, header: &str, session: &str, status: u16, error: &str) {
        let (seen, response) = self.put(header, session, &NAME.into()).await;
        assert_eq!((seen, &response["error_type"]), (status, &json!(error)));
        assert_eq!(response["status_code"], status);
    }

    async fn authenticate(&self, body: &Value) -> (u16, Value) {
        let path = "/v1/b2b/sessions/authenticate";
        self.send("POST", path, &[], body).await
    }

    async fn jwks(&self) -> Value {
        let path = format!("/v1/b2b/sessions/jwks/{}", self.stytch.project_id());
        self.send("GET", &path, &[], &Value::Null).await.1
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (u16, Value) {
        let request = self.request(method, path, headers, body);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// A string is sent as the body without encoding it as JSON.
    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.stytch.base_url());
        let body = body.as_str().map_or_else(|| body.to_string(), Into::into);
        let request = self
            .http
            .request(method.parse().unwrap(), url)
            .basic_auth(self.stytch.project_id(), Some(self.stytch.secret()))
            .body(body);
        let add = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        headers.iter().fold(request, add)
    }
}

/// A client without certificates: it calls only loopback, and loading them takes longer than
/// each of these tests.
pub(crate) fn http() -> reqwest::Client {
    http_builder().build().unwrap()
}

pub(crate) fn http_builder() -> reqwest::ClientBuilder {
    let certificates: [reqwest::Certificate; 0] = [];
    let client = reqwest::Client::builder().tls_certs_only(certificates);
    // With both features enabled, reqwest uses OpenSSL, which loads certificates regardless.
    #[cfg(feature = "rustls")]
    let client = client.tls_backend_rustls();
    client.no_proxy()
}

fn path(organization: &str, connection: &str) -> String {
    format!("/v1/b2b/sso/external/{organization}/connections/{connection}")
}

const TOKEN: &str = "x-stytch-member-session";
const JWT: &str = "x-stytch-member-sessionjwt";
const ROLES: &str = "external_connection_implicit_role_assignments";
const GROUP_ROLES: &str = "external_group_implicit_role_assignments";
/// An update that changes the name.
const NAME: &str = r#"{"display_name":"Renamed"}"#;
