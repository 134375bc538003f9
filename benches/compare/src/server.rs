//! The server: responds with the captured samples, as fast as hyper can.

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

struct Responses {
    keys: Bytes,
    update: Bytes,
    /// The response of `sessions/authenticate`, in two parts: the end of its JWT is between them.
    session: (String, String),
    authenticated: AtomicU64,
    /// The delay of an update.
    delay: Duration,
}

/// Listens on loopback, prints the port, and serves until the process is killed.
pub async fn serve(folder: &Folder, delay: Duration) -> Result<()> {
    let (session, jwt) = (folder.read("authenticate.json")?, folder.read("jwt")?);
    let (before, after) = session.split_once(&jwt).ok_or("the response has no JWT")?;
    // The last character stays, because base64 restricts it.
    let (jwt, last) = jwt.split_at(jwt.len() - 1);
    let jwt = jwt.get(..jwt.len() - NUMBER).ok_or("the JWT is too short")?;
    let responses = Arc::new(Responses {
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
        let responses = Arc::clone(&responses);
        tokio::spawn(async move {
            let service = service_fn(|request| respond(request, &responses));
            // A client may close the connection at any time.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    responses: &Responses,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let method = request.method().clone();
    // An unread body would close the connection.
    let _ = request.into_body().collect().await;
    let body = match method {
        Method::PUT => {
            if !responses.delay.is_zero() {
                tokio::time::sleep(responses.delay).await;
            }
            responses.update.clone()
        }
        Method::POST => {
            // A renewed JWT differs each time; its signature is not verified.
            let number = responses.authenticated.fetch_add(1, Ordering::Relaxed);
            let (before, after) = &responses.session;
            format!("{before}{number:0NUMBER$}{after}").into()
        }
        _ => responses.keys.clone(),
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The number of characters near the end of a JWT that are replaced by a number.
const NUMBER: usize = 12;
