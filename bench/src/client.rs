//! The near end: one and the same update, made in different ways.

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

/// A way to make the update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bare reqwest with everything prepared: the floor.
    Floor,
    /// The generated client, without the handwritten layer but its hooks.
    Bindings,
    /// Ours, with a JWT seen before.
    JwtSeen,
    /// The same, with as many updates in flight as there are callers.
    JwtSeenUnbounded,
    /// The same, where each update takes the session out of the headers of a request that
    /// came in.
    JwtIncoming,
    /// Ours, with a token seen before.
    TokenSeen,
    /// Ours, with another JWT for each update.
    JwtFirst,
    /// Ours, with another token for each update: authenticates, then updates.
    TokenFirst,
    /// The official crate's update, which has no session.
    Official,
    /// The official crate: authenticates the session, then updates.
    OfficialJob,
}

impl Kind {
    /// All of them, the floor first.
    pub const ALL: [Self; 10] = [
        Self::Floor,
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
            Self::Floor => "floor",
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

    /// What it stands for in a table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Floor => "bare reqwest, all prepared (the floor)",
            Self::Bindings => "generated client, JWT as a parameter",
            Self::JwtSeen => "ours, JWT seen before",
            Self::JwtSeenUnbounded => "ours, JWT seen before, as many in flight as callers",
            Self::JwtIncoming => "ours, JWT seen before, out of a request's headers",
            Self::TokenSeen => "ours, token seen before",
            Self::JwtFirst => "ours, JWT first sight",
            Self::TokenFirst => "ours, token first sight (two requests)",
            Self::Official => "`stytch` crate, update without a session",
            Self::OfficialJob => "`stytch` crate, the job (two requests)",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("there is no client named {name}").into())
    }
}

/// How much a client has to do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many callers there are at a time.
    pub concurrency: usize,
    /// How many updates they make in all.
    pub updates: usize,
}

/// Makes the updates and tells what they took.
pub async fn run(kind: Kind, port: u16, folder: &Folder, load: Load) -> Result<Usage> {
    let base = format!("http://127.0.0.1:{port}");
    match kind {
        Kind::Floor => {
            let floor = Floor::new(&base, &folder.read("jwt")?)?;
            measure(load, move |_| floor.clone().update()).await
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

/// Our client against the server at `base`.
pub fn ours(base: &str, max_in_flight: usize) -> Result<Client> {
    Ok(Client::builder(PROJECT, SECRET).base_url(base).max_in_flight(max_in_flight).build()?)
}

/// As a service does it: for each request that it handles a client that acts as the member,
/// and one update.
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

/// The update as our callers write it.
pub fn update() -> Arc<UpdateExternalConnectionRequest> {
    let update = UpdateExternalConnectionRequest::default()
        .display_name(DISPLAY_NAME)
        .connection_roles([ROLE])
        .group_roles([(GROUP, ROLE)]);
    Arc::new(update)
}

/// Bare reqwest: URL, headers and body prepared, the answer read and thrown away.
#[derive(Clone, Debug)]
pub struct Floor {
    http: reqwest::Client,
    url: Url,
    authorization: HeaderValue,
    session: HeaderValue,
    body: Bytes,
}

impl Floor {
    /// Prepares all that can be.
    pub fn new(base: &str, jwt: &str) -> Result<Self> {
        let url = format!("{base}/v1/b2b/sso/external/{ORGANIZATION}/connections/{CONNECTION}");
        let mut session = HeaderValue::from_str(jwt)?;
        session.set_sensitive(true);
        let mut authorization = HeaderValue::from_str(&format!("Basic {}", basic()))?;
        authorization.set_sensitive(true);
        Ok(Self {
            // What ours sends and may take, too; no proxy, as ours has none on loopback.
            http: reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .timeout(Duration::from_secs(15))
                .no_proxy()
                .build()?,
            url: Url::parse(&url)?,
            authorization,
            session,
            body: update_body().into(),
        })
    }

    /// Makes the update.
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

/// The official crate. Its client takes a base URL, plain http too.
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
        let answer = self.sessions.authenticate(request).await?;
        self.update_in(answer.member_session.organization_id).await
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

/// Has `concurrency` tasks make the updates between them, after a warm-up that opens the
/// connections.
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
                // A task that asks too late takes nothing, not even a number.
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
/// How many updates ours has in flight unless told otherwise.
const DEFAULT_IN_FLIGHT: usize = 64;
