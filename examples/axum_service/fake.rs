//! The fake of Stytch that the service uses without an account: an organization, two connections,
//! a member with the permission to update them and a member who may only see them.
//!
//! Only for trying the service: its login endpoint requires no credentials.

use std::time::{Duration, Instant};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::get,
};
use stytch_sso_external::{
    Client,
    testing::{Clock, Connection, LoggedIn, Stytch},
};

use crate::{cookie, origin::Origin, problem::Problem, routes::Service};

/// A project with an organization, its connections, its admin Ada and its member Bob.
pub(crate) struct Fake {
    stytch: Stytch,
    connection: Connection,
    members: [(&'static str, LoggedIn); 2],
}

impl Fake {
    pub(crate) fn start() -> Self {
        let stytch = Stytch::start();
        let acme = stytch.organization("acme");
        stytch.role("editor", &[("document", &["read", "write"])]);
        stytch.role("viewer", &[("document", &["read"])]);
        stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
        stytch.role("sso_manager", &[("stytch.sso", &["get", "update"])]);
        let connection = acme
            .connection_builder("Acme Okta")
            .roles(&["viewer"])
            .group_roles(&[("it-admins", "stytch_admin")])
            .create();
        acme.connection_builder("Contractors Entra").group_roles(&[("writers", "editor")]).create();
        let members = [("ada", "stytch_admin"), ("bob", "sso_viewer")]
            .map(|(name, role)| (name, acme.member(name, &[role]).log_in_for(A_DAY)));
        tokio::spawn(keep_time(stytch.clock().clone()));
        Self { stytch, connection, members }
    }

    pub(crate) fn client(&self) -> Client {
        self.stytch.client()
    }

    /// Prints commands to run in another terminal.
    pub(crate) fn print_commands(&self, origin: &Origin) {
        let origin = origin.as_str();
        let url = format!("{origin}/sso/connections/{}", self.connection.id());
        println!("\nSTYTCH_PROJECT_ID is not set: using an in-process fake of Stytch with the");
        println!("organization acme, its admin Ada and its member Bob, who can only view.");
        println!("\nThe page, as Ada and as Bob:\n  {origin}/login/ada\n  {origin}/login/bob");
        let edit = r#"{"display_name": "Acme SSO", "revoke": {"connection_roles": ["viewer"]}}"#;
        for (name, session) in self.members.iter().rev() {
            let cookie = format!("{}={}", cookie::TOKEN, session.token());
            println!("\nThe connection as {name}, and an edit (403 as bob, 200 as ada):");
            println!("curl '{url}' -H 'Cookie: {cookie}'");
            println!("curl -i -X PATCH '{url}' -H 'Cookie: {cookie}' \\");
            println!("  -H 'Content-Type: application/json' -d '{edit}'");
        }
    }
}

pub(crate) fn router() -> Router<Service> {
    Router::new().route("/login/{member}", get(log_in))
}

/// `GET /login/{member}`: sets the cookies that Stytch's frontend SDKs would set.
async fn log_in(State(service): State<Service>, Path(member): Path<String>) -> Response {
    let members = service.fake.iter().flat_map(|fake| &fake.members);
    let Some((_, session)) = members.into_iter().find(|(name, _)| *name == member) else {
        return Problem::bare(StatusCode::NOT_FOUND, "No such member.").into_response();
    };
    let cookies = [
        cookie::set(cookie::TOKEN, &session.token(), &service.origin),
        cookie::set(cookie::JWT, &session.fresh_jwt(), &service.origin),
        // Only for display on the page.
        HeaderValue::from_str(&format!("member={member}; Path=/; SameSite=Lax")).ok(),
    ];
    let cookies = cookies.into_iter().flatten().map(|cookie| (header::SET_COOKIE, cookie));
    (AppendHeaders(cookies), Redirect::to("/")).into_response()
}

/// Advances the fake's clock in real time: after five minutes a session JWT expires, and the
/// next update renews it.
async fn keep_time(clock: Clock) {
    let mut last = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = Instant::now();
        clock.advance(now - last);
        last = now;
    }
}

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
