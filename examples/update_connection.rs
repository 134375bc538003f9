//! Lists, shows and edits external SSO connections as the logged-in member: see `--help`.
//!
//! Without the environment variable `STYTCH_PROJECT_ID` it needs no Stytch account: it starts an
//! in-process fake of Stytch and calls it over HTTP.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]
#![allow(clippy::doc_markdown, reason = "clap prints doc comments without rendering them")]

use std::{env, error::Error as StdError, fmt, iter, process::ExitCode, sync::Mutex};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use stytch_sso_external::{
    Client, Error, MemberClient, Operation, Outcome, Session,
    testing::Stytch,
    types::{ExternalConnection, UpdateExternalConnectionRequest},
};
use tracing::{Subscriber, field, span};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// Lists, shows and edits external SSO connections as the logged-in member.
///
/// Without STYTCH_PROJECT_ID in the environment and without a command it runs a demo against an
/// in-process fake of Stytch.
///
/// Environment:
///   STYTCH_PROJECT_ID      The id of the project
///   STYTCH_SECRET          Its secret
///   STYTCH_BASE_URL        The project's custom domain, if it has one
///   STYTCH_SESSION_JWT     The member's session; the organization comes from it
///   STYTCH_SESSION_TOKEN   The same as a token, used if there is no JWT
///   HTTPS_PROXY, ALL_PROXY, NO_PROXY (or in lower case)
///                          A proxy, and the hosts to reach without it
///   SSL_CERT_FILE, SSL_CERT_DIR
///                          Certificates to trust in place of the system's
///
/// Exit codes:
///   0  Done
///   1  Failed, and nothing was changed
///   2  The arguments are invalid
///   3  Failed, but the update may have been applied
#[derive(Parser)]
#[command(name = "update_connection", verbatim_doc_comment)]
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
    Grant(GroupRole),
    /// Revoke a role of one group, and keep all other roles
    Revoke(GroupRole),
    /// Move a role from one group to another, and keep all other roles
    Move {
        #[command(flatten)]
        from: GroupRole,
        /// The name of the group that gets the role
        to: String,
    },
}

#[derive(Args)]
struct GroupRole {
    /// The id of the external connection
    id: String,
    /// The name of the group at the identity provider
    group: String,
    /// The id of the role
    role: String,
}

#[derive(Args)]
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
    tracing_subscriber::registry().with(RequestIds).init();
    let Err(error) = start(Arguments::parse().command).await else { return ExitCode::SUCCESS };
    eprint!("error: {error}");
    iter::successors(error.source(), |&cause| cause.source()).for_each(|it| eprint!(": {it}"));
    eprintln!();
    match error.downcast_ref().map(Error::outcome) {
        None | Some(Outcome::NotApplied) => ExitCode::FAILURE,
        Some(_) => {
            eprintln!("The update may have been applied: show the connection before you retry.");
            ExitCode::from(3)
        }
    }
}

async fn start(command: Option<Command>) -> Result<(), Box<dyn StdError>> {
    match (command, env::var_os("STYTCH_PROJECT_ID")) {
        (Some(command), _) => run(command, &member()?).await?,
        (None, None) => demo().await?,
        (None, Some(_)) => {
            let message = "STYTCH_PROJECT_ID is set: a command is required";
            Arguments::command().error(ErrorKind::MissingSubcommand, message).exit()
        }
    }
    Ok(())
}

/// The job against an in-process fake of Stytch: see the connections, check the permission, edit.
async fn demo() -> Result<(), Error> {
    let stytch = Stytch::start();
    println!("STYTCH_PROJECT_ID is not set: using an in-process fake of Stytch.\n");
    stytch.role("editor", &[("document", &["read", "write"])]);
    stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    stytch.role("sso_manager", &[("stytch.sso", &["get", "update"])]);
    let acme = stytch.organization("acme");
    let connection = acme.connection_builder("Acme Okta").roles(&["editor"]);
    let connection = connection.group_roles(&[("it-admins", "stytch_admin")]).create();
    let client = stytch.client();
    let log_in =
        |name, role| client.as_member(Session::jwt(acme.member(name, &[role]).log_in().jwt()));
    let (ada, bob) = (log_in("ada", "stytch_admin"), log_in("bob", "sso_viewer"));
    let id = || connection.id().to_owned();
    let grant = |group: &str| {
        Command::Grant(GroupRole { id: id(), group: group.to_owned(), role: "editor".to_owned() })
    };

    println!("The connections of the organization acme:");
    run(Command::List, &ada).await?;
    println!("\nAda, an admin, grants the role editor to the group engineering:");
    run(grant("engineering"), &ada).await?;
    println!("\nBob, who has the role sso_viewer, views the connection:");
    run(Command::Show { id: id() }, &bob).await?;
    println!("\nBob tries to grant the role editor to the group sales:");
    let Err(denied) = run(grant("sales"), &bob).await else {
        unreachable!("the fake enforces permissions");
    };
    println!("  error:       {denied}");
    println!("  outcome:     {:?}", denied.outcome());
    Ok(())
}

async fn run(command: Command, member: &MemberClient) -> Result<(), Error> {
    match command {
        Command::List => {
            let connections = member.connections().await?.external_connections;
            print_connections(&connections);
        }
        Command::Show { id } => {
            print_connections(&[member.connection(&id).await?]);
            print_permission(member).await;
        }
        Command::Update { id, changes } => {
            let updated = member.update_connection(&id, &changes.into()).await?;
            print_connections(&[updated.connection]);
        }
        Command::Grant(GroupRole { id, group, role }) => {
            let edited = member.edit_connection(&id, |edit| edit.grant_group_role(group, role));
            print_connections(&[edited.await?]);
        }
        Command::Revoke(GroupRole { id, group, role }) => {
            let edited = member.edit_connection(&id, |edit| edit.revoke_group_role(&group, &role));
            print_connections(&[edited.await?]);
        }
        Command::Move { from: GroupRole { id, group, role }, to } => {
            let mut is_held = false;
            let edited = member.edit_connection(&id, |edit| {
                is_held = edit.has_group_role(&group, &role);
                if is_held {
                    edit.revoke_group_role(&group, &role);
                    edit.grant_group_role(to, &*role);
                }
            });
            print_connections(&[edited.await?]);
            if !is_held {
                println!("  unchanged:   the group {group} doesn't have the role {role}");
            }
        }
    }
    Ok(())
}

/// Prints connections and the request id of the response.
fn print_connections(connections: &[ExternalConnection]) {
    if connections.is_empty() {
        println!("  no external connections");
    }
    for connection in connections {
        let roles = connection.external_connection_implicit_role_assignments.as_ref();
        let roles = roles.map(|roles| roles.iter().map(|role| role.role_id.clone()).collect());
        let groups = connection.external_group_implicit_role_assignments.as_ref();
        let groups = groups.map(|roles| {
            roles.iter().map(|role| format!("{} -> {}", role.group, role.role_id)).collect()
        });
        println!("  id:          {}", connection.connection_id);
        println!("  name:        {}", connection.display_name);
        println!("  all members: {}", list(roles));
        println!("  groups:      {}\n", list(groups));
    }
    let request_id = REQUEST_ID.lock().ok().and_then(|mut last| last.take());
    println!("  request id:  {}", request_id.as_deref().unwrap_or("unknown"));
}

fn list(roles: Option<Vec<String>>) -> String {
    match roles {
        None => "unknown".to_owned(),
        Some(roles) if roles.is_empty() => "none".to_owned(),
        Some(roles) => roles.join(", "),
    }
}

/// Prints whether the member may edit connections. Advice: an error is printed, too.
async fn print_permission(member: &MemberClient) {
    // An edit reads the connection, too.
    let to_edit = [Operation::GetConnections, Operation::UpdateExternalConnection];
    let (verdict, roles) = match member.check_permissions(to_edit).await {
        Ok(verdict) if verdict.authorized => ("yes, by", verdict.granting_roles),
        Ok(verdict) => ("no; roles that would allow it:", verdict.sufficient_roles),
        Err(error) => return println!("  may update:  unknown ({error})"),
    };
    println!("  may update:  {verdict} {}", list(Some(roles)));
}

/// Builds the member's client from environment variables.
fn member() -> Result<MemberClient, Box<dyn StdError>> {
    let client = Client::from_env()?;
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let jwt = variable("STYTCH_SESSION_JWT").map(Session::jwt);
    let session = jwt.or_else(|| variable("STYTCH_SESSION_TOKEN").map(Session::token));
    let missing = "set STYTCH_SESSION_JWT or STYTCH_SESSION_TOKEN to a member's session";
    Ok(client.as_member(session.ok_or(missing)?))
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

/// Keeps the request id of the last call, which the crate records in the call's span.
struct RequestIds;

impl<S: Subscriber> Layer<S> for RequestIds {
    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        values.record(&mut Self);
    }
}

impl field::Visit for RequestIds {
    fn record_str(&mut self, field: &field::Field, value: &str) {
        if let ("stytch.request_id", Ok(mut last)) = (field.name(), REQUEST_ID.lock()) {
            *last = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &field::Field, _: &dyn fmt::Debug) {}
}

static REQUEST_ID: Mutex<Option<String>> = Mutex::new(None);
