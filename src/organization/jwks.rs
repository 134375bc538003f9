//! The project's keys: fetched, cached, refreshed in the background, and refetched for unknown
//! `kid`s at most once in each `jwks_min_refetch_interval`.
//!
//! Only keys of the project's JWKS, and of them only RSA keys for RS256. While a usable key set
//! is cached, a JWT with an unknown `kid` waits for a newer set and nothing is sent for it but
//! that fetch. A JWT with an invalid signature isn't worth a fetch, or forged ones would cause
//! many: a key that is replaced under the same `kid` is used once the keys are fetched again, after
//! five minutes or by [`Client::warm_up`](crate::Client::warm_up).

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

use super::{
    Settings,
    jwt::{Jwt, RS256, Signed, Validation},
};
use crate::{
    call::CallContext,
    error::{Error, ErrorKind, response::unusable},
    sync::{Clock, Deadline, RefreshingCache},
    wire::{
        Operation,
        generated::ResponseValue,
        types::{GetJwksResponse, Jwk},
    },
};

/// The key set of one project.
pub(crate) struct JwksCache {
    sets: Arc<RefreshingCache<Arc<KeySet>>>,
    clock: Clock,
    waiting: Semaphore,
    validation: Validation,
}

/// The usable keys of a JWKS, by `kid`.
pub(crate) struct KeySet(HashMap<String, ParsedPublicKey>);

impl JwksCache {
    pub(super) fn new(context: CallContext, settings: &Settings) -> Self {
        let audience = context.transport.config().project_id.to_string();
        let base_url = &context.transport.config().base_url.text;
        let validation = Validation {
            // A project reached through a custom domain signs with that as the issuer.
            issuers: [format!("stytch.com/{audience}"), base_url.clone()],
            audience,
            leeway: settings.leeway,
            expiry_margin: settings.expiry_margin,
        };
        let clock = context.retry.clock.clone();
        let fetch = move || fetch(context.clone()).boxed();
        let sets = RefreshingCache::new(clock.clone(), settings.jwks, Operation::GetJwks, fetch);
        Self { sets, clock, waiting: Semaphore::new(MAX_WAITING), validation }
    }

    /// Verifies a session JWT, with a fetch of the keys only where they are missing. Returns `None`
    /// if no usable keys are cached, and none can be fetched in time.
    pub(super) async fn verify(
        &self,
        jwt: &str,
        deadline: Deadline,
    ) -> Result<Option<Signed>, Error> {
        let invalid = |problem| {
            let reason = format!("the session JWT {problem}");
            Error::new(ErrorKind::InvalidSession, deadline.operation(), reason)
        };
        let jwt = Jwt::parse(jwt).ok_or_else(|| invalid(MALFORMED))?;
        let Some(set) = self.set_for(&jwt.kid, deadline).await? else { return Ok(None) };
        let key = set.0.get(&jwt.kid);
        let key = key.ok_or_else(|| invalid("is signed with a key that isn't the project's"))?;
        jwt.verify(key, &self.validation, self.clock.now()).map(Some).map_err(invalid)
    }

    /// Whether usable keys are cached.
    pub(super) fn has_keys(&self) -> bool {
        self.sets.is_usable()
    }

    /// Fetches the keys now, unless a fetch is in flight or the backoff after a failure is running.
    pub(crate) async fn fetch(&self, deadline: Deadline) -> Result<(), Error> {
        deadline.wait(FETCHING, self.sets.refresh()).await?.map(|_| ())
    }

    /// The keys, with the one of that id or fetched after this call. Fails if they lack it, and no
    /// newer ones came.
    async fn set_for(&self, kid: &str, deadline: Deadline) -> Result<Option<Arc<KeySet>>, Error> {
        let failed = |reason| Error::new(ErrorKind::Transport, Operation::GetJwks, reason);
        let fetches = self.sets.fetches();
        // Half of what is left, so that the session can still be authenticated at Stytch.
        let Ok(set) = self.sets.get(deadline.remaining() / 2).await else { return Ok(None) };
        if set.0.contains_key(kid) {
            return Ok(Some(set));
        }
        let _place = self.waiting.try_acquire().map_err(|_| {
            failed("over 1,024 callers with an unknown `kid` wait for the next JWKS fetch")
        })?;
        // Only a set whose fetch began after this call shows that the project has no such key.
        let newer = self.sets.get_newer(fetches, |set| set.0.contains_key(kid));
        deadline.wait(FETCHING, newer).await?.map(Some).map_err(|error| {
            let reason = "the session JWT is signed with an unknown key, and fetching the \
                          project's JWKS failed";
            failed(reason).amend(|context| context.source = Some(Arc::new(error)))
        })
    }
}

async fn fetch(context: CallContext) -> Result<Arc<KeySet>, Error> {
    let deadline = context.fetch_deadline(Operation::GetJwks);
    let attempt = || context.transport.jwks(deadline);
    KeySet::new(&context.call_as_project(None, deadline, attempt).await?).map(Arc::new)
}

impl KeySet {
    pub(crate) fn new(jwks: &ResponseValue<GetJwksResponse>) -> Result<Self, Error> {
        let mut by_kid = HashMap::new();
        for jwk in &jwks.keys {
            if let Some((kid, key)) = rs256_key(jwk) {
                by_kid.entry(kid).or_insert(key);
            }
        }
        if by_kid.is_empty() {
            let reason = "the project's JWKS has no RSA key of 2048 bits or more for RS256";
            return Err(unusable(jwks, Operation::GetJwks, reason));
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
