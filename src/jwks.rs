//! The project's keys, and the check of a session JWT against them.
//!
//! RS256 and nothing else, whatever the JWT's header asks for; only keys of the project's
//! JWKS. A JWT says nothing here until its signature holds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    clock::Clock,
    deadline::Deadline,
    error::{Error, Known, Said},
    flight::{Flight, Flights},
    retry::{self, RetryPolicy},
    segment::Segment,
    wire::{Jwk, Wire},
};

/// What a session JWT turned out to be.
pub(crate) enum Verdict {
    /// It holds, and this is what it says.
    Valid { organization: Segment, expires: SystemTime },
    /// All of it holds but its time is over.
    Expired,
    /// It isn't a JWT that Stytch signed for this project; why.
    Refused(&'static str),
    /// Nobody can tell, because the keys can't be fetched.
    NoKeys,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How old keys may be before a call that uses them has them refreshed behind it.
    pub(crate) fresh_for: Duration,
    /// How old keys may be at all.
    pub(crate) max_age: Duration,
    /// The time between two fetches that unknown `kid`s cause.
    pub(crate) cooldown: Duration,
    /// By how much the clocks here and at Stytch may differ.
    pub(crate) clock_skew: Duration,
    /// How long before its end a JWT counts as expired.
    pub(crate) expiry_margin: Duration,
}

/// The key set of one project. Clones share it.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Inner>);

struct Inner {
    wire: Arc<Wire>,
    policy: RetryPolicy,
    deadline: Duration,
    clock: Clock,
    settings: Settings,
    audience: String,
    issuers: [String; 2],
    held: Mutex<Held>,
    flights: Flights<(), Result<Arc<KeySet>, Error>>,
}

#[derive(Default)]
struct Held {
    keys: Option<Arc<KeySet>>,
    /// When an unknown `kid` last caused a fetch, and whether it failed.
    refetched: Option<(SystemTime, bool)>,
    /// When a refresh behind a call last failed.
    refresh_failed: Option<SystemTime>,
}

struct KeySet {
    by_kid: HashMap<String, ParsedPublicKey>,
    fetched: SystemTime,
}

type Fetch = Flight<Result<Arc<KeySet>, Error>>;

enum NoKey {
    Unknown,
    Unavailable,
}

impl Keys {
    pub(crate) fn new(
        wire: Arc<Wire>,
        policy: RetryPolicy,
        deadline: Duration,
        clock: Clock,
        settings: Settings,
        base_url: &str,
    ) -> Self {
        let audience = wire.project_id().to_owned();
        Self(Arc::new(Inner {
            // A project reached through a custom domain signs with that as the issuer.
            issuers: [format!("stytch.com/{audience}"), base_url.to_owned()],
            audience,
            wire,
            policy,
            deadline,
            clock,
            settings,
            held: Mutex::default(),
            flights: Flights::new(),
        }))
    }

    /// Checks a session JWT: form, algorithm, key and signature first, then what it claims.
    pub(crate) async fn verify(&self, jwt: &str, deadline: Deadline) -> Verdict {
        let Some(parts) = Parts::read(jwt) else {
            return Verdict::Refused("isn't a JWT signed with RS256");
        };
        let key = match self.key(&parts.kid, deadline).await {
            Ok(key) => key,
            Err(NoKey::Unknown) => {
                return Verdict::Refused("is signed with a key that isn't the project's");
            }
            Err(NoKey::Unavailable) => return Verdict::NoKeys,
        };
        if key.verify_sig(parts.signed, &parts.signature).is_err() {
            return Verdict::Refused("has a signature that doesn't hold");
        }
        match serde_json::from_slice(&parts.claims) {
            Ok(claims) => self.0.judge(&claims),
            Err(_) => Verdict::Refused("lacks claims that Stytch's session JWTs have"),
        }
    }

    /// Fetches the keys now, unless a fetch is under way already.
    pub(crate) async fn fetch(&self, deadline: Deadline) -> Result<(), Error> {
        match self.0.flights.join(&(), || Some(self.flight())) {
            Some(flight) => deadline.wait(FETCHING, flight).await?.map(|_| ()),
            None => Ok(()),
        }
    }

    async fn key(&self, kid: &str, deadline: Deadline) -> Result<ParsedPublicKey, NoKey> {
        let flight = match self.look(kid) {
            Look::Found(key) => return Ok(key),
            Look::Stale(key) => {
                self.refresh_behind();
                return Ok(key);
            }
            Look::Missing => self.0.flights.join(&(), || Some(self.flight())),
            Look::Unknown => self.refetch_for(kid)?,
        };
        let Some(flight) = flight else {
            // The set that just landed has it.
            return self.0.held_key(kid).ok_or(NoKey::Unknown);
        };
        let keys = deadline.wait(FETCHING, flight).await.and_then(|fetched| fetched);
        keys.map_err(|_| NoKey::Unavailable)?.by_kid.get(kid).cloned().ok_or(NoKey::Unknown)
    }

    fn look(&self, kid: &str) -> Look {
        let Inner { clock, settings, .. } = &*self.0;
        let Some(keys) = self.0.held(|held| held.keys.clone()) else {
            return Look::Missing;
        };
        let age = clock.now().duration_since(keys.fetched).unwrap_or_default();
        match keys.by_kid.get(kid) {
            _ if age >= settings.max_age => Look::Missing,
            None => Look::Unknown,
            Some(key) if age < settings.fresh_for => Look::Found(key.clone()),
            Some(key) => Look::Stale(key.clone()),
        }
    }

    /// A key that isn't in the set may have come since: one fetch finds out, but not one for
    /// each forged `kid`. `None` where the set that landed meanwhile has it.
    fn refetch_for(&self, kid: &str) -> Result<Option<Fetch>, NoKey> {
        let Inner { clock, settings, flights, .. } = &*self.0;
        let mut refused = None;
        let flight = flights.join(&(), || {
            if self.0.held_key(kid).is_some() {
                return None;
            }
            let now = clock.now();
            self.0.held(|held| {
                if let Some((at, failed)) = &held.refetched
                    && now.duration_since(*at).unwrap_or_default() < settings.cooldown
                {
                    refused = Some(if *failed { NoKey::Unavailable } else { NoKey::Unknown });
                    return None;
                }
                held.refetched = Some((now, false));
                Some(())
            })?;
            let (keys, fetch) = (self.clone(), self.flight());
            Some(async move {
                let fetched = fetch.await;
                keys.0.held(|held| held.refetched = Some((now, fetched.is_err())));
                fetched
            })
        });
        refused.map_or(Ok(flight), Err)
    }

    fn refresh_behind(&self) {
        let Inner { clock, settings, .. } = &*self.0;
        let flight = self.0.flights.join(&(), || {
            let now = clock.now();
            let failed = self.0.held(|held| held.refresh_failed);
            let resting = failed
                .is_some_and(|at| now.duration_since(at).unwrap_or_default() < settings.cooldown);
            (!resting).then(|| self.flight())
        });
        if let Some(flight) = flight {
            tokio::spawn(flight);
        }
    }

    /// One fetch with its retries. A failed one leaves the keys that are held as they are.
    fn flight(&self) -> impl Future<Output = Result<Arc<KeySet>, Error>> + Send + 'static {
        let keys = self.clone();
        async move {
            let inner = &*keys.0;
            // Half of a call's time, so that the callers can still ask Stytch about their
            // sessions where the keys don't come.
            let deadline = Deadline::after(inner.deadline / 2);
            let fetched = retry::run(&inner.policy, deadline, || inner.wire.jwks(deadline)).await;
            let set = fetched
                .and_then(|answer| KeySet::new(&answer.keys, inner.clock.now()).map(Arc::new));
            inner.held(|held| match &set {
                Ok(keys) => {
                    held.keys = Some(Arc::clone(keys));
                    held.refresh_failed = None;
                }
                Err(error) => {
                    tracing::warn!(%error, "the project's JWKS can't be fetched");
                    held.refresh_failed = Some(inner.clock.now());
                }
            });
            set
        }
    }
}

enum Look {
    Found(ParsedPublicKey),
    Stale(ParsedPublicKey),
    /// There is a set, without this key.
    Unknown,
    /// There is no set that may be used.
    Missing,
}

impl Inner {
    fn held<T>(&self, with: impl FnOnce(&mut Held) -> T) -> T {
        with(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn held_key(&self, kid: &str) -> Option<ParsedPublicKey> {
        self.held(|held| held.keys.as_ref()?.by_kid.get(kid).cloned())
    }

    fn judge(&self, claims: &Claims) -> Verdict {
        if !claims.aud.names(&self.audience) {
            return Verdict::Refused("is for another project");
        }
        if !self.issuers.contains(&claims.iss) {
            return Verdict::Refused("has an issuer that isn't Stytch");
        }
        let Ok(organization) = Segment::new(&claims.organization.organization_id) else {
            return Verdict::Refused("names no organization that can be used");
        };
        let Settings { clock_skew, expiry_margin, .. } = self.settings;
        let now = self.clock.now();
        let latest = now + clock_skew;
        let (Some(nbf), Some(iat), Some(expires)) =
            (instant(claims.nbf), instant(claims.iat), instant(claims.exp))
        else {
            return Verdict::Refused("has a time that is none");
        };
        if nbf > latest || iat > latest {
            return Verdict::Refused("isn't valid yet");
        }
        if expires <= now + expiry_margin {
            return Verdict::Expired;
        }
        Verdict::Valid { organization, expires }
    }
}

impl KeySet {
    fn new(jwks: &[Jwk], fetched: SystemTime) -> Result<Self, Error> {
        let mut by_kid = HashMap::new();
        for jwk in jwks {
            if let Some((kid, key)) = rs256_key(jwk) {
                by_kid.entry(kid).or_insert(key);
            }
        }
        if by_kid.is_empty() {
            let reason = "the project's JWKS has no RSA key of 2048 bits or more for RS256";
            return Err(Error::UnexpectedResponse(Known::unusable(reason, Said::default()).into()));
        }
        Ok(Self { by_kid, fetched })
    }
}

fn rs256_key(jwk: &Jwk) -> Option<(String, ParsedPublicKey)> {
    if jwk.kty.as_deref() != Some("RSA") || jwk.alg.as_deref().is_some_and(|alg| alg != RS256) {
        return None;
    }
    let number = |text: &Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    let (n, e) = (number(&jwk.n)?, number(&jwk.e)?);
    // The library checks the size when it verifies; too small a key must not take the kid.
    if n.len() < 2048 / 8 {
        return None;
    }
    let key =
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
    Some((jwk.kid.clone()?, key))
}

/// Reads when a JWT expires, believing it. For a JWT from Stytch's own hand only.
pub(crate) fn unverified_expiry(jwt: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Expiry {
        exp: u64,
    }

    let parts = Parts::read(jwt)?;
    let expiry: Expiry = serde_json::from_slice(&parts.claims).ok()?;
    instant(expiry.exp)
}

/// A JWT taken apart, with nothing in it believed yet.
struct Parts<'a> {
    kid: String,
    signed: &'a [u8],
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn read(jwt: &'a str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            kid: String,
            /// Extensions that must be understood. None is.
            crit: Option<IgnoredAny>,
        }

        let (signed, signature) = jwt.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if header.alg != RS256 || header.crit.is_some() {
            return None;
        }
        // A fourth segment would leave a dot in the claims, which isn't base64.
        Some(Self {
            kid: header.kid,
            signed: signed.as_bytes(),
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
    }
}

/// What Stytch's session JWTs claim. All of it has to be there, once.
#[derive(Deserialize)]
struct Claims {
    aud: Audience,
    iss: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(rename = "https://stytch.com/organization")]
    organization: OrganizationClaim,
    #[serde(rename = "https://stytch.com/session")]
    _session: SessionClaim,
}

#[derive(Deserialize)]
struct OrganizationClaim {
    organization_id: String,
}

#[derive(Deserialize)]
struct SessionClaim {
    #[serde(rename = "id")]
    _id: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, project_id: &str) -> bool {
        match self {
            Self::One(audience) => audience == project_id,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == project_id),
        }
    }
}

/// `None` for a time that no clock can show.
fn instant(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

const RS256: &str = "RS256";
const FETCHING: &str = "fetching the project's JWKS";
