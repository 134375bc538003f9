//! The start, the output and the shutdown of the service.

use std::process::Command;
#[cfg(unix)]
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
#[cfg(unix)]
use stytch_sso_external::{Operation, testing::Fault};

#[cfg(unix)]
use super::AcmeService;
use crate::support::{
    acme::Acme,
    child,
    service::{Service, ServiceResponse},
    wait::until,
};

#[tokio::test]
async fn printed_commands_work_without_an_account() {
    let service = Service::on_its_own_fake();
    until(|| service.printed().matches("-d '").count() == 2).await;
    let printed = service.printed();
    let edits = printed.lines().filter_map(|line| line.strip_prefix("curl -i -X PATCH '"));
    let edits: Vec<_> = edits.map(|edit| edit.split_once("' -H 'Cookie: ").unwrap()).collect();
    let (url, cookie) = edits[0];
    let cookies = edits.iter().map(|(_, cookie)| cookie.trim_end_matches("' \\"));
    let cookies: Vec<_> = cookies.collect();
    let cookie = cookie.trim_end_matches("' \\");
    assert!(printed.contains(&format!("curl '{url}' -H 'Cookie: {cookie}'\n")), "{printed}");
    let body = printed.lines().find_map(|line| line.split_once("-d '")).unwrap().1;
    let body = body.trim_end_matches('\'');
    let path = url.strip_prefix(&service.url).unwrap();
    for (edit_cookie, status) in cookies.iter().zip([403, 200]) {
        let request = service.request(Method::PATCH, path, edit_cookie, body);
        let response = ServiceResponse::to(request).await;
        assert_eq!(response.status, status, "{}", response.text);
    }
    let read = ServiceResponse::to(service.request(Method::GET, path, cookie, "")).await.json();
    assert_eq!(read["connection"]["display_name"], "Acme SSO");
    assert_eq!(read["connection"][super::ROLES], json!([]));
    assert_eq!(read["permission"]["authorized"], false);
}

#[tokio::test]
async fn login_sets_session_cookies_as_stytchs_frontend_sdks_do() {
    let service = Service::on_its_own_fake();
    let http = crate::fake::http_builder().redirect(reqwest::redirect::Policy::none());
    let login = http.build().unwrap().get(format!("{}/login/ada", service.url));
    let response = ServiceResponse::to(login).await;
    assert_eq!((response.status, response.header("location")), (303, "/"));
    let cookies =
        response.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session: Vec<_> = cookies.filter(|cookie| cookie.starts_with("stytch_session")).collect();
    assert!(session.iter().all(|cookie| cookie.ends_with("; Path=/; SameSite=Lax")));
    let [token, jwt] = [0, 1].map(|n: usize| session[n].split(';').next().unwrap());
    for cookie in [token, jwt] {
        let request = service.request(Method::GET, "/sso/connections", cookie, "");
        assert_eq!(ServiceResponse::to(request).await.status, 200);
    }
}

#[test]
fn fake_is_served_on_loopback_only() {
    for arguments in [
        &["--listen", "0.0.0.0:0"] as &[_],
        &["--listen", "[::]:0", "--origin", "https://sso.example.com"],
    ] {
        let mut command = Command::new(child::example("axum_service"));
        let output = command.env_remove("STYTCH_PROJECT_ID").args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(errors.contains("the fake listens on loopback addresses only"), "{errors}");
    }
}

#[test]
fn origin_is_required_if_it_cannot_be_derived() {
    let acme = Acme::new();
    for (arguments, expected) in [
        (&["--listen", "0.0.0.0:0"] as &[_], "--origin is required"),
        (&["--origin", "http://sso.example.com"], "neither an https origin"),
        (&["--origin", "https://sso.example.com/path"], "neither an https origin"),
        (&["--origin", "nonsense"], "neither an https origin"),
        (&["--listen", "nonsense"], "invalid"),
    ] {
        let mut command = Service::command(&acme.stytch);
        command.args(arguments);
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
    let acme = AcmeService::new();
    let slow = acme
        .stytch
        .fault(Operation::UpdateExternalConnection, Fault::delay(Duration::from_millis(300)));
    let (response, ()) = tokio::join!(acme.rename(), async {
        until(|| slow.hits() > 0).await;
        acme.service.terminate();
    });
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(acme.connection.state().display_name, "Renamed");
    assert_eq!(acme.service.exit_code(), Some(0));
}
