//! The fake of Stytch, called over raw HTTP: what it enforces, rejects and records.
mod faults;
mod load;
mod log;
mod responses;
mod sessions;
mod update;

use crate::support::prelude::*;

type Request = reqwest::RequestBuilder;
type Headers<'a> = &'a [(&'a str, &'a str)];
/// A response's status and JSON body.
type Reply = (u16, Value);

/// Requests to the fake without the crate.
impl Acme {
    fn path(&self) -> String {
        path(self.organization.id(), self.connection.id())
    }

    async fn put(&self, header: &str, session: &str, body: &Value) -> Reply {
        self.send("PUT", &self.path(), &[(header, session)], body).await
    }

    /// Updates with Ada's token.
    async fn put_by_ada(&self, body: &Value) -> Reply {
        self.put(TOKEN, &self.ada.token(), body).await
    }

    async fn put_ok(&self, body: &Value) {
        assert_ok(&self.put_by_ada(body).await);
    }

    async fn assert_rejected(&self, header: &str, session: &str, status: u16, error: &str) {
        assert_error(&self.put(header, session, &NAME.into()).await, status, error);
    }

    async fn authenticate(&self, body: &Value) -> Reply {
        let path = "/v1/b2b/sessions/authenticate";
        self.send("POST", path, &[], body).await
    }

    async fn jwks(&self) -> Value {
        let path = format!("/v1/b2b/sessions/jwks/{}", self.stytch.project_id());
        self.send("GET", &path, &[], &Value::Null).await.1
    }

    async fn send(&self, method: &str, path: &str, headers: Headers<'_>, body: &Value) -> Reply {
        let response = self.request(method, path, headers, body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
    }

    /// A string is sent as the body without encoding it as JSON.
    fn request(&self, method: &str, path: &str, headers: Headers<'_>, body: &Value) -> Request {
        let url = format!("{}{path}", self.stytch.base_url());
        let request = http()
            .request(method.parse().unwrap(), url)
            .basic_auth(self.stytch.project_id(), Some(self.stytch.secret()))
            .body(body.as_str().map_or_else(|| body.to_string(), Into::into));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
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

#[track_caller]
fn assert_ok((status, response): &Reply) {
    assert_eq!(*status, 200, "{response}");
}

#[track_caller]
fn assert_error((seen, response): &Reply, status: u16, error_type: &str) {
    assert_eq!((*seen, &response["error_type"]), (status, &json!(error_type)));
    assert_eq!(response["status_code"], status);
}

fn path(organization: &str, connection: &str) -> String {
    format!("/v1/b2b/sso/external/{organization}/connections/{connection}")
}

const TOKEN: &str = "x-stytch-member-session";
const JWT: &str = "x-stytch-member-sessionjwt";
/// An update that changes the name.
const NAME: &str = r#"{"display_name":"Renamed"}"#;
