//! The example service, started as a process and called over HTTP.

use std::time::{Duration, SystemTime};

use reqwest::{
    Client, RequestBuilder, Response,
    header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE},
};
use serde_json::{Value, json};
use stytch_sso_external::testing::{Answer, Clock, Fault, Operation, Stytch};

use crate::support::service::Service;

#[tokio::test]
async fn admin_changes_the_connection_and_the_answer_shows_it() {
    let service = Service::start();
    let body = json!({"display_name": "Acme SSO", "connection_roles": []});
    let response = put(&service, &service.ada, &body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(request_id.len(), 32);
    let answer: Value = json_of(response).await;
    assert!(answer["stytch_request_id"].as_str().unwrap().starts_with("request-id-test-"));

    let state = state(&service).await;
    assert_eq!(answer["connection"], state);
    assert_eq!(state["display_name"], "Acme SSO");
    assert_eq!(state["connection_roles"], json!([]));
    // Not named, so it stays.
    assert_eq!(state["group_roles"], json!([{"group": "it-admins", "role_id": "stytch_admin"}]));
}

#[tokio::test]
async fn member_without_the_role_gets_a_problem_that_says_which_is_missing() {
    let service = Service::start();
    let response =
        put(&service, &service.bob, &json!({"display_name": "Mine"})).send().await.unwrap();
    let problem = problem_of(response, 403).await;
    assert_eq!(problem["action"], "update");
    assert_eq!(problem["resource"], "stytch.sso");
    assert_eq!(problem["outcome"], "not_applied");
    assert!(problem["stytch_request_id"].as_str().unwrap().starts_with("request-id-test-"));
    assert_eq!(state(&service).await["display_name"], "Acme Okta");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_and_changes_nothing() {
    let service = Service::start();
    let (name, ada) = (json!({"display_name": "New"}), &service.ada);
    let dots = format!("{}/sso/connections/%2e%2e%5Cx", service.origin);
    let other =
        service.connection.replace("external-connection-test-", "external-connection-test-x");
    let without_type = Client::new().put(&service.connection).header(COOKIE, ada);
    let rows = [
        (401, Client::new().put(&service.connection).json(&name)),
        (401, put(&service, "stytch_session=made-up", &name)),
        (401, put(&service, "stytch_session_jwt=made.up.jwt", &name)),
        (422, put(&service, ada, &json!({}))),
        (422, put(&service, ada, &json!({"displayname": "New"}))),
        (422, put(&service, ada, &json!({"display_name": 1}))),
        (422, put(&service, ada, &json!({"connection_roles": ["no_such_role"]}))),
        (400, without_type.try_clone().unwrap().header(CONTENT_TYPE, "application/json").body("{")),
        (415, without_type.body(name.to_string())),
        (422, Client::new().put(dots).header(COOKIE, ada).json(&name)),
        (404, Client::new().put(other).header(COOKIE, ada).json(&name)),
        (403, put(&service, ada, &name).header(ORIGIN, "https://evil.example.com")),
        (403, put(&service, ada, &name).header("sec-fetch-site", "cross-site")),
        (413, put(&service, ada, &json!({"display_name": "x".repeat(100_000)}))),
        (405, Client::new().delete(&service.connection)),
        (404, Client::new().get(format!("{}/nothing", service.origin))),
    ];
    for (status, request) in rows {
        problem_of(request.send().await.unwrap(), status).await;
    }
    assert_eq!(state(&service).await["display_name"], "Acme Okta");
}

#[tokio::test]
async fn login_sets_cookies_that_no_script_reads_and_that_work() {
    let service = Service::start();
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let response = http.get(format!("{}/login/ada", service.origin)).send().await.unwrap();
    assert_eq!(response.status(), 303);
    let cookies: Vec<_> = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    let session = cookies.iter().filter(|cookie| cookie.starts_with("stytch_session"));
    assert!(session.clone().all(|cookie| cookie.contains("; HttpOnly; SameSite=Lax")));
    let sent: Vec<_> = session.map(|cookie| cookie.split(';').next().unwrap()).collect();
    assert_eq!(sent.len(), 2);
    let update = put(&service, &sent.join("; "), &json!({"display_name": "By cookie"}));
    assert_eq!(update.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn renewed_session_jwt_is_set_as_cookie_again() {
    // The service goes by the system's clock: for it, this JWT expired a minute ago.
    let clock = Clock::stopped_at(SystemTime::now() - Duration::from_secs(6 * 60));
    let stytch = Stytch::builder().clock(&clock).start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let jwt = acme.member("ada", &["stytch_admin"]).log_in().jwt();
    clock.advance(Duration::from_secs(1));
    let base_url = stytch.base_url();
    let service = Service::spawn(&[
        ("STYTCH_PROJECT_ID", stytch.project_id()),
        ("STYTCH_SECRET", stytch.secret()),
        ("STYTCH_BASE_URL", &base_url),
    ]);
    let url = format!("{}/sso/connections/{}", service.origin, connection.id());
    let request = Client::new().put(url).json(&json!({"display_name": "Renewed"}));
    let cookie = format!("stytch_session_jwt={jwt}");
    let response = request.try_clone().unwrap().header(COOKIE, cookie).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let renewed = cookie.strip_prefix("stytch_session_jwt=").unwrap().split(';').next().unwrap();
    assert!(renewed != jwt);
    assert!(stytch.requests().pop().unwrap().carries(renewed));
    assert_eq!(connection.state().display_name, "Renewed");

    // Who sent a header keeps the session elsewhere.
    let by_header = request.header("x-stytch-member-sessionjwt", jwt).send().await.unwrap();
    assert_eq!(by_header.status(), 200);
    assert!(by_header.headers().get(SET_COOKIE).is_none());
}

#[tokio::test]
async fn failures_at_stytch_are_told_in_words_of_the_services_own() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let base_url = stytch.base_url();
    let service = Service::spawn(&[
        ("STYTCH_PROJECT_ID", stytch.project_id()),
        ("STYTCH_SECRET", stytch.secret()),
        ("STYTCH_BASE_URL", &base_url),
    ]);
    let url = format!("{}/sso/connections/{}", service.origin, connection.id());
    let rows = [
        (429, "not_applied", Fault::rate_limited().retry_after("3600")),
        (502, "unknown", Fault::status(500)),
        (502, "not_applied", Fault::html(403)),
        (502, "applied", Fault::answer(Answer::html(200, "<script>alert(1)</script>"))),
        (500, "not_applied", Fault::status(401)),
    ];
    for (status, outcome, fault) in rows {
        let _ = stytch.fault(Operation::Update, fault).times(1);
        let request = Client::new().put(&url).json(&json!({"display_name": "New"}));
        let cookie = format!("stytch_session={}", ada.token());
        let response = request.header(COOKIE, cookie).send().await.unwrap();
        let retry_after = response.headers().get("retry-after").cloned();
        assert_eq!(retry_after.is_some_and(|seconds| seconds == "3600"), status == 429);
        let problem = problem_of(response, status).await;
        assert_eq!(problem["outcome"], outcome, "{problem}");
        assert!(!problem.to_string().contains("script"), "{problem}");
    }
}

#[tokio::test]
async fn page_lets_no_foreign_script_run() {
    let service = Service::start();
    let response = Client::new().get(&service.origin).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
}

#[cfg(unix)]
#[tokio::test]
async fn terminated_service_ends_by_itself() {
    let mut service = Service::start();
    let terminated =
        std::process::Command::new("kill").arg(service.process.id().to_string()).status();
    assert!(terminated.unwrap().success());
    let ended = tokio::task::spawn_blocking(move || service.process.wait().unwrap());
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    assert!(ended.unwrap().unwrap().success());
}

fn put(service: &Service, cookie: &str, body: &Value) -> RequestBuilder {
    Client::new().put(&service.connection).header(COOKIE, cookie).json(body)
}

async fn state(service: &Service) -> Value {
    json_of(Client::new().get(&service.connection).send().await.unwrap()).await
}

async fn json_of(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// A problem in the form of RFC 9457 that leaks nothing.
async fn problem_of(response: Response, status: u16) -> Value {
    let url = response.url().clone();
    assert_eq!(response.status(), status, "{url}");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json", "{url}");
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem = json_of(response).await;
    assert_eq!(problem["status"], status, "{url}");
    assert_eq!(problem["request_id"], request_id, "{url}");
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{url}: {problem}");
    let text = problem.to_string();
    assert!(!text.contains("127.0.0.1") || status == 403, "{url}: {problem}");
    problem
}
