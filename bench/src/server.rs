//! The far end: answers with the captured samples, as fast as hyper can.

use std::{
    convert::Infallible,
    io::Write as _,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::{Result, fixtures::Folder};

struct Answers {
    keys: Bytes,
    update: Bytes,
    /// The answer about a session, in two parts: the end of its JWT comes in between.
    session: (String, String),
    authenticated: AtomicU64,
    /// How long an update takes.
    delay: Duration,
}

/// Listens on loopback, prints the port, and answers until the process is killed.
pub async fn serve(folder: &Folder, delay: Duration) -> Result<()> {
    let (session, jwt) = (folder.read("authenticate.json")?, folder.read("jwt")?);
    let (before, after) = session.split_once(&jwt).ok_or("the answer has no JWT")?;
    // The last character stays, as base64 has rules for it.
    let (jwt, last) = jwt.split_at(jwt.len() - 1);
    let jwt = jwt.get(..jwt.len() - NUMBER).ok_or("the JWT is too short")?;
    let answers = Arc::new(Answers {
        keys: folder.read("jwks.json")?.into(),
        update: folder.read("update.json")?.into(),
        session: (format!("{before}{jwt}"), format!("{last}{after}")),
        authenticated: AtomicU64::new(0),
        delay,
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &answers));
            // A client that goes away is none of the server's business.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: &Answers,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let method = request.method().clone();
    // What is left unread would close the connection.
    let _ = request.into_body().collect().await;
    let body = match method {
        Method::PUT => {
            if !answers.delay.is_zero() {
                tokio::time::sleep(answers.delay).await;
            }
            answers.update.clone()
        }
        Method::POST => {
            // A renewed JWT is another one each time; nobody checks its signature.
            let number = answers.authenticated.fetch_add(1, Ordering::Relaxed);
            let (before, after) = &answers.session;
            format!("{before}{number:0NUMBER$}{after}").into()
        }
        _ => answers.keys.clone(),
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// How many characters near the end of a JWT are replaced by a number.
const NUMBER: usize = 12;
