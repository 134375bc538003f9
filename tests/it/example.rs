//! The example as a newcomer runs it, and as it runs with an environment: with that, it makes
//! its client by `Client::from_env`.

use std::process::{Command, Output};

use stytch_sso_external::testing::{LoggedIn, Stytch};

use crate::support::service;

#[test]
fn example_shows_an_update_and_a_refusal_without_an_account() {
    let output =
        run(Command::new(service::example("update_connection")).env_remove("STYTCH_PROJECT_ID"));
    let said = String::from_utf8(output.stdout).unwrap();
    for part in [
        "stand-in for Stytch",
        "name         Acme Okta\n",
        "everybody    editor\n",
        "name         Acme Okta (Europe)\n",
        "everybody    no roles\n",
        "groups       it-admins -> stytch_admin, engineering -> editor\n",
        "action       update\n",
        "resource     stytch.sso\n",
        "request id   request-id-test-",
        "still named  Acme Okta (Europe)\n",
    ] {
        assert!(said.contains(part), "{part:?} isn't in\n{said}");
    }
}

#[test]
fn example_updates_the_connection_that_the_environment_leads_to() {
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
    for (variable, said) in
        [("STYTCH_SECRET", "STYTCH_SECRET"), ("STYTCH_SESSION_JWT", "STYTCH_SESSION_JWT")]
    {
        let output =
            run(against(&stytch, &ada).env_remove(variable).arg("external-connection-test-1"));
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(said));
    }
}

#[test]
fn help_explains_the_arguments() {
    let output = run(Command::new(service::example("update_connection")).arg("--help"));
    let said = String::from_utf8(output.stdout).unwrap();
    for part in [
        "STYTCH_PROJECT_ID",
        "STYTCH_SESSION_JWT",
        "--display-name <NAME>",
        "--group-role <GROUP=ROLE_ID>",
    ] {
        assert!(said.contains(part), "{part:?} isn't in\n{said}");
    }
}

fn against(stytch: &Stytch, member: &LoggedIn) -> Command {
    let mut command = Command::new(service::example("update_connection"));
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
