//! Outages that the default retries outlast. In real time: the waits are what is tested.

use std::{net::SocketAddr, sync::OnceLock, time::Duration};

use futures_util::future::join_all;
use stytch_sso_external::{
    Client, Error, Operation, Session,
    testing::{Fault, Stytch},
    types::UpdateExternalConnectionRequest,
};
use tokio::time::{Instant, sleep};

use crate::support::{
    fast_time::accelerate,
    scripted_project,
    scripted_server::{Request, ScriptedServer},
    steps::{self, Step, Steps},
    wait::until,
};

const UPDATES: usize = 100;

#[tokio::test]
async fn a_hundred_updates_outlast_503_of_up_to_a_second() {
    let outages = [50, 100, 200, 500, 1_000].map(|outage| async move {
        let stytch = Stytch::start();
        let acme = stytch.organization("acme");
        let connection = acme.connection("Acme Okta");
        let ada = acme.member("ada", &["stytch_admin"]).log_in();
        let client = stytch.client();
        client.warm_up().await.unwrap();
        let member = client.as_member(Session::jwt(ada.jwt()));
        let update = UpdateExternalConnectionRequest::default().display_name("Renamed");

        let fault = stytch.fault(Operation::UpdateExternalConnection, Fault::status(503));
        let updates = (0..UPDATES).map(|_| member.update_connection(connection.id(), &update));
        let clear = async {
            // On a loaded machine the first update may arrive late.
            until(|| fault.hits() > 0).await;
            sleep(Duration::from_millis(outage)).await;
            fault.clear();
        };
        let (updates, ()) = tokio::join!(join_all(updates), clear);
        let failed: Vec<_> = updates.into_iter().filter_map(Result::err).collect();
        assert!(failed.is_empty(), "{} of {UPDATES} in {outage} ms: {}", failed.len(), failed[0]);
        assert_eq!(stytch.accepted(), UPDATES as u64, "{outage} ms");
    });
    join_all(outages).await;
}

#[tokio::test]
async fn a_hundred_updates_outlast_resets_of_a_second() {
    let began = OnceLock::new();
    let server = ScriptedServer::start(move |request, before| {
        let is_update = request.method == "PUT";
        if is_update && began.get_or_init(Instant::now).elapsed() < Duration::from_secs(1) {
            vec![Step::Reset]
        } else {
            successful(request, before)
        }
    });
    let server = server.await;
    accelerate();
    let failed = failures(&client(&server.url())).await;
    assert!(failed.is_empty(), "{}: {}", failed.len(), failed[0]);
    assert!(server.count("PUT") > UPDATES, "nothing was reset");
}

#[tokio::test]
async fn a_hundred_updates_outlast_a_closed_port_for_a_second() {
    // Bound, so that nobody else gets the port, but not listening: connecting fails.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let client = client(&format!("http://{}", socket.local_addr().unwrap()));
    accelerate();
    let listen = async {
        sleep(Duration::from_secs(1)).await;
        ScriptedServer::start_on(socket.listen(1_024).unwrap(), successful)
    };
    let (failed, server) = tokio::join!(failures(&client), listen);
    assert!(failed.is_empty(), "{}: {}", failed.len(), failed[0]);
    assert_eq!(server.count("PUT"), UPDATES);
}

fn client(base_url: &str) -> Client {
    Client::builder(scripted_project::PROJECT, scripted_project::SECRET)
        .base_url(base_url)
        .build()
        .unwrap()
}

fn successful(request: &Request, before: usize) -> Steps {
    match request.method.as_str() {
        "GET" => scripted_project::successful_jwks(request, before),
        "POST" => scripted_project::successful_authenticate(request, before),
        _ => steps::json(200, &scripted_project::updated()),
    }
}

async fn failures(client: &Client) -> Vec<Error> {
    let updates = join_all((0..UPDATES).map(|_| scripted_project::update(client))).await;
    updates.into_iter().filter_map(Result::err).collect()
}
