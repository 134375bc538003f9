//! Serves until a signal comes, then finishes what has begun.

use std::{io, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, signal, sync::oneshot, time};

/// The signals that end the service: ctrl-c and, where there is one, SIGTERM.
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

    /// Serves, and returns when a signal came and all requests are answered.
    pub(crate) async fn serve(self, listener: TcpListener, router: Router) -> io::Result<()> {
        let (tell, told) = oneshot::channel();
        let signalled = async move {
            self.signalled().await;
            tracing::info!("shutting down: no new requests, those in hand are finished");
            let _ = tell.send(());
        };
        // A caller who never sends the rest of a request must not keep the process alive.
        let overdue = async {
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
            time::sleep(GRACE).await;
        };
        tokio::select! {
            served = axum::serve(listener, router).with_graceful_shutdown(signalled) => served,
            () = overdue => {
                tracing::warn!("some requests didn't end in time and are cut off");
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

/// Longer than the client's deadline, so that every update that has begun can end.
const GRACE: Duration = Duration::from_secs(35);
