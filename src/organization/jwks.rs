//! The project's keys: fetched, cached, refreshed in the background, and refetched for unknown
//! `kid`s at most once in each `jwks_min_refetch_interval`.
//!
//! Only keys of the project's JWKS, and of them only RSA keys for RS256. While a usable key set
//! is cached, a JWT with an unknown `kid` waits for a newer set and nothing is sent for it but
//! that fetch. A JWT with an invalid signature isn't worth a fetch, or forged ones would cause
//! many: a key that is replaced under the same `kid` is used once the keys are fetched again, after
//! five minutes or by [`Client::warm_up`](crate::Client::warm_up).

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

use super::jwt::{Jwt, RS256, Signed, Validation};
use crate::{
    call::CallContext,
    error::{Error, ErrorKind, Success},
    sync::{Clock, Deadline, MaxAge, RefreshingCache},
    wire::{
        Operation,
        types::{GetJwksResponse, Jwk},
    },
};

/// Why a JWT can't be verified.
pub(crate) enum VerifyError {
    /// The project didn't sign it for itself. The text completes "the session JWT …".
    Invalid(&'static str),
    /// No usable key set is cached, and none can be fetched in time.
    Unavailable,
    /// The cached key set lacks the key, and no newer one came. The call fails with this error.
    Undecided(Error),
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) max_age: MaxAge,
    /// The time between two fetches that unknown `kid`s cause.
    pub(crate) min_refetch_interval: Duration,
    /// The leeway for `iat` and `nbf`.
    pub(crate) leeway: Duration,
    /// How long before its end a JWT counts as expired.
    pub(crate) expiry_margin: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_age: MaxAge {
                fresh: Duration::from_secs(5 * 60),
                stale: Duration::from_secs(60 * 60),
            },
            min_refetch_interval: Duration::from_secs(5),
            leeway: Duration::from_secs(5),
            expiry_margin: Duration::from_secs(5),
        }
    }
}

/// The key set of one project. Clones share it.
#[derive(Clone)]
pub(crate) struct JwksCache(Arc<Inner>);

struct Inner {
    sets: RefreshingCache<Arc<KeySet>>,
    clock: Clock,
    waiting: Semaphore,
    validation: Validation,
}

/// The usable keys of a JWKS, by `kid`.
pub(crate) struct KeySet(HashMap<String, ParsedPublicKey>);

impl JwksCache {
    pub(crate) fn new(context: CallContext, settings: &Settings) -> Self {
        let audience = context.transport.project_id().to_owned();
        let base_url = &context.transport.config().base_url.text;
        let validation = Validation {
            // A project reached through a custom domain signs with that as the issuer.
            issuers: [format!("stytch.com/{audience}"), base_url.clone()],
            audience,
            leeway: settings.leeway,
            expiry_margin: settings.expiry_margin,
        };
        let clock = context.clock.clone();
        let fetch = move || fetch(context.clone()).boxed();
        let (max_age, interval) = (settings.max_age, settings.min_refetch_interval);
        let operation = Operation::GetJwks;
        let sets = RefreshingCache::new(clock.clone(), max_age, interval, operation, fetch);
        Self(Arc::new(Inner { sets, clock, waiting: Semaphore::new(MAX_WAITING), validation }))
    }

    /// Verifies a session JWT, with a fetch of the keys only where they are missing.
    pub(crate) async fn verify(
        &self,
        jwt: &str,
        deadline: Deadline,
    ) -> Result<Signed, VerifyError> {
        let jwt = Jwt::parse(jwt).ok_or(VerifyError::Invalid(MALFORMED))?;
        let key = self.key(jwt.kid(), deadline).await?;
        let now = self.0.clock.now();
        jwt.verify(&key, &self.0.validation, now).map_err(VerifyError::Invalid)
    }

    /// How long before its end a JWT counts as expired.
    pub(crate) fn expiry_margin(&self) -> Duration {
        self.0.validation.expiry_margin
    }

    /// Whether usable keys are cached.
    pub(crate) fn has_keys(&self) -> bool {
        self.0.sets.is_usable()
    }

    /// Fetches the keys now, unless a fetch is in flight or the backoff after a failure is running.
    pub(crate) async fn fetch(&self, deadline: Deadline) -> Result<(), Error> {
        deadline.wait(FETCHING, self.0.sets.refresh()).await?.map(|_| ())
    }

    /// The key of that id.
    async fn key(&self, kid: &str, deadline: Deadline) -> Result<ParsedPublicKey, VerifyError> {
        let unknown = || VerifyError::Invalid("is signed with a key that isn't the project's");
        let failed = |reason| Error::new(ErrorKind::Transport, Operation::GetJwks, reason);
        let sets = &self.0.sets;
        let fetches = sets.fetches();
        // Half of what is left, so that the session can still be authenticated at Stytch.
        let set = sets.get(deadline.remaining() / 2).await.map_err(|_| VerifyError::Unavailable)?;
        if let Some(key) = set.value.0.get(kid) {
            return Ok(key.clone());
        }
        let Ok(_place) = self.0.waiting.try_acquire() else {
            let reason = "over 1,024 callers with an unknown `kid` wait for the next JWKS fetch";
            return Err(VerifyError::Undecided(failed(reason)));
        };
        // Only a set whose fetch began after this call shows that the project has no such key.
        let newer = sets.get_newer(fetches, |set: &Arc<KeySet>| set.0.contains_key(kid));
        match deadline.wait(FETCHING, newer).await.map_err(VerifyError::Undecided)? {
            Ok(set) => set.value.0.get(kid).cloned().ok_or_else(unknown),
            Err(error) => {
                let reason = "the session JWT is signed with an unknown key, and fetching the \
                              project's JWKS failed";
                let error = failed(reason).amend(|context| context.source = Some(Arc::new(error)));
                Err(VerifyError::Undecided(error))
            }
        }
    }
}

async fn fetch(context: CallContext) -> Result<Arc<KeySet>, Error> {
    let attempt = |deadline| context.transport.jwks(deadline);
    KeySet::new(&context.fetch(Operation::GetJwks, attempt).await?).map(Arc::new)
}

impl KeySet {
    pub(crate) fn new(jwks: &Success<GetJwksResponse>) -> Result<Self, Error> {
        let mut by_kid = HashMap::new();
        for jwk in &jwks.body.keys {
            if let Some((kid, key)) = rs256_key(jwk) {
                by_kid.entry(kid).or_insert(key);
            }
        }
        if by_kid.is_empty() {
            let reason = "the project's JWKS has no RSA key of 2048 bits or more for RS256";
            return Err(jwks.unusable(ErrorKind::UnexpectedResponse, Operation::GetJwks, reason));
        }
        Ok(Self(by_kid))
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

const MALFORMED: &str =
    "is malformed: expected three segments, and the algorithm RS256 and a `kid` in the header";
const FETCHING: &str = "fetching the project's JWKS";
/// How many callers with an unknown `kid` may wait for a fetch.
const MAX_WAITING: usize = 1024;
