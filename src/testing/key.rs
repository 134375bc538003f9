//! RSA keys that sign session JWTs, generated once in a process.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use super::ids::id;
use crate::{sync::lock, wire::types};

/// An RSA key of 2048 bits that signs session JWTs, with its `kid`.
///
/// A clone is the same key.
#[derive(Clone)]
pub struct Key {
    kid: String,
    pair: Arc<KeyPair>,
}

impl Key {
    /// Generates a key that no project publishes. Takes a tenth of a second or more.
    ///
    /// # Panics
    ///
    /// Panics if the system's random number generator fails.
    #[must_use]
    pub fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("generating an RSA key failed");
        Self::named(Arc::new(pair), "test")
    }

    /// The n-th key of a project: the same for all projects of the process, because generating
    /// one is slow, with a `kid` of its own.
    pub(super) fn of_project(n: usize, environment: &str) -> Self {
        static PAIRS: Mutex<Vec<Arc<KeyPair>>> = Mutex::new(Vec::new());
        let mut pairs = lock(&PAIRS);
        while pairs.len() <= n {
            pairs.push(Self::generate().pair);
        }
        Self::named(Arc::clone(&pairs[n]), environment)
    }

    fn named(pair: Arc<KeyPair>, environment: &str) -> Self {
        let kid = id("jwk", environment);
        Self { kid, pair }
    }

    /// Returns the same key with another `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.kid);
        self
    }

    /// Returns the `kid`, which identifies the key in a JWKS and in the header of a JWT.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the public key as a JWKS contains it.
    pub fn jwk(&self) -> types::Jwk {
        let (n, e) = self.public_numbers();
        // A field that is added to the document stops the build here: set it as Stytch does.
        types::Jwk {
            kty: Some("RSA".into()),
            alg: Some("RS256".into()),
            kid: Some(self.kid.clone()),
            n: Some(URL_SAFE_NO_PAD.encode(n)),
            e: Some(URL_SAFE_NO_PAD.encode(e)),
        }
    }

    /// Returns the public key in PEM.
    ///
    /// # Panics
    ///
    /// Panics if the key can't be encoded, which doesn't happen with RSA.
    pub fn public_key_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> =
            (self.pair.public_key().as_der()).expect("the public key can't be encoded");
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(64).collect();
        let lines = lines.join(&b'\n');
        let lines = String::from_utf8_lossy(&lines);
        format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        (self.pair)
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("a JWT can't be signed");
        signature
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let public = self.pair.public_key().as_ref();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(message, signature)
            .is_ok()
    }

    /// Modulus and exponent, from the DER of a key of 2048 bits: `SEQUENCE {INTEGER, INTEGER}`
    /// with a header of 4 bytes, one of 5 with the sign byte, one of 2.
    fn public_numbers(&self) -> (&[u8], &[u8]) {
        let der = self.pair.public_key().as_ref();
        (&der[9..265], &der[267..])
    }
}

/// Shows only the `kid`.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.kid).finish()
    }
}
