//! What is measured, for both kinds of benchmarks: a client that knows the project's keys and
//! a session, with a far end on loopback.
//!
//! The session's JWT and the key are always the same, so that the counts are. They come from
//! `testing::Stytch`, with this project and at this time: `session.jwt` is a member's
//! `log_in().jwt()`, `jwks.json` the `responses::jwks(&[stytch.key()])` that goes with it.

mod far_end;

use std::{
    hint::black_box,
    time::{Duration, UNIX_EPOCH},
};

use futures_util::FutureExt;
use serde_json::Value;
use stytch_sso_external::{
    Client, Error, Session,
    testing::{Answer, Clock, jwt, responses},
    types::{
        ExternalConnection, UpdateExternalConnectionRequest, UpdateExternalConnectionResponse,
    },
};
use tokio::{runtime::Runtime, task};

use far_end::FarEnd;

/// Everything that a benchmark needs, made before it is measured.
pub(crate) struct Scene {
    runtime: Runtime,
    base_url: String,
    client: Client,
    connection: ExternalConnection,
    update: UpdateExternalConnectionRequest,
    answer: Vec<u8>,
}

impl Scene {
    /// Makes a client that has seen the session, as a JWT and as a token. Each part has been
    /// done once then, and one connection is open.
    pub(crate) fn new() -> Self {
        let claims = jwt::claims(jwt());
        let organization = claims.get("https://stytch.com/organization").unwrap();
        let organization_id = organization.get("organization_id").and_then(Value::as_str);
        let connection = ExternalConnection {
            organization_id: organization_id.unwrap().to_owned(),
            ..responses::connection()
        };
        let updated = Answer::json(200, &responses::updated(connection.clone()));
        let authenticated = responses::authenticated(&connection.organization_id, TOKEN, jwt());
        let far_end = FarEnd {
            jwks: far_end::raw(&Answer::new(200, JWKS)),
            authenticated: far_end::raw(&Answer::json(200, &authenticated)),
            updated: far_end::raw(&updated),
            refused: far_end::raw(&Answer::error(&responses::permission_denied())),
            refused_id: REFUSED,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let base_url = runtime.block_on(far_end.start());
        let scene = Self {
            client: client(&base_url),
            answer: updated.body().to_owned(),
            update: update(),
            runtime,
            base_url,
            connection,
        };
        scene.rehearse();
        scene
    }

    /// Does each part once: what is made on first use is made now.
    fn rehearse(&self) {
        self.jwt_first_sight(&self.client);
        self.jwt_seen_before();
        self.token_seen_before();
        self.response_parsing();
        self.error_mapping();
        self.request_building();
        self.settle();
    }

    /// A client that knows the project's keys and no session.
    pub(crate) fn newcomer(&self) -> Client {
        let client = client(&self.base_url);
        self.runtime.block_on(client.warm_up()).unwrap();
        client
    }

    /// Leaves one connection that is open and that nobody uses.
    pub(crate) fn settle(&self) {
        self.update_accepted();
        // What comes after an answer: the connection is put back for the next request.
        self.runtime.block_on(async {
            for _ in 0..16 {
                task::yield_now().await;
            }
        });
    }

    /// Infers the organization from the JWT, which this client hasn't seen.
    pub(crate) fn jwt_first_sight(&self, newcomer: &Client) {
        self.infer(newcomer, Session::jwt(jwt()));
    }

    /// Infers it from the JWT.
    pub(crate) fn jwt_seen_before(&self) {
        self.infer(&self.client, Session::jwt(jwt()));
    }

    /// Infers it from the token.
    pub(crate) fn token_seen_before(&self) {
        self.infer(&self.client, Session::token(TOKEN));
    }

    /// Makes an update up to where it waits for the far end.
    pub(crate) fn request_building(&self) {
        let member = self.client.as_member(Session::jwt(jwt()));
        let _guard = self.runtime.enter();
        let update = member.update_connection(&self.connection.connection_id, &self.update);
        assert!(update.now_or_never().is_none(), "an update ended without an answer");
    }

    /// Parses the answer to an update.
    pub(crate) fn response_parsing(&self) {
        let parsed: UpdateExternalConnectionResponse =
            serde_json::from_slice(black_box(&self.answer)).unwrap();
        black_box(parsed);
    }

    /// Makes a whole update, the far end's part included.
    pub(crate) fn update_accepted(&self) {
        black_box(self.update(&self.connection.connection_id).unwrap());
    }

    /// Makes an update that is refused, the far end's part included.
    pub(crate) fn error_mapping(&self) {
        black_box(self.update(REFUSED).unwrap_err());
    }

    fn infer(&self, client: &Client, session: Session) {
        let member = client.as_member(session);
        black_box(self.runtime.block_on(member.organization_id()).unwrap());
    }

    fn update(&self, connection_id: &str) -> Result<UpdateExternalConnectionResponse, Error> {
        let member = self.client.as_member(Session::jwt(jwt()));
        self.runtime.block_on(member.update_connection(connection_id, &self.update))
    }
}

fn client(base_url: &str) -> Client {
    let issued = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    Client::builder(PROJECT, "secret-test-benchmark")
        .base_url(base_url)
        .clock(Clock::stopped_at(issued))
        .build()
        .unwrap()
}

fn update() -> UpdateExternalConnectionRequest {
    UpdateExternalConnectionRequest::default()
        .display_name("Acme Okta (external)")
        .connection_roles(["stytch_member"])
        .group_roles([("it-admins", "stytch_admin")])
}

fn jwt() -> &'static str {
    include_str!("session.jwt").trim_end()
}

const PROJECT: &str = "project-test-16b34bbe-7c1e-4c58-9d6f-2a8e6f0b3d17";
const TOKEN: &str = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q";
const JWKS: &str = include_str!("jwks.json");
const REFUSED: &str = "external-connection-test-b05c992f-ebdc-489d-a754-c7e70ba13141";
