//! Session JWTs: parsing, signature and claims.
//!
//! RS256 and nothing else, whatever the header requests. No claim is used before the signature
//! is verified. Written on aws-lc-rs rather than a JWT library: the common one panics at its
//! first verification if another crate of the final build enables its second crypto backend,
//! and its defaults skip most checks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::ParsedPublicKey;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Number;

use crate::wire::{MemberRoles, PathSegment};

/// The result of validating a session JWT.
pub(crate) enum ValidationResult {
    Valid {
        organization: PathSegment,
        roles: MemberRoles,
        /// How long it remains valid, less the margin.
        valid_for: Duration,
    },
    /// Valid but for its time: expired, or not valid yet. Clocks differ, so it is renewed.
    NotCurrent,
    /// Not a session JWT that Stytch signed for this project. The text completes "the session
    /// JWT …".
    Invalid(&'static str),
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
    kid: String,
    signed: &'a [u8],
    claims: Vec<u8>,
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

    /// The id of the key that it claims to be signed with.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks the signature and then the claims. `now` is the time at Stytch.
    pub(crate) fn verify(
        &self,
        key: &ParsedPublicKey,
        validation: &Validation,
        now: SystemTime,
    ) -> ValidationResult {
        if key.verify_sig(self.signed, &self.signature).is_err() {
            return ValidationResult::Invalid("has an invalid signature");
        }
        match serde_json::from_slice(&self.claims) {
            Ok(claims) => validation.validate(claims, now),
            Err(_) => ValidationResult::Invalid("lacks claims of Stytch's session JWTs"),
        }
    }
}

/// Reads `iat` and `exp` of a JWT without verifying it. Never use them for authorization.
pub(crate) fn unverified_times(jwt: &str) -> Option<(SystemTime, SystemTime)> {
    #[derive(Deserialize)]
    struct Times {
        iat: Number,
        exp: Number,
    }

    let jwt = Jwt::parse(jwt)?;
    let times: Times = serde_json::from_slice(&jwt.claims).ok()?;
    Some((timestamp(&times.iat)?, timestamp(&times.exp)?))
}

impl Validation {
    fn validate(&self, claims: Claims, now: SystemTime) -> ValidationResult {
        if !claims.aud.contains(&self.audience) {
            return ValidationResult::Invalid("has the `aud` of another project");
        }
        if !self.issuers.contains(&claims.iss) {
            return ValidationResult::Invalid("has an `iss` that is not Stytch");
        }
        let Ok(organization) = PathSegment::new(&claims.organization.organization_id) else {
            return ValidationResult::Invalid("contains an invalid organization id");
        };
        let times = (timestamp(&claims.nbf), timestamp(&claims.iat), timestamp(&claims.exp));
        let (Some(nbf), Some(iat), Some(expires)) = times else {
            return ValidationResult::Invalid("contains a timestamp out of range");
        };
        let latest = now + self.leeway;
        match expires.duration_since(now + self.expiry_margin) {
            Ok(valid_for) if !valid_for.is_zero() && nbf <= latest && iat <= latest => {
                ValidationResult::Valid { organization, roles: claims.session.roles, valid_for }
            }
            _ => ValidationResult::NotCurrent,
        }
    }
}

/// The claims of Stytch's session JWTs
/// ([reference](https://stytch.com/docs/b2b/guides/sessions/resources/using-jwts)). Each is
/// required exactly once. Times are numeric dates of RFC 7519, which may have fractions.
#[derive(Deserialize)]
struct Claims {
    aud: Audience,
    iss: String,
    iat: Number,
    nbf: Number,
    exp: Number,
    #[serde(rename = "https://stytch.com/organization")]
    organization: OrganizationClaim,
    #[serde(rename = "https://stytch.com/session")]
    session: SessionClaim,
}

#[derive(Deserialize)]
struct OrganizationClaim {
    organization_id: String,
}

#[derive(Deserialize)]
struct SessionClaim {
    #[serde(rename = "id")]
    _id: String,
    #[serde(default)]
    roles: MemberRoles,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn contains(&self, project_id: &str) -> bool {
        match self {
            Self::One(audience) => audience == project_id,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == project_id),
        }
    }
}

/// `None` if the timestamp is out of range.
fn timestamp(seconds: &Number) -> Option<SystemTime> {
    let since_epoch = match seconds.as_u64() {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::try_from_secs_f64(seconds.as_f64()?).ok()?,
    };
    UNIX_EPOCH.checked_add(since_epoch)
}

/// Parses a JWT and validates claims, the signature aside.
#[cfg(fuzzing)]
pub(crate) fn fuzz(jwt: &str, claims: &[u8]) {
    let validation = Validation {
        audience: "project-test-16b34bbe-4c2c-4d31-b0f0-2e5b8a0a7f11".to_owned(),
        issuers: ["a", "https://test.stytch.com"].map(str::to_owned),
        leeway: Duration::from_secs(5),
        expiry_margin: Duration::from_secs(5),
    };
    let now = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let validate = |claims: &[u8]| {
        let Ok(claims) = serde_json::from_slice::<Claims>(claims) else { return };
        let is_ours =
            claims.aud.contains(&validation.audience) && validation.issuers.contains(&claims.iss);
        let id = claims.organization.organization_id.clone();
        if let ValidationResult::Valid { organization, valid_for, .. } =
            validation.validate(claims, now)
        {
            assert!(is_ours && *organization == *id && !valid_for.is_zero());
        }
    };
    validate(claims);
    let _ = unverified_times(jwt);
    if let Some(jwt) = Jwt::parse(jwt) {
        assert!(!jwt.signed.is_empty());
        validate(&jwt.claims);
    }
}

/// The one algorithm of Stytch's session JWTs.
pub(crate) const RS256: &str = "RS256";
