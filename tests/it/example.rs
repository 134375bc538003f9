//! The console example without a Stytch account, and with the environment of one: then it builds
//! its client with `Client::from_env`.

use std::process::{Command, Output};

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
        "Ada:         yes, by stytch_admin\n",
        "Bob:         no; roles that would allow it: sso_manager, stytch_admin\n",
        "groups:      it-admins -> stytch_admin, engineering -> editor\n",
        "the action `update` on the resource `stytch.sso`",
        "outcome:     NotApplied\n",
        "permission:  no; roles that would allow it: sso_manager, stytch_admin\n",
    ] {
        assert!(stdout.contains(part), "{part:?} isn't in\n{stdout}");
    }
    assert!(output.status.success());
}

#[test]
fn list_and_show_print_connections() {
    let acme = Acme::new();
    let output = run(&mut acme.command(&["list"]));
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.contains(acme.connection.id()) && listed.contains("Acme Okta"), "{listed}");
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
fn missing_input_is_named() {
    let acme = Acme::new();
    for variable in ["STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_SESSION_JWT"] {
        assert_fails(acme.command(&["list"]).env_remove(variable), variable);
    }
    assert_fails(&mut acme.command(&[]), "a command is required");
    assert_fails(&mut acme.command(&["update", acme.connection.id()]), "--display-name");
    let denied = acme.organization.member("bob", &[]).log_in();
    let session = denied.fresh_jwt();
    assert_fails(acme.command(&["list"]).env("STYTCH_SESSION_JWT", session), "`stytch.sso`");
}

#[test]
fn help_explains_the_commands() {
    for (arguments, parts) in [
        (&["--help"] as &[_], &["STYTCH_PROJECT_ID", "STYTCH_SESSION_JWT", "grant"] as &[_]),
        (&["update", "--help"], &["--display-name <NAME>", "--group-role <GROUP=ROLE_ID>"]),
        (&["grant", "--help"], &["<ID> <GROUP> <ROLE>", "keep all other roles"]),
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

fn run(command: &mut Command) -> Output {
    command.output().expect("the example runs")
}
