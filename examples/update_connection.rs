//! Lists, shows and edits external SSO connections as the logged-in member.
//!
//! Without the environment variable `STYTCH_PROJECT_ID` it needs no Stytch account: it starts an
//! in-process fake of Stytch and calls it over HTTP. With it, it works on the connections of that
//! project; see `--help`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]
#![allow(clippy::doc_markdown, reason = "clap prints doc comments without rendering them")]

use std::{env, process::ExitCode};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use stytch_sso_external::{
    Client, Error, MemberClient, Operation, Outcome, Session,
    testing::{Organization, Stytch},
    types::{ExternalConnection, UpdateExternalConnectionRequest},
};

/// Lists, shows and edits external SSO connections as the logged-in member.
///
/// Without STYTCH_PROJECT_ID in the environment and without a command it runs a demo
/// against an in-process fake of Stytch.
///
/// The commands read STYTCH_PROJECT_ID, STYTCH_SECRET and a member's session in
/// STYTCH_SESSION_JWT or STYTCH_SESSION_TOKEN. The organization comes from the session.
#[derive(Parser)]
#[command(name = "update_connection")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// List the external connections of the member's organization
    List,

    /// Show one connection, and whether the member may update it
    Show {
        /// The id of the external connection
        id: String,
    },

    /// Change the name of a connection, or replace a list of its roles
    Update {
        /// The id of the external connection
        id: String,
        #[command(flatten)]
        changes: Changes,
    },

    /// Grant a role to one more group, and keep all other roles
    Grant {
        /// The id of the external connection
        id: String,
        /// The name of the group at the identity provider
        group: String,
        /// The id of the role
        role: String,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Changes {
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

    /// Revoke every role that applies to all members
    #[arg(long, conflicts_with = "roles")]
    clear_roles: bool,

    /// Revoke the roles for groups
    #[arg(long, conflicts_with = "group_roles")]
    clear_group_roles: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match (Arguments::parse().command, env::var_os("STYTCH_PROJECT_ID")) {
        (Some(command), _) => match member() {
            Ok(member) => run(command, &member).await,
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        },
        (None, None) => show_with_fake().await,
        (None, Some(_)) => {
            let message = "STYTCH_PROJECT_ID is set: a command is required";
            Arguments::command().error(ErrorKind::MissingSubcommand, message).exit()
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if error.outcome() != Outcome::NotApplied {
                eprintln!(
                    "The update may have been applied: show the connection before you retry."
                );
            }
            ExitCode::FAILURE
        }
    }
}

/// The job against an in-process fake of Stytch: see the connections, check the permission, edit.
async fn show_with_fake() -> Result<(), Error> {
    let stytch = Stytch::start();
    println!("STYTCH_PROJECT_ID is not set: using an in-process fake of Stytch.\n");
    let acme = organization(&stytch);
    let connection = acme
        .connection_builder("Acme Okta")
        .roles(&["editor"])
        .group_roles(&[("it-admins", "stytch_admin")])
        .create();
    let client = stytch.client();
    let log_in = |name, role| {
        let session = Session::jwt(acme.member(name, &[role]).log_in().jwt());
        client.as_member(session)
    };
    let (ada, bob) = (log_in("ada", "stytch_admin"), log_in("bob", "sso_viewer"));

    println!("The connections of the organization acme:");
    run(Command::List, &ada).await?;

    println!("\nMay they edit connections?");
    for (name, member) in [("Ada", &ada), ("Bob", &bob)] {
        print!("  {name}:         ");
        print_permission(member).await?;
    }

    let grant = |group: &str| Command::Grant {
        id: connection.id().to_owned(),
        group: group.to_owned(),
        role: "editor".to_owned(),
    };
    println!("\nAda grants the role editor to the group engineering:");
    run(grant("engineering"), &ada).await?;

    println!("\nBob tries the same for the group sales:");
    let Err(denied) = run(grant("sales"), &bob).await else {
        unreachable!("the fake enforces permissions");
    };
    println!("  error:       {denied}");
    println!("  outcome:     {:?}", denied.outcome());
    print!("  permission:  ");
    print_permission(&bob).await
}

/// Creates an organization with roles to grant and with roles for SSO.
fn organization(stytch: &Stytch) -> Organization {
    stytch.role("editor", &[("document", &["read", "write"])]);
    stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    let acme = stytch.organization("acme");
    acme.role("sso_manager", &[("stytch.sso", &["get", "update"])]);
    acme
}

async fn run(command: Command, member: &MemberClient) -> Result<(), Error> {
    match command {
        Command::List => {
            let connections = member.connections().await?.external_connections;
            if connections.is_empty() {
                println!("  no external connections");
            }
            connections.iter().for_each(print_connection);
        }
        Command::Show { id } => {
            print_connection(&member.connection(&id).await?);
            print!("  may update:  ");
            // Advice, which the connection is shown without.
            if let Err(error) = print_permission(member).await {
                println!("unknown ({error})");
            }
        }
        Command::Update { id, changes } => {
            let updated = member.update_connection(&id, &changes.into()).await?;
            print_connection(&updated.connection);
            println!("  request id:  {}", updated.request_id);
        }
        Command::Grant { id, group, role } => {
            let edited = member.edit_connection(&id, |edit| edit.grant_group_role(group, role));
            print_connection(&edited.await?);
        }
    }
    Ok(())
}

fn print_connection(connection: &ExternalConnection) {
    let all_members = connection.external_connection_implicit_role_assignments.as_ref();
    let all_members =
        all_members.map(|roles| roles.iter().map(|role| role.role_id.clone()).collect());
    let groups = connection.external_group_implicit_role_assignments.as_ref();
    let groups = groups.map(|roles| {
        roles.iter().map(|role| format!("{} -> {}", role.group, role.role_id)).collect()
    });
    println!("  {}", connection.connection_id);
    println!("  name:        {}", connection.display_name);
    println!("  all members: {}", list(all_members));
    println!("  groups:      {}", list(groups));
}

fn list(roles: Option<Vec<String>>) -> String {
    match roles {
        None => "unknown".to_owned(),
        Some(roles) if roles.is_empty() => "no roles".to_owned(),
        Some(roles) => roles.join(", "),
    }
}

async fn print_permission(member: &MemberClient) -> Result<(), Error> {
    // A grant reads the connection, too.
    let to_edit = [Operation::GetConnections, Operation::UpdateExternalConnection];
    let verdict = member.check_permissions(to_edit).await?;
    if verdict.authorized {
        println!("yes, by {}", verdict.granting_roles.join(", "));
    } else if verdict.sufficient_roles.is_empty() {
        println!("no; no role would allow it");
    } else {
        println!("no; roles that would allow it: {}", verdict.sufficient_roles.join(", "));
    }
    Ok(())
}

/// Builds the member's client from environment variables.
fn member() -> Result<MemberClient, Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let session = match (variable("STYTCH_SESSION_JWT"), variable("STYTCH_SESSION_TOKEN")) {
        (Some(jwt), _) => Session::jwt(jwt),
        (_, Some(token)) => Session::token(token),
        _ => {
            return Err(
                "set STYTCH_SESSION_JWT or STYTCH_SESSION_TOKEN to a member's session".into()
            );
        }
    };
    Ok(client.as_member(session))
}

impl From<Changes> for UpdateExternalConnectionRequest {
    fn from(changes: Changes) -> Self {
        let mut update = Self { display_name: changes.display_name, ..Self::default() };
        if changes.clear_roles || !changes.roles.is_empty() {
            update = update.connection_roles(changes.roles);
        }
        if changes.clear_group_roles || !changes.group_roles.is_empty() {
            update = update.group_roles(changes.group_roles);
        }
        update
    }
}

fn group_role(argument: &str) -> Result<(String, String), String> {
    let (group, role_id) = argument.rsplit_once('=').ok_or("expected GROUP=ROLE_ID")?;
    Ok((group.to_owned(), role_id.to_owned()))
}
