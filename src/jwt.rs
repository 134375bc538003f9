//! A session JWT: its form, its signature and what its claims must say.
//!
//! RS256 and nothing else, whatever the header asks for. Nothing in a JWT is believed before
//! its signature holds. Written on aws-lc-rs rather than a JWT library on purpose: the
//! common one panics at its first verification where another crate of the final build
//! switches its second crypto backend on, and leaves most checks to be asked for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::ParsedPublicKey;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};

use crate::segment::Segment;

/// What a session JWT turned out to be.
pub(crate) enum Verdict {
    /// It holds, and this is what it says.
    Valid { organization: Segment, expires: SystemTime },
    /// All of it holds but its time is over.
    Expired,
    /// It isn't a session JWT that Stytch signed for this project; why.
    Refused(&'static str),
}

/// What the claims of a project's session JWTs must say.
pub(crate) struct Rules {
    /// The project's id.
    pub(crate) audience: String,
    pub(crate) issuers: [String; 2],
    /// By how much the clocks here and at Stytch may differ.
    pub(crate) clock_skew: Duration,
    /// How long before its end a JWT counts as expired.
    pub(crate) expiry_margin: Duration,
}

/// A JWT taken apart.
pub(crate) struct Jwt<'a> {
    kid: String,
    signed: &'a [u8],
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Takes a JWT apart, or tells by `None` that it isn't one signed with RS256.
    pub(crate) fn read(jwt: &'a str) -> Option<Self> {
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
        Some(Self {
            kid: header.kid,
            signed: signed.as_bytes(),
            // A fourth segment would leave a dot in here, which isn't base64.
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
    }

    /// The key that it says it is signed with.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks the signature and then the claims.
    pub(crate) fn verify(&self, key: &ParsedPublicKey, rules: &Rules, now: SystemTime) -> Verdict {
        if key.verify_sig(self.signed, &self.signature).is_err() {
            return Verdict::Refused("has a signature that doesn't hold");
        }
        match serde_json::from_slice(&self.claims) {
            Ok(claims) => rules.judge(&claims, now),
            Err(_) => Verdict::Refused("lacks claims that Stytch's session JWTs have"),
        }
    }
}

/// Reads when a JWT expires, believing it. For a JWT from Stytch's own hand only.
pub(crate) fn unverified_expiry(jwt: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Expiry {
        exp: u64,
    }

    let jwt = Jwt::read(jwt)?;
    let expiry: Expiry = serde_json::from_slice(&jwt.claims).ok()?;
    instant(expiry.exp)
}

impl Rules {
    fn judge(&self, claims: &Claims, now: SystemTime) -> Verdict {
        if !claims.aud.names(&self.audience) {
            return Verdict::Refused("is for another project");
        }
        if !self.issuers.contains(&claims.iss) {
            return Verdict::Refused("has an issuer that isn't Stytch");
        }
        let Ok(organization) = Segment::new(&claims.organization.organization_id) else {
            return Verdict::Refused("names no organization that can be used");
        };
        let times = (instant(claims.nbf), instant(claims.iat), instant(claims.exp));
        let (Some(nbf), Some(iat), Some(expires)) = times else {
            return Verdict::Refused("has a time that is none");
        };
        let latest = now + self.clock_skew;
        if nbf > latest || iat > latest {
            return Verdict::Refused("isn't valid yet");
        }
        if expires <= now + self.expiry_margin {
            return Verdict::Expired;
        }
        Verdict::Valid { organization, expires }
    }
}

/// What Stytch's session JWTs claim
/// ([reference](https://stytch.com/docs/b2b/guides/sessions/resources/using-jwts)). All of it
/// has to be there, once.
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

/// The one algorithm of Stytch's session JWTs.
pub(crate) const RS256: &str = "RS256";
