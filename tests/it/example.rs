//! The console example without a Stytch account, and with the environment of one: then it builds
//! its client with `Client::from_env`.

use std::{
    net::TcpListener,
    process::{Command, Output},
};

use stytch_sso_external::{Operation, testing::Fault};

use crate::support::{acme::Acme, child};

#[test]
fn example_shows_the_main_job_without_an_account() {
    let output =
        run(Command::new(child::example("update_connection")).env_remove("STYTCH_PROJECT_ID"));
    let stdout = String::from_utf8(output.stdout).unwrap();
    for part in [
        "in-process fake of Stytch",
        "name:        Acme Okta\n",
        "all members: editor\n",
        "groups:      it-admins -> stytch_admin\n",
        "groups:      it-admins -> stytch_admin, engineering -> editor\n",
        "request id:  request-id-test-",
        "may update:  no; roles that would allow it: sso_manager, stytch_admin\n",
        "the action `update` on the resource `stytch.sso`",
        "outcome:     NotApplied\n",
    ] {
        assert!(stdout.contains(part), "{part:?} isn't in\n{stdout}");
    }
    assert!(output.status.success());
}

#[test]
fn list_and_show_print_connections() {
    let acme = Acme::new();
    let _second = acme.organization.connection("Acme Entra");
    let output = run(&mut acme.command(&["list"]));
    let listed = String::from_utf8(output.stdout).unwrap();
    let (first, last) = listed.split_once("\n\n").unwrap();
    assert!(first.starts_with(&format!("  id:          {}\n", acme.connection.id())), "{listed}");
    assert!(first.contains("\n  name:        Acme Okta\n"), "{listed}");
    // A blank line between two connections.
    let (second, last) = last.split_once("\n\n").unwrap();
    assert!(second.contains("\n  name:        Acme Entra\n"), "{listed}");
    assert!(last.starts_with("  request id:  request-id-test-"), "{listed}");
    let output = run(&mut acme.command(&["show", acme.connection.id()]));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.ends_with("  may update:  yes, by stytch_admin\n"), "{shown}");
}

#[test]
fn update_replaces_the_lists_that_are_given() {
    let acme = Acme::new();
    let output = run(&mut acme.command(&[
        "update",
        acme.connection.id(),
        "--display-name",
        "Renamed",
        "--clear-roles",
        "--group-role",
        "it=admins=stytch_admin",
    ]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let state = acme.connection.state();
    assert_eq!(state.display_name, "Renamed");
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    let groups = state.external_group_implicit_role_assignments.unwrap();
    assert_eq!(
        (groups[0].group.as_str(), groups[0].role_id.as_str()),
        ("it=admins", "stytch_admin")
    );
}

#[test]
fn grant_keeps_the_other_roles() {
    let acme = Acme::new();
    for group in ["engineering", "sales"] {
        let grant = ["grant", acme.connection.id(), group, "stytch_member"];
        assert!(run(&mut acme.command(&grant)).status.success());
    }
    let state = acme.connection.state();
    assert_eq!(state.external_group_implicit_role_assignments.unwrap().len(), 2);
    assert_eq!(state.external_connection_implicit_role_assignments.unwrap().len(), 1);
}

#[test]
fn revoke_and_move_keep_the_other_roles() {
    let acme = Acme::new();
    let edit = |command, group, to: &[&str]| {
        let arguments = [&[command, acme.connection.id(), group, "stytch_member"], to].concat();
        let output = run(&mut acme.command(&arguments));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    edit("grant", "engineering", &[]);
    edit("grant", "sales", &[]);
    let moved = edit("move", "sales", &["marketing"]);
    let groups = "groups:      engineering -> stytch_member, marketing -> stytch_member\n";
    assert!(moved.contains(groups), "{moved}");
    let unchanged = edit("move", "sales", &["support"]);
    let note = "  unchanged:   the group sales doesn't have the role stytch_member\n";
    assert!(unchanged.contains(groups) && unchanged.ends_with(note), "{unchanged}");
    edit("revoke", "engineering", &[]);
    let groups = acme.connection.state().external_group_implicit_role_assignments.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].group, "marketing");
}

#[test]
fn each_command_prints_a_request_id() {
    let acme = Acme::new();
    let id = acme.connection.id();
    for arguments in [
        &["list"] as &[_],
        &["show", id],
        &["update", id, "--display-name", "Renamed"],
        &["grant", id, "it", "stytch_member"],
        &["move", id, "it", "stytch_member", "hr"],
        &["revoke", id, "hr", "stytch_member"],
    ] {
        let stdout = String::from_utf8(run(&mut acme.command(arguments)).stdout).unwrap();
        assert!(stdout.contains("  request id:  request-id-test-"), "{arguments:?}: {stdout}");
    }
}

#[test]
fn failures_print_their_causes_and_exit_by_outcome() {
    let acme = Acme::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = acme.command(&["list"]);
    command.env("STYTCH_BASE_URL", format!("http://{closed}"));
    command.env_remove("STYTCH_SESSION_JWT").env("STYTCH_SESSION_TOKEN", acme.ada.token());
    let output = run(&mut command);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("connecting failed") && stderr.contains(": tcp connect error"),
        "{stderr}"
    );
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");

    let update = ["update", acme.connection.id(), "--display-name", "Renamed"];
    acme.fault(Operation::UpdateExternalConnection, Fault::status(500).after_applying());
    let output = run(&mut acme.command(&update));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("may have been applied"), "{stderr}");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(run(&mut acme.command(&["nonsense"])).status.code(), Some(2));
}

#[test]
fn missing_input_is_named() {
    let acme = Acme::new();
    for variable in ["STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_SESSION_JWT"] {
        assert_fails(acme.command(&["list"]).env_remove(variable), variable);
    }
    assert_fails(&mut acme.command(&[]), "a command is required");
    assert_fails(&mut acme.command(&["update", acme.connection.id()]), "set a display name");
    let denied = acme.organization.member("bob", &[]).log_in();
    let session = denied.fresh_jwt();
    assert_fails(acme.command(&["list"]).env("STYTCH_SESSION_JWT", session), "`stytch.sso`");
}

#[test]
fn help_explains_the_commands() {
    for (arguments, parts) in [
        (&["--help"] as &[_], &ALL as &[_]),
        (&["update", "--help"], &["[OPTIONS] <ID>", "--group-role <GROUP=ROLE_ID>"]),
        (&["grant", "--help"], &["<ID> <GROUP> <ROLE>", "keep all other roles"]),
        (&["move", "--help"], &["<ID> <GROUP> <ROLE> <TO>", "keep all other roles"]),
    ] {
        let output = run(Command::new(child::example("update_connection")).args(arguments));
        let stdout = String::from_utf8(output.stdout).unwrap();
        for part in parts {
            assert!(stdout.contains(part), "{part:?} isn't in\n{stdout}");
        }
    }
}

impl Acme {
    /// Returns the example with the environment of Ada.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(child::example("update_connection"));
        command
            .env("STYTCH_PROJECT_ID", self.stytch.project_id())
            .env("STYTCH_SECRET", self.stytch.secret())
            .env("STYTCH_BASE_URL", self.stytch.base_url())
            .env("STYTCH_SESSION_JWT", self.ada.fresh_jwt())
            .args(arguments);
        command
    }
}

fn assert_fails(command: &mut Command, expected: &str) {
    let output = run(command);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains(expected), "{expected}: {stderr}");
}

/// What the help explains: the variables, the exit codes, the commands.
const ALL: [&str; 14] = [
    "STYTCH_PROJECT_ID",
    "STYTCH_SECRET",
    "STYTCH_BASE_URL",
    "STYTCH_SESSION_JWT",
    "STYTCH_SESSION_TOKEN",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "3  Failed, but the update may have been applied",
    "grant",
    "revoke",
    "move",
];

fn run(command: &mut Command) -> Output {
    command.output().expect("the example runs")
}
