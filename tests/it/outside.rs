//! A crate outside of the workspace that depends on this one by path, as a user's does, and
//! tests its own handler with the stand-in.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The handler that a user has.
const HANDLER: &str = r"
use http::{HeaderMap, StatusCode};
use stytch_sso_external::{Client, Error, Session, types::UpdateExternalConnectionRequest};

pub async fn rename(client: &Client, headers: &HeaderMap, id: &str, name: &str) -> StatusCode {
    let Some(session) = Session::from_headers(headers) else { return StatusCode::UNAUTHORIZED };
    let update = UpdateExternalConnectionRequest::default().display_name(name);
    match client.as_member(session).update_connection(id, &update).await {
        Ok(_) => StatusCode::OK,
        Err(Error::PermissionDenied { .. }) => StatusCode::FORBIDDEN,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}
";

/// The test that the user writes for it: the lines that somebody has to think of.
const TEST: &str = r#"
#[tokio::test]
async fn member_without_the_role_gets_403() {
    let stytch = stytch_sso_external::testing::Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let bob = acme.member("bob", &["stytch_member"]).log_in();
    let mut headers = http::HeaderMap::new();
    headers.insert("cookie", format!("stytch_session={}", bob.token()).parse().unwrap());
    let status = outside::rename(&stytch.client(), &headers, connection.id(), "Mine").await;
    assert_eq!(status, 403);
    assert_eq!(connection.state().display_name, "Acme Okta");
}
"#;

#[test]
fn crate_outside_tests_its_handler_in_under_15_lines() {
    assert!(TEST.trim().lines().count() < 15);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let outside = env::temp_dir().join(format!("outside-{}", std::process::id()));
    let write = |name: &str, text: &str| {
        let file = outside.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("Cargo.toml", &manifest(here));
    write("src/lib.rs", HANDLER);
    write("tests/rename.rs", TEST);
    // The same versions as here, so that nothing has to be fetched.
    fs::copy(here.join("Cargo.lock"), outside.join("Cargo.lock")).unwrap();

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--offline", "--quiet", "--test", "rename"]).current_dir(&outside);
    let output = cargo.env("CARGO_TARGET_DIR", target()).output().unwrap();
    fs::remove_dir_all(&outside).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

fn manifest(here: &Path) -> String {
    // As TOML writes a string: a path of Windows has backslashes.
    let path = format!("{:?}", here.display().to_string());
    format!(
        r#"
[workspace]

[package]
name = "outside"
version = "0.0.0"
edition = "2024"

[dependencies]
http = "1"
stytch-sso-external = {{ path = {path} }}

[dev-dependencies]
stytch-sso-external = {{ path = {path}, features = ["testing"] }}
tokio = {{ version = "1", features = ["macros", "rt"] }}
"#
    )
}

/// This build's own folder, where most of what the crate outside needs is built already.
fn target() -> PathBuf {
    let binary = env::current_exe().unwrap();
    binary.ancestors().nth(3).unwrap().to_owned()
}
