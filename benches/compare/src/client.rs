//! The clients: the same update, sent in different ways.

use std::{
    array,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use stytch::b2b::{
    sessions::{AuthenticateRequest, Sessions},
    sso_external::{External, UpdateConnectionRequest},
};
use stytch_sso_external::{Client, Session, types::UpdateExternalConnectionRequest};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    Result,
    project::{CONNECTION, ORGANIZATION, PROJECT, SECRET},
};

/// The clients, by name and title. The baseline comes first.
pub const CLIENTS: [(&str, &str); 7] = [
    ("bare", "bare reqwest, default settings (baseline)"),
    ("cached", "this crate, cached JWT"),
    ("unbounded", "this crate, cached JWT, `max_in_flight` = callers"),
    ("headers", "this crate, cached JWT, read from request headers"),
    ("new", "this crate, new JWT"),
    ("stytch", "`stytch` crate, update without a session"),
    ("stytch-both", "`stytch` crate, authenticate and update (two requests)"),
];
/// The default `max_in_flight`.
pub const DEFAULT_IN_FLIGHT: usize = 64;

/// The load of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The number of concurrent callers.
    pub callers: usize,
    /// The `max_in_flight` of this crate.
    pub in_flight: usize,
    /// The number of updates before the measurement, which open the connections.
    pub warm_ups: usize,
    /// The number of updates.
    pub updates: usize,
}

/// Reads what is measured: the figures are the differences during the updates.
pub type Meter<const N: usize> = fn() -> Result<[i64; N]>;

/// Sends the updates, and returns their figures. Only a client with another credential for each
/// update uses more than the first, which is for all warm-ups.
pub async fn run<const N: usize>(
    client: &str,
    base_url: &str,
    credentials: Vec<String>,
    load: Load,
    meter: Meter<N>,
) -> Result<[i64; N]> {
    let jwt = credentials[0].clone();
    let session = Session::jwt(&*jwt);
    let index = move |n: usize| (n + 1).saturating_sub(load.warm_ups);
    match client {
        "bare" => {
            let bare = Bare::new(base_url, &jwt)?;
            measure(load, meter, move |_| bare.clone().update()).await
        }
        "bare-bounded" => {
            let (bare, permits) = (Bare::new(base_url, &jwt)?, Semaphore::new(load.in_flight));
            let permits = Arc::new(permits);
            let update = move |_| {
                let (bare, permits) = (bare.clone(), Arc::clone(&permits));
                async move {
                    let _permit = permits.acquire().await?;
                    bare.update().await
                }
            };
            measure(load, meter, update).await
        }
        "cached" | "unbounded" => updates(load, meter, base_url, move |_| session.clone()).await,
        "headers" => {
            let headers = HeaderMap::from_iter([(JWT_HEADER.parse()?, jwt.parse()?)]);
            let session = move |_| Session::from_headers(&headers).expect("a session");
            updates(load, meter, base_url, session).await
        }
        "new" => {
            let session = move |n| Session::jwt(&*credentials[index(n)]);
            updates(load, meter, base_url, session).await
        }
        "new-token" => {
            let session = move |n| Session::token(&*credentials[index(n)]);
            updates(load, meter, base_url, session).await
        }
        "stytch" => {
            let official = Official::new(base_url)?;
            measure(load, meter, move |_| official.clone().update()).await
        }
        "stytch-both" => {
            let official = Official::new(base_url)?;
            let update = move |_| official.clone().authenticate_and_update(jwt.clone());
            measure(load, meter, update).await
        }
        _ => Err(format!("unknown client {client}").into()),
    }
}

/// The update as a caller writes it.
fn update() -> UpdateExternalConnectionRequest {
    UpdateExternalConnectionRequest::default()
        .display_name("Acme Okta (external)")
        .connection_roles(["editor"])
        .group_roles([("it-admins", "editor")])
}

/// Like a service: for each request that it handles, a member client and one update.
async fn updates<const N: usize>(
    load: Load,
    meter: Meter<N>,
    base_url: &str,
    session: impl Fn(usize) -> Session + Send + Sync + 'static,
) -> Result<[i64; N]> {
    let builder = Client::builder(PROJECT, SECRET).base_url(base_url).max_in_flight(load.in_flight);
    // On a busy machine, thousands of connections at once take longer than the default timeouts.
    let client = builder.attempt_timeout(MINUTE).operation_timeout(MINUTE).build()?;
    client.warm_up().await?;
    let update = Arc::new(update());
    measure(load, meter, move |n| {
        let (client, session, update) = (client.clone(), session(n), Arc::clone(&update));
        async move {
            client.as_member(session).update_connection(CONNECTION, &update).await?;
            Ok(())
        }
    })
    .await
}

/// Bare reqwest: URL, headers and body prepared, the response read and discarded.
#[derive(Clone)]
struct Bare {
    http: reqwest::Client,
    url: Url,
    authorization: HeaderValue,
    session: HeaderValue,
    body: Bytes,
}

impl Bare {
    fn new(base_url: &str, jwt: &str) -> Result<Self> {
        let url = format!("{base_url}/v1/b2b/sso/external/{ORGANIZATION}/connections/{CONNECTION}");
        let basic = BASE64_STANDARD.encode(format!("{PROJECT}:{SECRET}"));
        Ok(Self {
            http: reqwest::Client::new(),
            url: url.parse()?,
            authorization: format!("Basic {basic}").parse()?,
            session: jwt.parse()?,
            body: serde_json::to_vec(&update())?.into(),
        })
    }

    async fn update(self) -> Result<()> {
        let request = self
            .http
            .put(self.url)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(AUTHORIZATION, self.authorization)
            .header(JWT_HEADER, self.session)
            .body(self.body);
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }
}

/// The `stytch` crate. Its client accepts a base URL, also with plain http.
#[derive(Clone)]
struct Official {
    external: Arc<External>,
    sessions: Arc<Sessions>,
    update: UpdateConnectionRequest,
}

impl Official {
    fn new(base_url: &str) -> Result<Self> {
        let (url, vertical) = (base_url.parse()?, stytch::client::Vertical::B2B);
        let http = stytch::client::Client::new_with_base_url(PROJECT, SECRET, url, vertical)?;
        let mut update = serde_json::to_value(update())?;
        update["organization_id"] = ORGANIZATION.into();
        update["connection_id"] = CONNECTION.into();
        Ok(Self {
            external: Arc::new(External::new(http.clone())),
            sessions: Arc::new(Sessions::new(http)),
            update: serde_json::from_value(update)?,
        })
    }

    async fn update(self) -> Result<()> {
        self.external.update_connection(self.update).await?;
        Ok(())
    }

    async fn authenticate_and_update(mut self, jwt: String) -> Result<()> {
        let request = AuthenticateRequest { session_jwt: Some(jwt), ..Default::default() };
        let response = self.sessions.authenticate(request).await?;
        self.update.organization_id = response.member_session.organization_id;
        self.update().await
    }
}

/// Sends the updates from one task for each caller.
async fn measure<const N: usize, F>(
    load: Load,
    meter: Meter<N>,
    update: impl Fn(usize) -> F + Send + Sync + 'static,
) -> Result<[i64; N]>
where
    F: Future<Output = Result<()>> + Send,
{
    let update = Arc::new(update);
    let drive = async |numbers: Range<usize>| {
        let (mut tasks, next) = (JoinSet::new(), Arc::new(AtomicUsize::new(numbers.start)));
        for _ in 0..load.callers.min(numbers.len()) {
            let (update, next) = (Arc::clone(&update), Arc::clone(&next));
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return Ok(());
                    }
                    update(number).await?;
                }
            });
        }
        tasks.join_all().await.into_iter().collect::<Result<()>>()
    };
    drive(0..load.warm_ups).await?;
    let before = meter()?;
    drive(load.warm_ups..load.warm_ups + load.updates).await?;
    let after = meter()?;
    Ok(array::from_fn(|n| after[n] - before[n]))
}

const MINUTE: Duration = Duration::from_secs(60);
const JWT_HEADER: &str = "x-stytch-member-sessionjwt";
