//! The signals that end the service. It completes the requests in flight; how long they may take
//! is for the process supervisor to decide: longer than the client's operation timeout of 25 s.

use std::io;

use tokio::signal;

/// Registers for ctrl-c and, on Unix, SIGTERM. The future completes at the first of them.
pub(crate) fn signalled() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = signal::ctrl_c().await;
        tracing::info!("shutting down: completing the requests in flight");
    })
}
