//! A crate outside the workspace that depends on this one by path, as a user's crate does, and
//! tests its own handler.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

#[test]
fn downstream_crate_tests_its_handler_in_few_lines() {
    assert!(TEST.trim().lines().count() < 15, "{TEST}");
    let project = Project::new();
    let output = project.cargo(&["test", "--offline"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{errors}");
    assert!(stdout.contains("a_member_without_the_role_gets_403 ... ok"), "{stdout}");
    assert!(stdout.contains("a_member_with_the_role_gets_204 ... ok"), "{stdout}");
    assert!(stdout.contains("each_error_has_its_status ... ok"), "{stdout}");
}

/// The user's crate, in a folder that is removed when this is dropped.
struct Project(PathBuf);

impl Project {
    fn new() -> Self {
        let ours = env!("CARGO_MANIFEST_DIR");
        let name = format!("stytch-sso-outside-{:032x}", fastrand::u128(..));
        let project = Self(env::temp_dir().join(name));
        project.write("Cargo.toml", &MANIFEST.replace("{ours}", ours));
        project.write("src/lib.rs", HANDLER);
        project.write("tests/denied.rs", TEST);
        project.write("tests/allowed.rs", OTHER_TEST);
        project.write("tests/status.rs", STATUS_TEST);
        // The same versions, which are downloaded already.
        fs::copy(Path::new(ours).join("Cargo.lock"), project.0.join("Cargo.lock")).unwrap();
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds in the target folder of this test, which contains the shared dependencies.
    fn cargo(&self, arguments: &[&str]) -> Output {
        let this = env::current_exe().unwrap();
        // target/debug/deps/it-0123456789abcdef
        let target = this.ancestors().nth(3).unwrap();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).current_dir(&self.0);
        command.env("CARGO_TARGET_DIR", target).env("CARGO_INCREMENTAL", "0");
        command.output().unwrap()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // Each run has its own folder and would leave binaries that no other run uses.
        self.cargo(&["clean", "--offline", "--package", "users-service"]);
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MANIFEST: &str = r#"
[workspace]

[package]
name = "users-service"
version = "0.0.0"
edition = "2024"

[dependencies]
http = "1"
stytch-sso-external = { path = '{ours}' }

[dev-dependencies]
stytch-sso-external = { path = '{ours}', features = ["testing"] }
tokio = { version = "1", features = ["macros", "rt"] }

# As in the tested crate, so that the compiled dependencies are shared.
[profile.dev]
debug = "line-tables-only"
"#;

const HANDLER: &str = r"
use http::{HeaderMap, StatusCode};
use stytch_sso_external::{Client, Error, Session, types::UpdateExternalConnectionRequest};

pub async fn rename(client: &Client, headers: &HeaderMap, id: &str, name: &str) -> StatusCode {
    let Some(session) = Session::from_headers(headers) else {
        return StatusCode::UNAUTHORIZED;
    };
    let update = UpdateExternalConnectionRequest::default().display_name(name);
    match client.as_member(session).update_connection(id, &update).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(error) => StatusCode::from_u16(to_status(&error)).unwrap(),
    }
}

pub fn to_status(error: &Error) -> u16 {
    error.kind().response_status().as_u16()
}
";

const TEST: &str = r#"
use stytch_sso_external::testing::Stytch;
use users_service::rename;

#[tokio::test]
async fn a_member_without_the_role_gets_403() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let bob = acme.member("bob", &[]).log_in();
    let status = rename(&stytch.client(), &bob.headers(), connection.id(), "Mine").await;
    assert_eq!(status, 403);
}
"#;

const STATUS_TEST: &str = r##"
use stytch_sso_external::{Error, Operation::UpdateExternalConnection as UPDATE, Outcome};
use stytch_sso_external::testing::{error, transport_error};
use users_service::to_status;

fn of(status: u16, error_type: &str) -> Error {
    error(UPDATE, status, format!(r#"{{"error_type": "{error_type}"}}"#))
}

#[test]
fn each_error_has_its_status() {
    assert_eq!(to_status(&of(403, "session_authorization_error")), 403);
    assert_eq!(to_status(&of(403, "session_authorization_tenancy_error")), 404);
    assert_eq!(to_status(&of(404, "session_not_found")), 401);
    assert_eq!(to_status(&of(401, "unauthorized_credentials")), 500);
    assert_eq!(to_status(&of(404, "external_connection_id_not_found")), 404);
    assert_eq!(to_status(&of(429, "too_many_requests")), 429);
    assert_eq!(to_status(&of(400, "invalid_display_name")), 422);
    assert_eq!(to_status(&of(500, "internal_server_error")), 502);
    assert_eq!(to_status(&error(UPDATE, 502, "<html>")), 502);
    assert_eq!(to_status(&transport_error(UPDATE, Outcome::Unknown)), 504);
}
"##;

const OTHER_TEST: &str = r#"
use stytch_sso_external::testing::Stytch;
use users_service::rename;

#[tokio::test]
async fn a_member_with_the_role_gets_204() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection("Acme Okta");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let status = rename(&stytch.client(), &ada.headers(), connection.id(), "Ours").await;
    assert_eq!(status, 204);
    assert_eq!(connection.state().display_name, "Ours");
}
"#;
