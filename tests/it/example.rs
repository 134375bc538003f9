//! The console example without a Stytch account, and with the environment of one: then it builds
//! its client with `Client::from_env`.

use std::{net::TcpListener, process::Command};

use crate::support::prelude::*;

/// Runs a command, and asserts its exit code and that it prints these parts: to stdout if it
/// succeeds, and else to stderr. Returns what it printed there.
#[track_caller]
fn assert_exits(code: i32, parts: &[&str], command: &mut Command) -> String {
    let output = command.output().expect("the example runs");
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    let printed = if code == 0 { stdout } else { stderr };
    for part in parts {
        assert!(printed.contains(part), "{part:?} isn't in\n{printed}");
    }
    printed
}

impl Acme {
    /// Returns the example with the environment of Ada.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = child::example_of("update_connection", &self.stytch);
        command.env("STYTCH_SESSION_JWT", self.ada.fresh_jwt()).args(arguments);
        command
    }

    /// Runs a command that succeeds. Each prints a request id.
    fn run(&self, arguments: &[&str]) -> String {
        assert_exits(0, &["  request id:  request-id-test-"], &mut self.command(arguments))
    }
}

#[test]
fn example_shows_the_main_job_without_an_account() {
    let parts = [
        "in-process fake of Stytch",
        "name:        Acme Okta\n",
        "all members: editor\n",
        "groups:      it-admins -> stytch_admin\n",
        "groups:      it-admins -> stytch_admin, engineering -> editor\n",
        "request id:  request-id-test-",
        "may update:  no; roles that would allow it: sso_manager, stytch_admin\n",
        "the action `update` on the resource `stytch.sso`",
        "outcome:     NotApplied\n",
    ];
    assert_exits(0, &parts, child::example("update_connection").env_remove("STYTCH_PROJECT_ID"));
}

#[test]
fn list_and_show_print_connections() {
    let acme = Acme::new();
    let _second = acme.organization.connection("Acme Entra");
    let listed = acme.run(&["list"]);
    let id = acme.connection.id();
    // A blank line between two connections.
    let [first, second, last] = listed.split("\n\n").collect::<Vec<_>>()[..] else {
        panic!("{listed}")
    };
    assert!(first.starts_with(&format!("  id:          {id}\n")), "{listed}");
    assert!(first.contains("\n  name:        Acme Okta\n"), "{listed}");
    assert!(second.contains("\n  name:        Acme Entra\n"), "{listed}");
    assert!(last.starts_with("  request id:  "), "{listed}");
    let shown = acme.run(&["show", id]);
    assert!(shown.ends_with("  may update:  yes, by stytch_admin\n"), "{shown}");
}

#[test]
fn update_replaces_the_lists_that_are_given() {
    let acme = Acme::new();
    let id = acme.connection.id();
    let group = ["--group-role", "it=admins=stytch_admin"];
    let arguments = ["update", id, "--display-name", "Renamed", "--clear-roles"];
    acme.run(&[&arguments[..], &group].concat());
    let state = acme.connection.state();
    assert_eq!(state.display_name, "Renamed");
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    assert!(state.has_group_role("it=admins", "stytch_admin"), "{state:?}");
}

#[test]
fn grant_revoke_and_move_keep_the_other_roles() {
    let acme = Acme::new();
    let edit = |command, group, to: &[&str]| {
        acme.run(&[&[command, acme.connection.id(), group, "stytch_member"], to].concat())
    };
    let groups = || {
        let state = acme.connection.state();
        assert!(state.has_role("stytch_member"));
        let groups = state.external_group_implicit_role_assignments.unwrap();
        groups.into_iter().map(|role| role.group).collect::<Vec<_>>()
    };
    edit("grant", "engineering", &[]);
    edit("grant", "sales", &[]);
    assert_eq!(groups(), ["engineering", "sales"]);
    let moved = edit("move", "sales", &["marketing"]);
    let line = "groups:      engineering -> stytch_member, marketing -> stytch_member\n";
    assert!(moved.contains(line), "{moved}");
    let unchanged = edit("move", "sales", &["support"]);
    let note = "  unchanged:   the group sales doesn't have the role stytch_member\n";
    assert!(unchanged.contains(line) && unchanged.ends_with(note), "{unchanged}");
    edit("revoke", "engineering", &[]);
    assert_eq!(groups(), ["marketing"]);
}

#[test]
fn failures_print_their_causes_and_exit_by_outcome() {
    let acme = Acme::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = acme.command(&["list"]);
    command.env("STYTCH_BASE_URL", format!("http://{closed}"));
    command.env_remove("STYTCH_SESSION_JWT").env("STYTCH_SESSION_TOKEN", acme.ada.token());
    let causes = ["connecting failed", ": tcp connect error"];
    let printed = assert_exits(1, &causes, &mut command);
    assert_eq!(printed.lines().count(), 1, "{printed}");

    let update = ["update", acme.connection.id(), "--display-name", "Renamed"];
    acme.fault(UPDATE, Fault::status(500).after_applying());
    assert_exits(3, &["may have been applied"], &mut acme.command(&update));
    assert_exits(2, &[], &mut acme.command(&["nonsense"]));
}

#[test]
fn missing_input_is_named() {
    let acme = Acme::new();
    for variable in ["STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_SESSION_JWT"] {
        assert_exits(1, &[variable], acme.command(&["list"]).env_remove(variable));
    }
    assert_exits(2, &["a command is required"], &mut acme.command(&[]));
    let nothing = ["update", acme.connection.id()];
    assert_exits(1, &["set a display name"], &mut acme.command(&nothing));
    let denied = acme.log_in("bob", &[]).fresh_jwt();
    let mut denied_list = acme.command(&["list"]);
    assert_exits(1, &["`stytch.sso`"], denied_list.env("STYTCH_SESSION_JWT", denied));
}

#[test]
fn help_explains_the_commands() {
    let all: &[&str] = &[
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
    for (arguments, parts) in [
        (&["--help"] as &[_], all),
        (&["update", "--help"], &["[OPTIONS] <ID>", "--group-role <GROUP=ROLE_ID>"]),
        (&["grant", "--help"], &["<ID> <GROUP> <ROLE>", "keep all other roles"]),
        (&["move", "--help"], &["<ID> <GROUP> <ROLE> <TO>", "keep all other roles"]),
    ] {
        assert_exits(0, parts, child::example("update_connection").args(arguments));
    }
}
