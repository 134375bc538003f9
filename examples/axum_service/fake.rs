//! The fake of Stytch that the service uses without an account: an organization, a connection,
//! a member with the permission to update it and a member without it.
//!
//! Only for trying the service: its login endpoint requires no credentials.

use std::time::{Duration, Instant};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::{Value, json};
use stytch_sso_external::{
    Client,
    testing::{Clock, Connection, LoggedIn, Stytch},
};

use crate::{connection::Shown, cookie, origin::Origin, problem::Problem, routes::Service};

/// A project with an organization, its connection, its admin Ada and its member Bob.
pub(crate) struct Fake {
    stytch: Stytch,
    connection: Connection,
    ada: LoggedIn,
    bob: LoggedIn,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let stytch = Stytch::start();
        let acme = stytch.organization("acme");
        stytch.role("editor", &[("document", &["read", "write"])]);
        stytch.role("viewer", &[("document", &["read"])]);
        let connection = acme
            .connection_builder("Acme Okta")
            .roles(&["viewer"])
            .group_roles(&[("it-admins", "stytch_admin")])
            .create();
        let ada = acme.member("ada", &["stytch_admin"]).log_in_for(A_DAY);
        let bob = acme.member("bob", &[]).log_in_for(A_DAY);
        tokio::spawn(keep_time(stytch.clock().clone()));
        Self { stytch, connection, ada, bob }
    }

    pub(crate) fn client(&self) -> Client {
        self.stytch.client()
    }

    /// The configuration of the page.
    pub(crate) fn setup(&self) -> Value {
        json!({"connection_id": self.connection.id()})
    }

    /// Prints commands to run in another terminal.
    pub(crate) fn print_commands(&self, origin: &Origin) {
        let origin = origin.as_str();
        let url = format!("{origin}/sso/connections/{}", self.connection.id());
        println!("\nSTYTCH_PROJECT_ID is not set: using an in-process fake of Stytch with the");
        println!("organization acme, its admin Ada and its member Bob, who has no role.");
        println!("\nPages to edit the connection, as Ada and as Bob:");
        println!("  {origin}/login/ada");
        println!("  {origin}/login/bob");
        for (who, session) in
            [("An update as Ada (200)", &self.ada), ("The same as Bob (403)", &self.bob)]
        {
            println!("\n{who}:");
            println!("curl -i -X PUT '{url}' \\");
            println!("  -H 'Cookie: {}={}' \\", cookie::TOKEN, session.token());
            println!("  -H 'Content-Type: application/json' \\");
            println!("  -d '{{\"display_name\": \"Acme SSO\", \"connection_roles\": []}}'");
        }
        println!("\nThe connection as the fake stores it:");
        println!("curl '{url}'\n");
    }

    fn session(&self, member: &str) -> Option<&LoggedIn> {
        match member {
            "ada" => Some(&self.ada),
            "bob" => Some(&self.bob),
            _ => None,
        }
    }
}

pub(crate) fn router() -> Router<Service> {
    Router::new()
        .route("/login/{member}", get(log_in))
        .route("/sso/connections/{connection_id}", get(state))
}

/// `GET /login/{member}`: sets the cookies that Stytch's frontend SDKs would set.
async fn log_in(State(service): State<Service>, Path(member): Path<String>) -> Response {
    let session = service.fake.as_ref().and_then(|fake| fake.session(&member));
    let Some(session) = session else {
        return no_such("member").into_response();
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

/// `GET /sso/connections/{connection_id}`: the connection as the fake stores it. Not available
/// with Stytch, because this crate only updates connections.
async fn state(State(service): State<Service>, Path(connection_id): Path<String>) -> Response {
    let connection = service.fake.as_ref().map(|fake| &fake.connection);
    match connection.filter(|connection| connection.id() == connection_id) {
        Some(found) => Json(Shown::from(found.state())).into_response(),
        None => no_such("connection").into_response(),
    }
}

fn no_such(what: &str) -> Problem {
    Problem::bare(StatusCode::NOT_FOUND, format!("The fake has no such {what}."))
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
