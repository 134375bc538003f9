//! The project's keys: fetched, kept, refreshed behind the calls that use them, and fetched
//! again for an unknown `kid`, but not for each.
//!
//! Only keys of the project's JWKS, and of them only RSA keys for RS256. A fetch that fails
//! leaves the keys that are held as they are.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    calls::Calls,
    clock::Clock,
    deadline::Deadline,
    error::{Error, Known},
    flight::{Flight, Flights},
    jwt::{Jwt, RS256, Rules, Verdict},
    retry,
    wire::Jwk,
};

/// The keys can't be fetched, so nobody can tell what a JWT is worth.
pub(crate) struct NoKeys;

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
    calls: Calls,
    settings: Settings,
    rules: Rules,
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
    pub(crate) fn new(calls: Calls, settings: Settings, base_url: &str) -> Self {
        let audience = calls.wire.project_id().to_owned();
        Self(Arc::new(Inner {
            rules: Rules {
                // A project reached through a custom domain signs with that as the issuer.
                issuers: [format!("stytch.com/{audience}"), base_url.to_owned()],
                audience,
                clock_skew: settings.clock_skew,
                expiry_margin: settings.expiry_margin,
            },
            calls,
            settings,
            held: Mutex::default(),
            flights: Flights::new(),
        }))
    }

    /// Checks a session JWT, with a fetch of the keys only where they are missing.
    pub(crate) async fn verify(&self, jwt: &str, deadline: Deadline) -> Result<Verdict, NoKeys> {
        let Some(jwt) = Jwt::read(jwt) else {
            return Ok(Verdict::Refused("isn't a JWT signed with RS256"));
        };
        match self.key(jwt.kid(), deadline).await {
            Ok(key) => Ok(jwt.verify(&key, &self.0.rules, self.0.calls.clock.now())),
            Err(NoKey::Unknown) => {
                Ok(Verdict::Refused("is signed with a key that isn't the project's"))
            }
            Err(NoKey::Unavailable) => Err(NoKeys),
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
            // Looked at once more: a flight may have landed since.
            Look::Missing => self
                .0
                .flights
                .join(&(), || matches!(self.look(kid), Look::Missing).then(|| self.flight())),
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
        let Inner { calls: Calls { clock, .. }, settings, .. } = &*self.0;
        let Some(keys) = self.0.held(|held| held.keys.clone()) else {
            return Look::Missing;
        };
        let age = age(clock, keys.fetched);
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
        let Inner { calls: Calls { clock, .. }, settings, flights, .. } = &*self.0;
        let mut refused = None;
        let flight = flights.join(&(), || {
            if self.0.held_key(kid).is_some() {
                return None;
            }
            self.0.held(|held| {
                if let Some((at, failed)) = held.refetched
                    && age(clock, at) < settings.cooldown
                {
                    refused = Some(if failed { NoKey::Unavailable } else { NoKey::Unknown });
                }
            });
            if refused.is_some() {
                return None;
            }
            let (keys, fetch) = (self.clone(), self.flight());
            Some(async move {
                // Only a fetch that ended counts: one whose callers are all gone told nothing.
                let fetched = fetch.await;
                let now = keys.0.calls.clock.now();
                keys.0.held(|held| held.refetched = Some((now, fetched.is_err())));
                fetched
            })
        });
        refused.map_or(Ok(flight), Err)
    }

    fn refresh_behind(&self) {
        let Inner { calls: Calls { clock, .. }, settings, .. } = &*self.0;
        let flight = self.0.flights.join(&(), || {
            let failed = self.0.held(|held| held.refresh_failed);
            let resting = failed.is_some_and(|at| age(clock, at) < settings.cooldown);
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
            let calls = &inner.calls;
            // Half of a call's time, so that the callers can still ask Stytch about their
            // sessions where the keys don't come.
            let deadline = Deadline::after(calls.deadline / 2);
            let began = calls.clock.now();
            let fetched = retry::run(&calls.policy, deadline, || calls.wire.jwks(deadline)).await;
            let set = fetched.and_then(|answer| KeySet::new(&answer.keys, began).map(Arc::new));
            inner.held(|held| match &set {
                Ok(keys) => {
                    held.keys = Some(Arc::clone(keys));
                    held.refresh_failed = None;
                    held.refetched.take_if(|(_, failed)| *failed);
                }
                Err(error) => {
                    tracing::warn!(%error, "the project's JWKS can't be fetched");
                    held.refresh_failed = Some(calls.clock.now());
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
}

/// A clock that went back tells no age: what it is about counts as very old.
fn age(clock: &Clock, at: SystemTime) -> Duration {
    clock.now().duration_since(at).unwrap_or(Duration::MAX)
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
            return Err(Error::UnexpectedResponse(Known::unusable(reason, None).into()));
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

const FETCHING: &str = "while fetching the project's JWKS";
