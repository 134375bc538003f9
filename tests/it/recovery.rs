//! Outages that the default retries outlast.

use std::{
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::support::prelude::*;

const UPDATES: usize = 20;

#[tokio::test]
async fn twenty_updates_outlast_an_outage_of_up_to_a_second() {
    accelerate();
    let unavailable = [50, 100, 200, 500, 1_000].map(|outage| ("503", html(503), outage));
    let reset = ("reset", vec![Step::Reset], 1_000);
    for (what, response, outage) in unavailable.into_iter().chain([reset]) {
        let (outage, began) = (Duration::from_millis(outage), OnceLock::new());
        let failed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&failed);
        let server = ScriptedServer::start(move |request: &Request, before| {
            let is_update = request.method == "PUT";
            if is_update && began.get_or_init(Instant::now).elapsed() < outage {
                count.fetch_add(1, Ordering::SeqCst);
                return response.clone();
            }
            successful(request, before)
        });
        let server = server.await;
        assert_all_succeed(&server.url(), &format!("{what} for {outage:?}")).await;
        let failed = failed.load(Ordering::SeqCst);
        assert!(failed > 0, "{what}: nothing failed");
        assert_eq!(server.count("PUT"), UPDATES + failed, "{what}: each is applied once");
    }
}

#[tokio::test]
async fn twenty_updates_outlast_a_closed_port_for_a_second() {
    // Bound, so that nobody else gets the port, but not listening: connecting fails.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    accelerate();
    let listen = async {
        sleep(Duration::from_secs(1)).await;
        ScriptedServer::start_on(socket.listen(1_024).unwrap(), successful)
    };
    let ((), server) = tokio::join!(assert_all_succeed(&url, "closed port"), listen);
    assert_eq!(server.count("PUT"), UPDATES);
}

/// Asserts that a client with the default retries succeeds with all updates.
async fn assert_all_succeed(base_url: &str, what: &str) {
    let client = Client::builder(PROJECT, SECRET);
    let client = client.base_url(base_url).build().unwrap();
    let updates = join_all((0..UPDATES).map(|_| update(&client))).await;
    let failed: Vec<Error> = updates.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{what}: {} failed: {}", failed.len(), failed[0]);
}
