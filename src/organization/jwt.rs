//! Session JWTs: parsing, signature and claims.
//!
//! RS256 and nothing else, whatever the header requests. No claim is used before the signature
//! is verified. Written on aws-lc-rs rather than a JWT library: the common one panics at its
//! first verification if another crate of the final build enables its second crypto backend,
//! and its defaults skip most checks.

use std::{
    slice,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::ParsedPublicKey;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Number, Value};

use crate::wire::{MemberRoles, PathSegment};

/// A JWT that the project signed.
pub(crate) struct Signed {
    pub(crate) ids: SessionIds,
    /// `None` if a claim is missing, or doesn't hold here: clocks and issuers differ, so Stytch
    /// decides.
    pub(crate) valid: Option<ValidClaims>,
}

/// Which session it is, as far as it is known.
#[derive(Clone, Default)]
pub(crate) struct SessionIds {
    pub(crate) organization_id: Option<String>,
    pub(crate) member_session_id: Option<String>,
}

/// What the claims of a valid JWT contain.
pub(crate) struct ValidClaims {
    pub(crate) organization: PathSegment,
    pub(crate) roles: MemberRoles,
    /// How long it remains valid, less the margin.
    pub(crate) valid_for: Duration,
}

/// What the claims of a project's session JWTs are validated against.
pub(crate) struct Validation {
    /// The project's id.
    pub(crate) audience: String,
    pub(crate) issuers: [String; 2],
    /// The leeway for `iat` and `nbf`.
    pub(crate) leeway: Duration,
    /// How long before its end a JWT counts as expired.
    pub(crate) expiry_margin: Duration,
}

/// A JWT, parsed but not verified.
pub(crate) struct Jwt<'a> {
    /// The id of the key that it claims to be signed with.
    pub(super) kid: String,
    signed: &'a [u8],
    pub(crate) claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Parses a JWT. `None` if it isn't one signed with RS256.
    pub(crate) fn parse(jwt: &'a str) -> Option<Self> {
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

    /// Checks the signature and then the claims. The error completes "the session JWT …".
    pub(crate) fn verify(
        &self,
        key: &ParsedPublicKey,
        validation: &Validation,
        now: SystemTime,
    ) -> Result<Signed, &'static str> {
        if key.verify_sig(self.signed, &self.signature).is_err() {
            return Err("has an invalid signature");
        }
        validation.validate(&self.claims, now)
    }
}

/// Reads the lifetime of a JWT without verifying it. Never use it for authorization.
pub(crate) fn unverified_lifetime(jwt: &str) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Times {
        iat: Number,
        exp: Number,
    }

    let Times { iat, exp } = serde_json::from_slice(&Jwt::parse(jwt)?.claims).ok()?;
    timestamp(&exp)?.duration_since(timestamp(&iat)?).ok()
}

impl Validation {
    pub(crate) fn validate(&self, claims: &[u8], now: SystemTime) -> Result<Signed, &'static str> {
        let claims: Claims = serde_json::from_slice(claims)
            .map_err(|_| "has claims that are not those of Stytch's session JWTs")?;
        let audiences = claims.aud.as_array().map_or(slice::from_ref(&claims.aud), Vec::as_slice);
        if !audiences.iter().any(|audience| *audience == self.audience) {
            return Err("has the `aud` of another project");
        }
        let [nbf, iat, exp] = [claims.nbf, claims.iat, claims.exp].map(|claim| {
            let time = claim.as_ref().map(timestamp);
            time.map(|time| time.ok_or("contains a timestamp out of range")).transpose()
        });
        let times = (nbf?, iat?, exp?);
        let SessionClaim { id: member_session_id, roles } = claims.session.unwrap_or_default();
        let organization_id = claims.organization.and_then(|claim| claim.organization_id);
        let organization = organization_id.as_deref().map(PathSegment::new).transpose();
        let organization = organization.map_err(|_| "contains an invalid organization id")?;
        let until = |time: SystemTime| time.duration_since(now).unwrap_or_default();
        let is_ours = claims.iss.is_some_and(|iss| self.issuers.contains(&iss));
        let valid = match (organization, times) {
            (Some(organization), (Some(nbf), Some(iat), Some(exp)))
                if is_ours && member_session_id.is_some() && until(nbf.max(iat)) <= self.leeway =>
            {
                let valid_for = until(exp).saturating_sub(self.expiry_margin);
                (!valid_for.is_zero()).then_some(ValidClaims { organization, roles, valid_for })
            }
            _ => None,
        };
        Ok(Signed { ids: SessionIds { organization_id, member_session_id }, valid })
    }
}

/// The claims of Stytch's session JWTs
/// ([reference](https://stytch.com/docs/b2b/guides/sessions/resources/using-jwts)), each of them at
/// most once. Times are numeric dates of RFC 7519, which may have fractions.
#[derive(Deserialize)]
struct Claims {
    /// A project id, or an array of them.
    aud: Value,
    iss: Option<String>,
    iat: Option<Number>,
    nbf: Option<Number>,
    exp: Option<Number>,
    #[serde(rename = "https://stytch.com/organization")]
    organization: Option<OrganizationClaim>,
    #[serde(rename = "https://stytch.com/session")]
    session: Option<SessionClaim>,
}

#[derive(Deserialize)]
struct OrganizationClaim {
    organization_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct SessionClaim {
    id: Option<String>,
    #[serde(default)]
    roles: MemberRoles,
}

/// `None` if the timestamp is out of range.
fn timestamp(seconds: &Number) -> Option<SystemTime> {
    let since_epoch = match seconds.as_u64() {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::try_from_secs_f64(seconds.as_f64()?).ok()?,
    };
    UNIX_EPOCH.checked_add(since_epoch)
}

/// The one algorithm of Stytch's session JWTs.
pub(crate) const RS256: &str = "RS256";
