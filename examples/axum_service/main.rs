//! A web service with which members edit External SSO connections, as a template.
//!
//! Without the environment variable `STYTCH_PROJECT_ID` it needs no Stytch account: it starts an
//! in-process fake of Stytch and prints commands to run. With it, it serves the members of that
//! project and reads their sessions from Stytch's cookies or headers.
//!
//! `routes.rs` is the service, `member.rs` is the member who sends a request, `problem.rs` maps
//! errors to responses. Login is not a part of it: Stytch's frontend SDKs do that.

#![allow(clippy::print_stdout, reason = "a command-line program")]
#![allow(clippy::doc_markdown, reason = "clap prints doc comments without rendering them")]

mod cookie;
mod edit;
mod fake;
mod member;
mod origin;
mod page;
mod problem;
mod record;
mod routes;
mod shutdown;

use std::{env, error::Error as StdError, io, net::SocketAddr, sync::Arc};

use clap::Parser;
use stytch_sso_external::Client;
use tokio::net::TcpListener;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{fake::Fake, origin::Origin, routes::Service};

/// A web service with which members edit External SSO connections.
///
/// Without STYTCH_PROJECT_ID in the environment it uses an in-process fake of Stytch. With
/// STYTCH_PROJECT_ID and STYTCH_SECRET it serves the members of that project. RUST_LOG sets the
/// log levels (default: info).
#[derive(Parser)]
struct Arguments {
    /// The address to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// The origin of the service in browsers, such as https://sso.example.com. Optional if the
    /// address is a loopback address
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// Where members log in: the page links to it when a session has ended
    #[arg(long, value_name = "URL")]
    login_url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let arguments = Arguments::parse();
    start_logging();
    let uses_fake = env::var_os("STYTCH_PROJECT_ID").is_none();
    if uses_fake && !arguments.listen.ip().is_loopback() {
        let reason = "the fake listens on loopback addresses only, since its login requires no \
                      credentials: set STYTCH_PROJECT_ID and STYTCH_SECRET";
        return Err(reason.into());
    }
    let fake = uses_fake.then(Fake::start);
    let client = match &fake {
        Some(fake) => fake.client(),
        None => Client::from_env()?,
    };

    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let origin = Origin::new(arguments.origin.as_deref(), address)?;
    // Before the lines below are printed, so that a script that reads them may send a signal.
    let signalled = shutdown::signalled()?;
    println!("Listening on http://{address}");
    if let Some(fake) = &fake {
        fake.print_commands(&origin);
    }

    let (origin, fake) = (Arc::new(origin), fake.map(Arc::new));
    let service = Service { client, origin, fake, login_url: arguments.login_url };
    let serve = axum::serve(listener, routes::router(service));
    serve.with_graceful_shutdown(signalled).await?;
    Ok(())
}

fn start_logging() {
    let wanted = env::var("RUST_LOG").ok().filter(|wanted| !wanted.is_empty());
    let wanted = wanted.and_then(|wanted| wanted.parse().ok());
    let wanted = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // The fake's HTTP server logs whole requests, including credentials.
    let wanted = wanted.with_target("httpmock", LevelFilter::WARN);
    let to_stderr = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    tracing_subscriber::registry().with(to_stderr.with_filter(wanted)).init();
}
