//! Serves until a signal, then completes the requests in flight.

use std::{io, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, signal, sync::oneshot, time};

/// The signals that end the service: ctrl-c and, on Unix, SIGTERM.
pub(crate) struct Shutdown {
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl Shutdown {
    /// Registers for the signals.
    pub(crate) fn prepare() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: signal::unix::signal(signal::unix::SignalKind::terminate())?,
        })
    }

    /// Serves until a signal, and returns after all requests are completed.
    pub(crate) async fn serve(self, listener: TcpListener, router: Router) -> io::Result<()> {
        let (start_grace, grace_started) = oneshot::channel();
        let signalled = async move {
            self.signalled().await;
            tracing::info!("shutting down: completing the requests in flight");
            let _ = start_grace.send(());
        };
        // A client that never completes its request must not keep the process alive.
        let overdue = async {
            if grace_started.await.is_err() {
                std::future::pending::<()>().await;
            }
            time::sleep(GRACE).await;
        };
        tokio::select! {
            served = axum::serve(listener, router).with_graceful_shutdown(signalled) => served,
            () = overdue => {
                tracing::warn!("some requests did not complete in time and are aborted");
                Ok(())
            }
        }
    }

    #[cfg(unix)]
    async fn signalled(mut self) {
        tokio::select! {
            _ = signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn signalled(self) {
        let _ = signal::ctrl_c().await;
    }
}

/// Longer than the client's operation timeout, so that every update in flight can complete.
const GRACE: Duration = Duration::from_secs(35);
