//! How the service starts and ends, and what it prints.

use std::process::Command;
#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use stytch_sso_external::testing::{Fault, Operation};

#[cfg(unix)]
use super::Acme;
use crate::support::{
    child,
    service::{Answer, Service},
};

#[tokio::test]
async fn the_lines_that_it_prints_without_an_account_do_what_they_say() {
    let service = Service::on_its_own_stand_in();
    let state = loop {
        let printed = service.printed();
        // The last of the lines.
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
        let request = crate::standin::http().put(&state).header("content-type", "application/json");
        let cookie = cookie.trim_end_matches("' \\");
        let answer = Answer::to(request.header("cookie", cookie).body(body.to_owned())).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let connection = Answer::to(crate::standin::http().get(&state)).await.json();
    assert_eq!(connection["display_name"], "Acme SSO");
}

#[tokio::test]
async fn a_login_sets_cookies_that_no_script_reads_and_that_work() {
    let service = Service::on_its_own_stand_in();
    let http = crate::standin::http_builder().redirect(reqwest::redirect::Policy::none());
    let login = http.build().unwrap().get(format!("{}/login/ada", service.url));
    let answer = Answer::to(login).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let cookies =
        answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session: Vec<_> = cookies.filter(|cookie| cookie.starts_with("stytch_session")).collect();
    assert!(session.iter().all(|cookie| cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax")));
    let [token, jwt] = [0, 1].map(|n: usize| session[n].split(';').next().unwrap());
    let id = service.get("/setup").await.json()["stand_in"]["connection_id"].clone();
    for cookie in [token, jwt] {
        let request = service.put(id.as_str().unwrap(), cookie, r#"{"display_name": "By cookie"}"#);
        assert_eq!(Answer::to(request).await.status, 200);
    }
}

#[test]
fn an_origin_is_wanted_where_none_can_be_guessed() {
    for (arguments, said) in [
        (&["--listen", "0.0.0.0:0"] as &[_], "--origin is needed"),
        (&["--origin", "http://sso.example.com"], "no https origin"),
        (&["--origin", "https://sso.example.com/path"], "no https origin"),
        (&["--origin", "nonsense"], "no https origin"),
        (&["--listen", "nonsense"], "invalid"),
    ] {
        let mut command = Command::new(child::example("axum_service"));
        command.env_remove("STYTCH_PROJECT_ID").args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(said), "{arguments:?}: {errors}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_lets_an_update_that_has_begun_end() {
    let acme = Acme::new();
    let slow = acme.stytch.fault(Operation::Update, Fault::delay(Duration::from_millis(300)));
    let (answer, ()) = tokio::join!(acme.rename(), async {
        while slow.hits() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        acme.service.terminate();
    });
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(acme.connection.state().display_name, "Renamed");
    assert_eq!(acme.service.exit_code(), Some(0));
}
