//! The example without a Stytch account, and with the environment of one: then it builds its
//! client with `Client::from_env`.

use std::process::{Command, Output};

use stytch_sso_external::testing::{LoggedIn, Stytch};

use crate::support::child;

#[test]
fn example_shows_an_update_and_a_denial_without_an_account() {
    let output =
        run(Command::new(child::example("update_connection")).env_remove("STYTCH_PROJECT_ID"));
    let stdout = String::from_utf8(output.stdout).unwrap();
    for part in [
        "in-process fake of Stytch",
        "name         Acme Okta\n",
        "all members  editor\n",
        "name         Acme Okta (Europe)\n",
        "all members  no roles\n",
        "groups       it-admins -> stytch_admin, engineering -> editor\n",
        "action       update\n",
        "resource     stytch.sso\n",
        "request id   request-id-test-",
        "still named  Acme Okta (Europe)\n",
    ] {
        assert!(stdout.contains(part), "{part:?} isn't in\n{stdout}");
    }
}

#[test]
fn example_updates_the_connection_of_the_environment() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let connection = acme.connection_builder("Acme Okta").roles(&["stytch_member"]).create();
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let arguments = [
        connection.id(),
        "--display-name",
        "Renamed",
        "--clear-roles",
        "--group-role",
        "it=admins=stytch_admin",
    ];
    let output = run(against(&stytch, &ada).args(arguments));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let state = connection.state();
    assert_eq!(state.display_name, "Renamed");
    assert_eq!(state.external_connection_implicit_role_assignments, Some(vec![]));
    let groups = state.external_group_implicit_role_assignments.unwrap();
    assert_eq!(
        (groups[0].group.as_str(), groups[0].role_id.as_str()),
        ("it=admins", "stytch_admin")
    );
}

#[test]
fn missing_variable_is_named() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &[]).log_in();
    for (variable, expected) in
        [("STYTCH_SECRET", "STYTCH_SECRET"), ("STYTCH_SESSION_JWT", "STYTCH_SESSION_JWT")]
    {
        let output =
            run(against(&stytch, &ada).env_remove(variable).arg("external-connection-test-1"));
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(expected));
    }
}

#[test]
fn help_explains_the_arguments() {
    let output = run(Command::new(child::example("update_connection")).arg("--help"));
    let stdout = String::from_utf8(output.stdout).unwrap();
    for part in [
        "STYTCH_PROJECT_ID",
        "STYTCH_SESSION_JWT",
        "--display-name <NAME>",
        "--group-role <GROUP=ROLE_ID>",
    ] {
        assert!(stdout.contains(part), "{part:?} isn't in\n{stdout}");
    }
}

fn against(stytch: &Stytch, member: &LoggedIn) -> Command {
    let mut command = Command::new(child::example("update_connection"));
    command
        .env("STYTCH_PROJECT_ID", stytch.project_id())
        .env("STYTCH_SECRET", stytch.secret())
        .env("STYTCH_BASE_URL", stytch.base_url())
        .env("STYTCH_SESSION_JWT", member.fresh_jwt());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the example runs")
}
