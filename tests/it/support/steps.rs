//! The steps of a scripted, possibly misbehaving response.

use std::{iter::repeat_n, time::Duration};

use bytes::Bytes;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// One step of a response.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sends these bytes at once.
    Send(Bytes),
    /// Sends these bytes one by one, with a pause before each.
    Drip(Bytes, Duration),
    /// Sends the same bytes until this many are sent or the client stops reading.
    Flood(Bytes, usize),
    /// Waits for this time.
    Wait(Duration),
    /// Waits until the client closes the connection.
    Hang,
    /// Closes the connection.
    Close,
    /// Resets the connection, which discards the data that the client hasn't read.
    Reset,
}

/// The steps of a response, in order. Without [`Step::Close`] or [`Step::Reset`] at the end the
/// connection serves the next request.
pub(crate) type Steps = Vec<Step>;

/// How a connection goes on after a response.
pub(crate) enum After {
    Serve,
    Close,
    Reset,
}

/// Performs the steps of a response. Calls `sent` with the number of bytes after each write.
pub(crate) async fn perform<S>(steps: Steps, stream: &mut S, mut sent: impl FnMut(usize)) -> After
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for step in steps {
        let was_sent = match step {
            Step::Send(bytes) => send(stream, [&bytes[..]], Duration::ZERO, &mut sent).await,
            Step::Drip(bytes, pause) => send(stream, bytes.chunks(1), pause, &mut sent).await,
            Step::Flood(bytes, total) => {
                let parts = repeat_n(&bytes[..], total.div_ceil(bytes.len()));
                send(stream, parts, Duration::ZERO, &mut sent).await
            }
            Step::Wait(time) => {
                tokio::time::sleep(time).await;
                true
            }
            Step::Hang => {
                while matches!(stream.read(&mut [0; 64]).await, Ok(read) if read > 0) {}
                false
            }
            Step::Close => false,
            Step::Reset => return After::Reset,
        };
        if !was_sent {
            return After::Close;
        }
    }
    After::Serve
}

/// Sends all parts, with a pause before each. Returns whether the client has read them.
async fn send<'a, S: AsyncWrite + Unpin>(
    stream: &mut S,
    parts: impl IntoIterator<Item = &'a [u8]>,
    pause: Duration,
    sent: &mut impl FnMut(usize),
) -> bool {
    for part in parts {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if stream.write_all(part).await.is_err() || stream.flush().await.is_err() {
            return false;
        }
        sent(part.len());
    }
    true
}

/// A complete response with these headers, each terminated by CRLF.
pub(crate) fn http(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Steps {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    vec![Step::Send([head.as_bytes(), body].concat().into())]
}

/// A redirect to another location.
pub(crate) fn redirect(status: u16, location: &str) -> Steps {
    http(status, &format!("location: {location}\r\n"), "")
}

/// A JSON response that is longer by some bytes than what is sent of it.
pub(crate) fn truncated(status: u16, missing: usize, body: &str) -> Steps {
    let length = body.len() + missing;
    let head = format!("HTTP/1.1 {status} X\r\n{JSON}content-length: {length}\r\n\r\n{body}");
    vec![Step::Send(head.into()), Step::Close]
}

/// A complete JSON response.
pub(crate) fn json(status: u16, body: &impl Serialize) -> Steps {
    http(status, JSON, serde_json::to_vec(body).unwrap())
}

/// A complete HTML response, as gateways return it.
pub(crate) fn html(status: u16) -> Steps {
    http(status, "content-type: text/html\r\n", HTML)
}

pub(crate) const JSON: &str = "content-type: application/json\r\n";
pub(crate) const HTML: &str = "<html><body><h1>It's not you, it's us</h1></body></html>";
