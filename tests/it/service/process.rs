//! The start, the output and the shutdown of the service.

#[cfg(unix)]
use super::AcmeService;
use crate::support::prelude::*;

#[tokio::test]
async fn printed_commands_work_without_an_account() {
    let service = Service::on_its_own_fake();
    until(|| service.program.printed().matches("-d '").count() == 2).await;
    let printed = service.program.printed();
    let edits = printed.lines().filter_map(|line| line.strip_prefix("curl -i -X PATCH '"));
    let edits: Vec<_> = edits
        .map(|edit| edit.trim_end_matches("' \\").split_once("' -H 'Cookie: ").unwrap())
        .collect();
    let (url, cookie) = edits[0];
    assert!(printed.contains(&format!("curl '{url}' -H 'Cookie: {cookie}'\n")), "{printed}");
    let body = printed.lines().find_map(|line| line.split_once("-d '")).unwrap().1;
    let body = body.trim_end_matches('\'');
    let path = url.strip_prefix(&service.url).unwrap();
    for ((_, cookie), status) in edits.iter().zip([403, 200]) {
        let response =
            ServiceResponse::to(service.request(Method::PATCH, path, cookie, body)).await;
        assert_eq!(response.status, status, "{}", response.text);
    }
    let read = ServiceResponse::to(service.request(Method::GET, path, cookie, "")).await;
    let read = read.successful();
    assert_eq!(read["connection"]["display_name"], "Acme SSO");
    assert_eq!(read["connection"][ROLES], json!([]));
    assert_eq!(read["permission"]["authorized"], false);
}

#[tokio::test]
async fn login_sets_session_cookies_as_stytchs_frontend_sdks_do() {
    let service = Service::on_its_own_fake();
    let http = crate::fake::http_builder().redirect(reqwest::redirect::Policy::none());
    let login = http.build().unwrap().get(format!("{}/login/ada", service.url));
    let response = ServiceResponse::to(login).await;
    assert_eq!((response.status, response.header("location")), (303, "/"));
    let cookies = response.headers.get_all("set-cookie").iter();
    let cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    let session: Vec<_> = cookies.filter(|cookie| cookie.starts_with("stytch_session")).collect();
    assert!(session.iter().all(|cookie| cookie.ends_with("; Path=/; SameSite=Lax")));
    for cookie in &session[..2] {
        let cookie = cookie.split(';').next().unwrap();
        let list = service.request(Method::GET, "/sso/connections", cookie, "");
        ServiceResponse::to(list).await.successful();
    }
}

#[test]
fn service_that_cannot_be_reached_safely_does_not_start() {
    let acme = Acme::new();
    let fake = "the fake listens on loopback addresses only";
    let loopback = ["--listen", "127.0.0.1:0"];
    for (is_fake, arguments, expected) in [
        (true, &["--listen", "0.0.0.0:0"] as &[_], fake),
        (true, &["--listen", "[::]:0", "--origin", "https://sso.example.com"], fake),
        (false, &["--listen", "0.0.0.0:0"], "--origin is required"),
        (false, &["--origin", "http://sso.example.com"], "neither an https origin"),
        (false, &["--origin", "https://sso.example.com/path"], "neither an https origin"),
        (false, &["--origin", "nonsense"], "neither an https origin"),
        (false, &["--listen", "nonsense"], "invalid"),
    ] {
        let mut command = child::example_of("axum_service", &acme.stytch);
        if is_fake {
            command.env_remove("STYTCH_PROJECT_ID");
        }
        let listen = if arguments.contains(&"--listen") { &[] } else { &loopback as &[_] };
        let output = command.args(listen).args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(expected), "{arguments:?}: {errors}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn shutdown_completes_an_update_in_flight() {
    let mut acme = AcmeService::new();
    let slow = acme.stytch.fault(UPDATE, Fault::delay(Duration::from_millis(300)));
    let (response, ()) = tokio::join!(acme.rename(), async {
        until(|| slow.hits() > 0).await;
        acme.service.terminate();
    });
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(acme.connection.state().display_name, "Renamed");
    assert_eq!(acme.service.program.child.wait().unwrap().code(), Some(0));
}
