//! The data of the benchmarks: session JWTs of 1.5 kB, the project's keys, and the captured
//! responses.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::Result;

/// The project of the samples.
pub const PROJECT: &str = "project-test-16b34bbe-4c2c-4d31-b0f0-2e5b8a0a7f11";
/// A secret in Stytch's format.
pub const SECRET: &str = "secret-test-111111111111111111111111111111111111";
/// The organization of the samples.
pub const ORGANIZATION: &str = "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931";
/// The connection of the samples.
pub const CONNECTION: &str = "external-connection-test-d89ff7a0-e86f-4b4d-b6a3-9a74d967528e";
/// A session token.
pub const TOKEN: &str = "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY";
/// The name that the update sets.
pub const DISPLAY_NAME: &str = "Acme Okta (external)";
/// The connection role that it sets.
pub const ROLE: &str = "editor";
/// The group that it grants that role.
pub const GROUP: &str = "it-admins";

/// The body of the update.
pub fn update_body() -> String {
    json!({
        "display_name": DISPLAY_NAME,
        "external_connection_implicit_role_assignments": [{"role_id": ROLE}],
        "external_group_implicit_role_assignments": [{"group": GROUP, "role_id": ROLE}],
    })
    .to_string()
}

/// A folder with files that the parent writes and the children read.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Signs one JWT that is reused, `fresh` ones that are used once, and `expired` ones.
    pub fn make(fresh: usize, expired: usize) -> Result<Self> {
        let folder = Self(env::temp_dir().join(format!("stytch-bench-{}", process::id())));
        fs::create_dir_all(&folder.0)?;
        let signer = Signer::new()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let sign = |count: usize, expires: u64| -> Result<String> {
            let jwts: Result<Vec<_>> = (0..count).map(|n| signer.jwt(n, now, expires)).collect();
            Ok(jwts?.join("\n"))
        };
        let used = signer.jwt(usize::MAX, now, now + HOUR)?;
        let response = sample("authenticate_success")?;
        let response = with(response, "session_jwt", &used);
        fs::write(folder.0.join("jwks.json"), signer.jwks().to_string())?;
        fs::write(folder.0.join("authenticate.json"), response.to_string())?;
        fs::write(folder.0.join("update.json"), sample("update_success")?.to_string())?;
        fs::write(folder.0.join("jwt"), used)?;
        fs::write(folder.0.join("fresh"), sign(fresh, now + HOUR)?)?;
        fs::write(folder.0.join("expired"), sign(expired, now - HOUR / 2)?)?;
        Ok(folder)
    }

    /// The folder that the parent created.
    pub fn of_parent(path: &str) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads a file of it.
    pub fn read(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.0.join(name))?)
    }

    /// Reads the lines of a file of it.
    pub fn lines(&self, name: &str) -> Result<Vec<String>> {
        Ok(self.read(name)?.lines().map(str::to_owned).collect())
    }

    /// Removes it.
    pub fn remove(&self) -> Result<()> {
        Ok(fs::remove_dir_all(&self.0)?)
    }
}

struct Signer {
    key: KeyPair,
    random: SystemRandom,
}

impl Signer {
    fn new() -> Result<Self> {
        Ok(Self { key: KeyPair::generate(KeySize::Rsa2048)?, random: SystemRandom::new() })
    }

    fn jwks(&self) -> Value {
        let n = self.key.public_key().modulus().big_endian_without_leading_zero();
        let e = self.key.public_key().exponent().big_endian_without_leading_zero();
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "key_ops": ["verify"], "alg": "RS256", "kid": KID,
            "n": BASE64_URL_SAFE_NO_PAD.encode(n), "e": BASE64_URL_SAFE_NO_PAD.encode(e),
        }]})
    }

    fn jwt(&self, number: usize, now: u64, expires: u64) -> Result<String> {
        let header = json!({"alg": "RS256", "kid": KID, "typ": "JWT"});
        let claims = json!({
            "aud": [PROJECT],
            "iss": format!("stytch.com/{PROJECT}"),
            "sub": "member-test-32fc5024-9c09-4da3-bd2e-c9ce4da9375f",
            "iat": now - HOUR, "nbf": now - HOUR, "exp": expires,
            "https://stytch.com/organization": {"organization_id": ORGANIZATION, "slug": "acme"},
            "https://stytch.com/session": {
                "id": format!("member-session-test-{number:036}"),
                "started_at": "2025-01-01T00:00:00Z",
                "expires_at": "2100-01-01T00:00:00Z",
                "authentication_factors": [{
                    "type": "sso",
                    "last_authenticated_at": "2025-01-01T00:00:00Z",
                    "saml_sso_factor": {
                        "id": "sso-registration-test-1a7f2f7e-5b8e-4f5e-9f0e-3f9d9b7f6c21",
                        "provider_id": "saml-connection-test-51861cbc-d3b9-428b-9761-227f5fb12be9",
                        "external_id": "ada@example.com",
                    },
                }],
                "roles": ["stytch_member", "stytch_admin"],
            },
        });
        let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn sample(name: &str) -> Result<Value> {
    let mut samples: Value = serde_json::from_str(SAMPLES)?;
    let cases = samples["cases"].as_array_mut().ok_or("no samples")?;
    let case = cases.iter_mut().find(|case| case["name"] == name);
    Ok(case.ok_or("missing sample")?["body"].take())
}

fn with(mut json: Value, field: &str, value: &str) -> Value {
    json[field] = value.into();
    json
}

const SAMPLES: &str = include_str!("../../../tests/vectors/responses.json");
const KID: &str = "jwk-test-5f6d2c1e-8a4b-4f57-9c63-0d2b7e1a9c34";
const HOUR: u64 = 60 * 60;
