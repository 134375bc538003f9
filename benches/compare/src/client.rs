//! The clients: the same update, sent in different ways.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::Url;
use stytch::b2b::{sessions, sso, sso_external};
use stytch_sso_external::{Client, Session, types::UpdateExternalConnectionRequest};
use tokio::task::JoinSet;

use crate::{
    Result,
    fixtures::{
        CONNECTION, DISPLAY_NAME, Folder, GROUP, ORGANIZATION, PROJECT, ROLE, SECRET, TOKEN,
        update_body,
    },
    process::{Usage, usage},
};

/// A client to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bare reqwest with default settings and everything prepared: the baseline.
    Bare,
    /// The same with a timeout and a user agent, as this crate sets them.
    BareTimeout,
    /// The generated client with its hooks, without the handwritten layer.
    Bindings,
    /// This crate, with a cached JWT.
    JwtSeen,
    /// The same, with `max_in_flight` set to the number of callers.
    JwtSeenUnbounded,
    /// The same, where each update reads the session from the headers of an incoming request.
    JwtIncoming,
    /// This crate, with a cached token.
    TokenSeen,
    /// This crate, with another JWT for each update.
    JwtFirst,
    /// This crate, with another token for each update: authenticates, then updates.
    TokenFirst,
    /// The `stytch` crate's update, which has no session.
    Official,
    /// The `stytch` crate: authenticates the session, then updates.
    OfficialJob,
}

impl Kind {
    /// All clients, the baseline first.
    pub const ALL: [Self; 11] = [
        Self::Bare,
        Self::BareTimeout,
        Self::Bindings,
        Self::JwtSeen,
        Self::JwtSeenUnbounded,
        Self::JwtIncoming,
        Self::TokenSeen,
        Self::JwtFirst,
        Self::TokenFirst,
        Self::Official,
        Self::OfficialJob,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::BareTimeout => "bare-timeout",
            Self::Bindings => "bindings",
            Self::JwtSeen => "jwt-seen",
            Self::JwtSeenUnbounded => "jwt-seen-unbounded",
            Self::JwtIncoming => "jwt-incoming",
            Self::TokenSeen => "token-seen",
            Self::JwtFirst => "jwt-first",
            Self::TokenFirst => "token-first",
            Self::Official => "official",
            Self::OfficialJob => "official-job",
        }
    }

    /// Its title in a table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare reqwest, default settings (baseline)",
            Self::BareTimeout => "bare reqwest, timeout and user agent",
            Self::Bindings => "generated client, JWT as a parameter",
            Self::JwtSeen => "this crate, cached JWT",
            Self::JwtSeenUnbounded => "this crate, cached JWT, max_in_flight = callers",
            Self::JwtIncoming => "this crate, cached JWT, read from request headers",
            Self::TokenSeen => "this crate, cached token",
            Self::JwtFirst => "this crate, new JWT",
            Self::TokenFirst => "this crate, new token (two requests)",
            Self::Official => "`stytch` crate, update without a session",
            Self::OfficialJob => "`stytch` crate, authenticate and update (two requests)",
        }
    }

    /// Finds a client by its name.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("unknown client {name}").into())
    }
}

/// The load of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The number of concurrent callers.
    pub concurrency: usize,
    /// The number of updates in total.
    pub updates: usize,
}

/// Sends the updates and returns what they took.
pub async fn run(kind: Kind, port: u16, folder: &Folder, load: Load) -> Result<Usage> {
    let base = format!("http://127.0.0.1:{port}");
    match kind {
        Kind::Bare | Kind::BareTimeout => {
            let http = if kind == Kind::Bare { reqwest::Client::new() } else { with_timeout()? };
            let bare = Bare::new(http, &base, &folder.read("jwt")?)?;
            measure(load, move |_| bare.clone().update()).await
        }
        Kind::Bindings => {
            let (client, update) = (ours(&base, DEFAULT_IN_FLIGHT)?, update());
            let jwt: Arc<str> = folder.read("jwt")?.into();
            measure(load, move |_| {
                let (client, update, jwt) = (client.clone(), Arc::clone(&update), Arc::clone(&jwt));
                async move {
                    let jwt = Some(&*jwt);
                    client
                        .bindings()
                        .update_external_connection(ORGANIZATION, CONNECTION, None, jwt, &update)
                        .await
                        .map_err(|error| error.to_string())?;
                    Ok(())
                }
            })
            .await
        }
        Kind::JwtSeen | Kind::JwtSeenUnbounded => {
            let bounded = kind == Kind::JwtSeen;
            let in_flight = if bounded { DEFAULT_IN_FLIGHT } else { load.concurrency };
            let session = Session::jwt(folder.read("jwt")?);
            updates(load, ours(&base, in_flight)?, move |_| session.clone()).await
        }
        Kind::JwtIncoming => {
            let mut headers = HeaderMap::new();
            headers.insert(JWT_HEADER, HeaderValue::from_str(&folder.read("jwt")?)?);
            let nobody = || Session::token("");
            let session = move |_| Session::from_headers(&headers).unwrap_or_else(nobody);
            updates(load, ours(&base, DEFAULT_IN_FLIGHT)?, session).await
        }
        Kind::TokenSeen => {
            let session = Session::token(TOKEN);
            updates(load, ours(&base, DEFAULT_IN_FLIGHT)?, move |_| session.clone()).await
        }
        Kind::JwtFirst => {
            let (jwts, warm) = (folder.lines("fresh")?, folder.read("jwt")?);
            let warm_ups = warm_ups(load);
            let session = move |n: usize| {
                let fresh = n.checked_sub(warm_ups).and_then(|n| jwts.get(n));
                Session::jwt(fresh.map_or(&*warm, String::as_str))
            };
            updates(load, ours(&base, DEFAULT_IN_FLIGHT)?, session).await
        }
        Kind::TokenFirst => {
            let session = |n| Session::token(format!("{TOKEN}{n}"));
            updates(load, ours(&base, DEFAULT_IN_FLIGHT)?, session).await
        }
        Kind::Official => {
            let official = Official::new(&base)?;
            measure(load, move |_| official.clone().update()).await
        }
        Kind::OfficialJob => {
            let (official, jwt) = (Official::new(&base)?, Arc::new(folder.read("jwt")?));
            measure(load, move |_| official.clone().job(Arc::clone(&jwt))).await
        }
    }
}

/// Builds this crate's client for the server at `base`.
pub fn ours(base: &str, max_in_flight: usize) -> Result<Client> {
    Ok(Client::builder(PROJECT, SECRET).base_url(base).max_in_flight(max_in_flight).build()?)
}

/// Like a service: for each request that it handles, a member client and one update.
async fn updates(
    load: Load,
    client: Client,
    session: impl Fn(usize) -> Session + Send + Sync + 'static,
) -> Result<Usage> {
    client.warm_up().await?;
    let update = update();
    measure(load, move |n| {
        let (client, session, update) = (client.clone(), session(n), Arc::clone(&update));
        async move {
            client.as_member(session).update_connection(CONNECTION, &update).await?;
            Ok(())
        }
    })
    .await
}

/// The update as a caller writes it.
pub fn update() -> Arc<UpdateExternalConnectionRequest> {
    let update = UpdateExternalConnectionRequest::default()
        .display_name(DISPLAY_NAME)
        .connection_roles([ROLE])
        .group_roles([(GROUP, ROLE)]);
    Arc::new(update)
}

/// A client with the user agent and timeout that this crate sets; no proxy, as on loopback.
pub fn with_timeout() -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().user_agent(USER_AGENT);
    Ok(builder.timeout(Duration::from_secs(10)).no_proxy().build()?)
}

/// Bare reqwest: URL, headers and body prepared, the response read and discarded.
#[derive(Clone, Debug)]
pub struct Bare {
    http: reqwest::Client,
    url: Url,
    authorization: HeaderValue,
    session: HeaderValue,
    body: Bytes,
}

impl Bare {
    /// Prepares the request.
    pub fn new(http: reqwest::Client, base: &str, jwt: &str) -> Result<Self> {
        let url = format!("{base}/v1/b2b/sso/external/{ORGANIZATION}/connections/{CONNECTION}");
        let mut session = HeaderValue::from_str(jwt)?;
        session.set_sensitive(true);
        let mut authorization = HeaderValue::from_str(&format!("Basic {}", basic()))?;
        authorization.set_sensitive(true);
        let (url, body) = (Url::parse(&url)?, update_body().into());
        Ok(Self { http, url, authorization, session, body })
    }

    /// Sends the update.
    pub async fn update(self) -> Result<()> {
        let request = self
            .http
            .put(self.url)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(AUTHORIZATION, self.authorization)
            .header(JWT_HEADER, self.session)
            .body(self.body);
        let response = request.send().await?.error_for_status()?;
        response.bytes().await?;
        Ok(())
    }
}

/// The `stytch` crate. Its client accepts a base URL, also with plain http.
#[derive(Clone)]
struct Official {
    external: Arc<sso_external::External>,
    sessions: Arc<sessions::Sessions>,
}

impl Official {
    fn new(base: &str) -> Result<Self> {
        let http = stytch::client::Client::new_with_base_url(
            PROJECT,
            SECRET,
            Url::parse(base)?,
            stytch::client::Vertical::B2B,
        )?;
        Ok(Self {
            external: Arc::new(sso_external::External::new(http.clone())),
            sessions: Arc::new(sessions::Sessions::new(http)),
        })
    }

    async fn update(self) -> Result<()> {
        self.update_in(ORGANIZATION.to_owned()).await
    }

    async fn job(self, jwt: Arc<String>) -> Result<()> {
        let request = sessions::AuthenticateRequest {
            session_jwt: Some((*jwt).clone()),
            ..Default::default()
        };
        let response = self.sessions.authenticate(request).await?;
        self.update_in(response.member_session.organization_id).await
    }

    async fn update_in(self, organization_id: String) -> Result<()> {
        let request = sso_external::UpdateConnectionRequest {
            organization_id,
            connection_id: CONNECTION.to_owned(),
            display_name: Some(DISPLAY_NAME.to_owned()),
            external_connection_implicit_role_assignments: Some(vec![
                sso::ConnectionImplicitRoleAssignment { role_id: ROLE.to_owned() },
            ]),
            external_group_implicit_role_assignments: Some(vec![
                sso::GroupImplicitRoleAssignment {
                    role_id: ROLE.to_owned(),
                    group: GROUP.to_owned(),
                },
            ]),
        };
        self.external.update_connection(request).await?;
        Ok(())
    }
}

/// Sends the updates from `concurrency` tasks, after a warm-up that opens the connections.
async fn measure<F>(
    load: Load,
    update: impl Fn(usize) -> F + Send + Sync + 'static,
) -> Result<Usage>
where
    F: Future<Output = Result<()>> + Send,
{
    let (update, next) = (Arc::new(update), Arc::new(AtomicUsize::new(0)));
    let drive = |until: usize| {
        let mut tasks = JoinSet::new();
        for _ in 0..load.concurrency {
            let (update, next) = (Arc::clone(&update), Arc::clone(&next));
            tasks.spawn(async move {
                // A task that finds no update left takes no number.
                while let Ok(n) = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                    (n < until).then_some(n + 1)
                }) {
                    update(n).await?;
                }
                Ok(())
            });
        }
        finish(tasks)
    };
    let warm_ups = warm_ups(load);
    drive(warm_ups).await?;
    let (before, began) = (usage()?, Instant::now());
    drive(warm_ups + load.updates).await?;
    Ok(Usage { cpu: usage()?.saturating_sub(before), wall: began.elapsed() })
}

async fn finish(mut tasks: JoinSet<Result<()>>) -> Result<()> {
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

fn warm_ups(load: Load) -> usize {
    if load.updates < 1000 { load.concurrency * 2 } else { load.concurrency * 2 + 1000 }
}

fn basic() -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(format!("{PROJECT}:{SECRET}"))
}

const JWT_HEADER: &str = "x-stytch-member-sessionjwt";
const USER_AGENT: &str = "stytch-sso-external/0.1.0";
/// The default `max_in_flight`.
const DEFAULT_IN_FLIGHT: usize = 64;
