//! The project: session JWTs of 1.5 kB, its keys, and a server that responds with the captured
//! samples.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    Result,
    process::pinned_runtime,
    server::{NUMBER, Server, raw},
};

/// The project of the samples.
pub const PROJECT: &str = "project-test-16b34bbe-4c2c-4d31-b0f0-2e5b8a0a7f11";
/// A secret in Stytch's format.
pub const SECRET: &str = "secret-test-111111111111111111111111111111111111";
/// The organization of the samples.
pub const ORGANIZATION: &str = "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931";
/// The connection of the samples.
pub const CONNECTION: &str = "external-connection-test-d89ff7a0-e86f-4b4d-b6a3-9a74d967528e";
/// A session token, up to its number of twelve digits.
pub const TOKEN: &str = "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5J";

/// The key of the project.
#[derive(Debug)]
pub struct Project(KeyPair);

impl Project {
    /// Generates a key.
    pub fn new() -> Result<Self> {
        Ok(Self(KeyPair::generate(KeySize::Rsa2048)?))
    }

    /// Starts the server in a thread of its own, with a delay of each update. Returns its base URL.
    pub fn serve(&self, delay: Duration) -> Result<String> {
        // The last character stays, because base64 restricts it.
        let jwt = self.jwt(0, true)?;
        let (jwt, last) = jwt.split_at(jwt.len() - 1);
        let mut authenticated = sample("authenticate_success")?;
        // Tokens are authenticated in the order of their numbers. Another one in the response is an
        // error.
        authenticated["session_token"] = format!("{TOKEN}{NUMBER}").into();
        authenticated["session_jwt"] =
            format!("{}{NUMBER}{last}", &jwt[..jwt.len() - NUMBER.len()]).into();
        let server = Server {
            jwks: raw(200, &self.jwks().to_string()),
            authenticated: raw(200, &authenticated.to_string()),
            updated: raw(200, &sample("update_success")?.to_string()),
            delay,
            ..Server::default()
        };
        let (sender, started) = mpsc::channel();
        thread::spawn(move || -> Result<()> {
            pinned_runtime(<[usize]>::first)?.block_on(async {
                sender.send(server.start().await)?;
                std::future::pending().await
            })
        });
        Ok(started.recv()?)
    }

    /// Signs session JWTs, one a line.
    pub fn jwts(&self, count: usize, is_valid: bool) -> Result<String> {
        let jwts = (0..count).map(|number| self.jwt(number, is_valid)).collect::<Result<Vec<_>>>();
        Ok(jwts?.join("\n"))
    }

    fn jwks(&self) -> Value {
        let n = self.0.public_key().modulus().big_endian_without_leading_zero();
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "key_ops": ["verify"], "alg": "RS256", "kid": KID,
            "n": BASE64_URL_SAFE_NO_PAD.encode(n), "e": "AQAB",
        }]})
    }

    /// Signs a JWT that expires in an hour, or expired half an hour ago.
    fn jwt(&self, number: usize, is_valid: bool) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({"alg": "RS256", "kid": KID, "typ": "JWT"});
        let mut claims: Value = serde_json::from_str(include_str!("../claims.json"))?;
        claims["exp"] = if is_valid { now + 3600 } else { now - 1800 }.into();
        claims["jti"] = format!("{number:036}").into();
        let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn sample(name: &str) -> Result<Value> {
    let samples: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/responses.json"))?;
    let mut cases = samples["cases"].as_array().into_iter().flatten();
    Ok(cases.find(|case| case["name"] == name).ok_or("missing sample")?["body"].clone())
}

const KID: &str = "jwk-test-5f6d2c1e-8a4b-4f57-9c63-0d2b7e1a9c34";
