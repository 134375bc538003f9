//! The stand-in for Stytch, spoken to in raw HTTP: what it enforces, refuses and remembers.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use stytch_sso_external::testing::{Connection, LoggedIn, Operation, Stytch};

/// A project with one organization, its connection and its admin.
struct Acme {
    stytch: Stytch,
    http: reqwest::Client,
    connection: Connection,
    ada: LoggedIn,
}

impl Acme {
    fn new() -> Self {
        let stytch = Stytch::start();
        let acme = stytch.organization("acme");
        let connection = acme.connection("Acme Okta");
        let ada = acme.member("ada", &["stytch_admin"]).log_in();
        Self { stytch, http: reqwest::Client::new(), connection, ada }
    }

    fn put(&self, body: &Value) -> RequestBuilder {
        let state = self.connection.state();
        let url = format!(
            "{}/v1/b2b/sso/external/{}/connections/{}",
            self.stytch.base_url(),
            state.organization_id,
            state.connection_id
        );
        self.http
            .put(url)
            .basic_auth(self.stytch.project_id(), Some(self.stytch.secret()))
            .header("content-type", "application/json")
            .body(body.to_string())
    }
}

async fn body(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_admin_updates_by_token_and_by_jwt() {
    let acme = Acme::new();
    for (header, session) in [(TOKEN, acme.ada.token()), (JWT, acme.ada.jwt())] {
        let response = acme
            .put(&json!({"display_name": header}))
            .header(header, &session)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let answer = body(response).await;
        assert_eq!(answer["connection"]["display_name"], header);
        assert_eq!(answer["status_code"], 200);
        assert!(answer["request_id"].as_str().unwrap().starts_with("request-id-test-"));
        assert_eq!(acme.connection.state().display_name, header);
    }
    assert_eq!(acme.stytch.count(Operation::Update), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speed() {
    let acme = Acme::new();
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for session in [(JWT, acme.ada.jwt()), (TOKEN, acme.ada.token())] {
        let start = Instant::now();
        for _ in 0..64 {
            let request = acme.put(&json!({"display_name": "x"})).header(session.0, &session.1);
            tasks.spawn(async move {
                for _ in 0..156 {
                    let answer = request.try_clone().unwrap().send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answer.bytes().await.unwrap();
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        eprintln!("{} {:?}", session.0, start.elapsed());
    }
    let _ = (start, Duration::ZERO);
    let t = Instant::now();
    let ada = acme.ada.clone();
    for _ in 0..100 {
        ada.fresh_jwt();
    }
    eprintln!("100 mints {:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..1000 {
        let _ = Stytch::start();
    }
    eprintln!("1000 starts {:?}", t.elapsed());
}

const TOKEN: &str = "x-stytch-member-session";
const JWT: &str = "x-stytch-member-sessionjwt";
