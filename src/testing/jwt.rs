//! JWTs for tests: decodes one without checks, and signs any header and claims, valid or not.
//!
//! For a JWT with other claims, use [`LoggedIn::mint`](super::LoggedIn::mint). This module is
//! for attacks: another key, another algorithm, no signature.
//!
//! ```
//! use serde_json::json;
//! use stytch_sso_external::testing::{Stytch, jwt};
//!
//! let stytch = Stytch::start();
//! let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
//!
//! // Signed by a foreign key, with the `kid` of a key of the project.
//! let foreign = jwt::Key::generate().with_kid(stytch.key().kid());
//! let header = jwt::header(&ada.jwt());
//! let forged = jwt::sign(&header, &ada.claims(), &foreign);
//! assert_eq!(jwt::claims(&forged), ada.claims());
//!
//! // Without a signature.
//! let unsigned = jwt::unsigned(&json!({"alg": "none"}), &ada.claims());
//! assert!(unsigned.ends_with('.'));
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

pub use super::key::Key;
use crate::sync::lock;

/// Signs header and claims unchanged with RSA and SHA-256, whatever `alg` is.
pub fn sign(header: &Value, claims: &Value, key: &Key) -> String {
    let signed = signing_input(header, claims);
    let signature = key.sign(signed.as_bytes());
    with_signature(&signed, &signature)
}

/// Signs header and claims unchanged with HMAC and SHA-256, whatever `alg` is.
///
/// With the public key as the secret ([`Key::public_key_pem`]), this is the algorithm confusion
/// attack on verifiers that take the algorithm from the JWT.
pub fn sign_hmac(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = signing_input(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, signed.as_bytes());
    with_signature(&signed, signature.as_ref())
}

/// Creates a JWT with an empty signature.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    with_signature(&signing_input(header, claims), &[])
}

/// Returns the header of a JWT, without verifying it.
///
/// # Panics
///
/// Panics if `jwt` isn't three base64url segments of which the first is JSON.
pub fn header(jwt: &str) -> Value {
    segment(jwt, 0).expect("jwt::header needs a JWT")
}

/// Returns the claims of a JWT, without verifying it.
///
/// # Panics
///
/// Panics if `jwt` isn't three base64url segments of which the second is JSON.
pub fn claims(jwt: &str) -> Value {
    segment(jwt, 1).expect("jwt::claims needs a JWT")
}

/// The JWTs whose signature is valid, with `kid` and claims: verifying one again for each of
/// 10,000 requests makes a load test slow.
#[derive(Default)]
pub(super) struct VerifiedJwts(Mutex<HashMap<String, (String, Arc<Value>)>>);

impl VerifiedJwts {
    /// Returns the claims of a JWT that one of `keys` signed with RS256.
    pub(super) fn claims(&self, jwt: &str, keys: &[Key]) -> Option<Arc<Value>> {
        if let Some((kid, claims)) = lock(&self.0).get(jwt) {
            let is_published = keys.iter().any(|key| key.kid() == kid);
            return is_published.then(|| Arc::clone(claims));
        }
        let (kid, claims) = verify(jwt, keys)?;
        let claims = Arc::new(claims);
        let mut known = lock(&self.0);
        if known.len() >= 10_000 {
            known.clear();
        }
        known.insert(jwt.to_owned(), (kid, Arc::clone(&claims)));
        Some(claims)
    }
}

fn verify(jwt: &str, keys: &[Key]) -> Option<(String, Value)> {
    let (signed, signature) = jwt.rsplit_once('.')?;
    let header = segment(jwt, 0)?;
    if header.get("alg")?.as_str()? != "RS256" {
        return None;
    }
    let kid = header.get("kid")?.as_str()?;
    let key = keys.iter().find(|key| key.kid() == kid)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return None;
    }
    Some((kid.to_owned(), segment(jwt, 1)?))
}

/// Applies a JSON merge patch (RFC 7396): objects are merged, `null` removes, any other value
/// replaces.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn segment(jwt: &str, index: usize) -> Option<Value> {
    let segments: Vec<&str> = jwt.split('.').collect();
    if segments.len() != 3 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(segments.get(index)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn signing_input(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn with_signature(signed: &str, signature: &[u8]) -> String {
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
