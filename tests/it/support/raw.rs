//! JWTs of text that no JSON library writes, for example with duplicate names.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};

use super::prelude::*;

static PAIR: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

/// The public key as a JWKS contains it.
pub(crate) fn jwk() -> Value {
    // DER of 2048 bits: the numbers are at fixed offsets.
    let der = PAIR.public_key().as_ref();
    let [n, e] = [&der[9..265], &der[267..]].map(|n| BASE64_URL_SAFE_NO_PAD.encode(n));
    json!({"kty": "RSA", "alg": "RS256", "kid": KID, "n": n, "e": e})
}

/// Signs header and claims unchanged.
pub(crate) fn sign(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{claims}");
    let mut signature = vec![0; PAIR.public_modulus_len()];
    let random = SystemRandom::new();
    PAIR.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
    let jwt = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
    capture::register(&jwt);
    jwt
}

pub(crate) const KID: &str = "raw-key";
