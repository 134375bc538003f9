//! The start, the output and the shutdown of the service.

use std::process::Command;
#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use stytch_sso_external::{Operation, testing::Fault};

#[cfg(unix)]
use super::Acme;
use crate::support::{
    child,
    service::{Service, ServiceResponse},
};

#[tokio::test]
async fn printed_commands_work_without_an_account() {
    let service = Service::on_its_own_fake();
    let state = loop {
        let printed = service.printed();
        // The last line.
        if let Some((_, line)) = printed.split_once("curl 'http") {
            break format!("http{}", line.trim().trim_end_matches('\''));
        }
        tokio::task::yield_now().await;
    };
    let printed = service.printed();
    let cookies: Vec<_> = printed.lines().filter_map(|line| line.split_once("Cookie: ")).collect();
    let body = printed.lines().find_map(|line| line.split_once("-d '")).unwrap().1;
    let body = body.trim_end_matches('\'');
    assert_eq!(cookies.len(), 2, "{printed}");
    for ((_, cookie), status) in cookies.iter().rev().zip([403, 200]) {
        let request = crate::fake::http().put(&state).header("content-type", "application/json");
        let cookie = cookie.trim_end_matches("' \\");
        let response =
            ServiceResponse::to(request.header("cookie", cookie).body(body.to_owned())).await;
        assert_eq!(response.status, status, "{}", response.text);
    }
    let connection = ServiceResponse::to(crate::fake::http().get(&state)).await.json();
    assert_eq!(connection["display_name"], "Acme SSO");
}

#[tokio::test]
async fn login_sets_http_only_session_cookies() {
    let service = Service::on_its_own_fake();
    let http = crate::fake::http_builder().redirect(reqwest::redirect::Policy::none());
    let login = http.build().unwrap().get(format!("{}/login/ada", service.url));
    let response = ServiceResponse::to(login).await;
    assert_eq!((response.status, response.header("location")), (303, "/"));
    let cookies =
        response.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session: Vec<_> = cookies.filter(|cookie| cookie.starts_with("stytch_session")).collect();
    assert!(session.iter().all(|cookie| cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax")));
    let [token, jwt] = [0, 1].map(|n: usize| session[n].split(';').next().unwrap());
    let id = service.get("/setup").await.json()["fake"]["connection_id"].clone();
    for cookie in [token, jwt] {
        let request = service.put(id.as_str().unwrap(), cookie, r#"{"display_name": "By cookie"}"#);
        assert_eq!(ServiceResponse::to(request).await.status, 200);
    }
}

#[test]
fn origin_is_required_if_it_cannot_be_derived() {
    for (arguments, expected) in [
        (&["--listen", "0.0.0.0:0"] as &[_], "--origin is required"),
        (&["--origin", "http://sso.example.com"], "neither an https origin"),
        (&["--origin", "https://sso.example.com/path"], "neither an https origin"),
        (&["--origin", "nonsense"], "neither an https origin"),
        (&["--listen", "nonsense"], "invalid"),
    ] {
        let mut command = Command::new(child::example("axum_service"));
        command.env_remove("STYTCH_PROJECT_ID").args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(expected), "{arguments:?}: {errors}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn shutdown_completes_an_update_in_flight() {
    let acme = Acme::new();
    let slow = acme
        .stytch
        .fault(Operation::UpdateExternalConnection, Fault::delay(Duration::from_millis(300)));
    let (response, ()) = tokio::join!(acme.rename(), async {
        while slow.hits() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        acme.service.terminate();
    });
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(acme.connection.state().display_name, "Renamed");
    assert_eq!(acme.service.exit_code(), Some(0));
}
