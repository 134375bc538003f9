//! Updates an external SSO connection as the logged-in member.
//!
//! Without the environment variable `STYTCH_PROJECT_ID` it needs no Stytch account: it starts an
//! in-process fake of Stytch and calls it over HTTP. With it, it updates a connection of that
//! project; see `--help`.

#![allow(clippy::print_stdout, reason = "a command-line program")]
#![allow(clippy::doc_markdown, reason = "clap prints doc comments without rendering them")]

use std::{env, error::Error as StdError};

use clap::Parser;
use stytch_sso_external::{
    Client, Error, Session,
    testing::{Connection, Stytch},
    types::{ExternalConnection, UpdateExternalConnectionRequest},
};

/// Updates an external SSO connection as the logged-in member.
///
/// Without STYTCH_PROJECT_ID in the environment it shows an update and a denial against an
/// in-process fake of Stytch and ignores all arguments. With STYTCH_PROJECT_ID, STYTCH_SECRET
/// and a session in STYTCH_SESSION_JWT or STYTCH_SESSION_TOKEN, it updates a connection of that
/// project. The organization comes from the session.
#[derive(Parser)]
struct Arguments {
    /// The id of the external connection to update
    connection_id: Option<String>,

    /// The new display name
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,

    /// A role for all members who log in through the connection; can be repeated. Replaces all
    /// of these roles
    #[arg(long = "role", value_name = "ROLE_ID")]
    roles: Vec<String>,

    /// A role for the members of a group; can be repeated. Replaces all of these roles
    #[arg(long = "group-role", value_name = "GROUP=ROLE_ID", value_parser = group_role)]
    group_roles: Vec<(String, String)>,

    /// Revoke the roles for all members
    #[arg(long, conflicts_with = "roles")]
    clear_roles: bool,

    /// Revoke the roles for groups
    #[arg(long, conflicts_with = "group_roles")]
    clear_group_roles: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let arguments = Arguments::parse();
    if env::var_os("STYTCH_PROJECT_ID").is_some() {
        update_at_stytch(arguments).await
    } else {
        show_with_fake().await
    }
}

async fn show_with_fake() -> Result<(), Box<dyn StdError>> {
    let stytch = Stytch::start();
    println!("STYTCH_PROJECT_ID is not set: using an in-process fake of Stytch");
    println!("at {}.\n", stytch.base_url());

    let acme = stytch.organization("acme");
    stytch.role("editor", &[("document", &["read", "write"])]);
    let connection = acme
        .connection_builder("Acme Okta")
        .roles(&["editor"])
        .group_roles(&[("it-admins", "stytch_admin")])
        .create();
    let client = stytch.client();

    println!("Before");
    print_connection(&connection.state());

    let update = UpdateExternalConnectionRequest::default()
        .display_name("Acme Okta (Europe)")
        .clear_connection_roles()
        .group_roles([("it-admins", "stytch_admin"), ("engineering", "editor")]);

    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let response = client
        .as_member(Session::jwt(ada.jwt()))
        .update_connection(connection.id(), &update)
        .await?;
    println!("\nAda is an admin. She renames the connection, revokes the roles for all members");
    println!("and adds a role for a group:");
    println!("  request id   {}", response.request_id);
    print_connection(&response.connection);

    let bob = acme.member("bob", &[]).log_in();
    let denied =
        client.as_member(Session::jwt(bob.jwt())).update_connection(connection.id(), &update).await;
    println!("\nBob has no role that grants this permission. The same call with his session:");
    print_denial(denied.map(|_| ()), &connection);
    Ok(())
}

fn print_denial(result: Result<(), Error>, connection: &Connection) {
    match result {
        Err(error @ Error::PermissionDenied { action, resource, .. }) => {
            println!("  error        {error}");
            println!("  action       {action}");
            println!("  resource     {resource}");
            println!("  request id   {}", error.request_id().unwrap_or("none"));
            println!("  outcome      {:?}", error.outcome());
        }
        other => println!("  unexpected   {other:?}"),
    }
    println!("  still named  {}", connection.state().display_name);
}

fn print_connection(connection: &ExternalConnection) {
    let all_members = connection.external_connection_implicit_role_assignments.iter().flatten();
    let all_members: Vec<_> = all_members.map(|role| role.role_id.as_str()).collect();
    let groups = connection.external_group_implicit_role_assignments.iter().flatten();
    let groups: Vec<_> = groups.map(|role| format!("{} -> {}", role.group, role.role_id)).collect();
    println!("  name         {}", connection.display_name);
    println!("  all members  {}", or_none(all_members.join(", ")));
    println!("  groups       {}", or_none(groups.join(", ")));
}

fn or_none(list: String) -> String {
    if list.is_empty() { "no roles".to_owned() } else { list }
}

async fn update_at_stytch(arguments: Arguments) -> Result<(), Box<dyn StdError>> {
    let Some(connection_id) = arguments.connection_id else {
        return Err("the connection id is missing: see --help".into());
    };
    let session = match (env::var("STYTCH_SESSION_JWT"), env::var("STYTCH_SESSION_TOKEN")) {
        (Ok(jwt), _) => Session::jwt(jwt),
        (_, Ok(token)) => Session::token(token),
        _ => {
            return Err(
                "set STYTCH_SESSION_JWT or STYTCH_SESSION_TOKEN to a member's session".into()
            );
        }
    };
    let mut update = UpdateExternalConnectionRequest {
        display_name: arguments.display_name,
        ..UpdateExternalConnectionRequest::default()
    };
    if arguments.clear_roles || !arguments.roles.is_empty() {
        update = update.connection_roles(arguments.roles);
    }
    if arguments.clear_group_roles || !arguments.group_roles.is_empty() {
        update = update.group_roles(arguments.group_roles);
    }
    let member = Client::from_env()?.as_member(session);
    let response = member.update_connection(&connection_id, &update).await?;
    println!("Updated ({}):", response.request_id);
    print_connection(&response.connection);
    Ok(())
}

fn group_role(argument: &str) -> Result<(String, String), String> {
    let (group, role_id) = argument.rsplit_once('=').ok_or("expected GROUP=ROLE_ID")?;
    Ok((group.to_owned(), role_id.to_owned()))
}
