//! A web service in which members edit External SSO connections, for you to copy from.
//!
//! Without `STYTCH_PROJECT_ID` in the environment it needs no account: it starts a stand-in
//! for Stytch in this process, and prints what to try. With it, it serves the members of that
//! project, whose sessions come in Stytch's cookies or headers.
//!
//! `routes.rs` is the service, `problem.rs` what a failure looks like to a caller. Logging in
//! isn't here: Stytch's frontend SDKs do that.

#![allow(clippy::print_stdout, reason = "it is for people to read")]
#![allow(clippy::doc_markdown, reason = "clap prints the doc comments as they are")]

mod connection;
mod cookie;
mod origin;
mod page;
mod problem;
mod record;
mod routes;
mod shutdown;
mod stand_in;

use std::{
    env,
    error::Error as StdError,
    io::{self, IsTerminal},
    net::SocketAddr,
    sync::Arc,
};

use clap::Parser;
use stytch_sso_external::Client;
use tokio::net::TcpListener;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{origin::Origin, routes::Service, shutdown::Shutdown, stand_in::StandIn};

/// A web service in which members edit External SSO connections.
///
/// Run without STYTCH_PROJECT_ID in the environment, it works on a stand-in for Stytch in
/// this process. With STYTCH_PROJECT_ID and STYTCH_SECRET, it serves the members of that
/// project. RUST_LOG says what is logged, `info` unless set.
#[derive(Parser)]
struct Arguments {
    /// The address to listen on; port 0 takes one that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// The origin at which browsers reach it, such as https://sso.example.com. It may be left
    /// out where the address is one of this machine's loopback
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let arguments = Arguments::parse();
    start_logging();
    let stand_in = env::var_os("STYTCH_PROJECT_ID").is_none().then(StandIn::start);
    let client = match &stand_in {
        Some(stand_in) => stand_in.client(),
        None => Client::from_env()?,
    };

    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let origin = Origin::new(arguments.origin.as_deref(), address)?;
    // From here on a signal is noticed, so that who reads the lines below may send one.
    let shutdown = Shutdown::prepare()?;
    println!("Listening on http://{address}");
    if let Some(stand_in) = &stand_in {
        stand_in.print_what_to_try(&origin);
    }

    let service = Service { client, origin: Arc::new(origin), stand_in: stand_in.map(Arc::new) };
    shutdown.serve(listener, routes::router(service)).await?;
    Ok(())
}

fn start_logging() {
    let wanted = env::var("RUST_LOG").ok().filter(|wanted| !wanted.is_empty());
    let wanted: Option<Targets> = wanted.and_then(|wanted| wanted.parse().ok());
    let wanted = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // What the stand-in is made of logs requests as they are, credentials included.
    let wanted = wanted.with_target("httpmock", LevelFilter::WARN);
    let to_stderr = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(to_stderr.with_filter(wanted)).init();
}
