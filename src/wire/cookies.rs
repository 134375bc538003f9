//! Finds the session of an incoming request, in its headers or cookies.
//!
//! Nothing here authenticates: the session that is chosen is verified with the first call. A value
//! that can't be a session is skipped, so that it never hides one that can.

use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, header::COOKIE};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::session::{JWT_HEADER, Session, TOKEN_HEADER};

impl Session {
    /// Reads the session of an incoming request: in the headers `X-Stytch-Member-SessionJWT`
    /// and `X-Stytch-Member-Session`, else in the cookies `stytch_session_jwt` and
    /// `stytch_session` that Stytch's frontend SDKs set by default.
    ///
    /// A JWT comes before a token, because resolving its organization needs no request. A value
    /// that can't be a session counts as absent, as described for [`SessionCookies`]. If one of the
    /// headers is present and not empty, the cookies are ignored. Returns `None` if nobody is
    /// logged in. For other cookie names see [`SessionCookies`].
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::COOKIE};
    /// use stytch_sso_external::{Session, SessionKind};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert(COOKIE, HeaderValue::from_static("theme=dark; stytch_session=WJtR5BCy38S"));
    /// let session = Session::from_headers(&headers).unwrap();
    /// assert_eq!(session.kind(), SessionKind::Token);
    /// assert!(Session::from_headers(&HeaderMap::new()).is_none());
    /// ```
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let values = |name: &HeaderName| headers.get_all(name).iter();
        if values(&JWT_HEADER).chain(values(&TOKEN_HEADER)).all(HeaderValue::is_empty) {
            return SessionCookies::default().session(headers);
        }
        // Faster than `to_str`, which looks at each byte by itself: a JWT has 1,500.
        let texts = |name| values(name).filter_map(|it| std::str::from_utf8(it.as_bytes()).ok());
        choose(texts(&JWT_HEADER), texts(&TOKEN_HEADER), SystemTime::now())
    }
}

/// Reads the session of an incoming request from its cookies.
///
/// `default()` reads `stytch_session_jwt` and `stytch_session`, the names that Stytch's frontend
/// SDKs use by default. Headers other than `Cookie` are ignored;
/// [`Session::from_headers`] reads both.
///
/// A browser sends several cookies of one name if they were set for several domains or paths:
///
/// - Of several JWTs, the one with the latest `iat` is chosen. One whose `iat` is more than 60 s in
///   the future comes last.
/// - Without a JWT, the last token is chosen.
/// - A value that can't be a session is skipped. A JWT has three segments, a JSON header, claims
///   with `iat` and `exp`, and a signature of at least 256 bytes. A token isn't empty, `undefined`
///   or `null`, has at most 16 KiB and contains visible ASCII only.
///
/// This doesn't authenticate: the session is verified with the first call.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::COOKIE};
/// use stytch_sso_external::{SessionCookies, SessionKind};
///
/// let cookies = SessionCookies::new("acme_jwt", "acme_token");
/// let mut headers = HeaderMap::new();
/// headers.insert(COOKIE, HeaderValue::from_static("theme=dark; acme_token=WJtR5BCy38S"));
/// assert_eq!(cookies.session(&headers).unwrap().kind(), SessionKind::Token);
/// assert!(cookies.session(&HeaderMap::new()).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct SessionCookies {
    jwt_name: Cow<'static, str>,
    token_name: Cow<'static, str>,
}

impl Default for SessionCookies {
    fn default() -> Self {
        Self::new("stytch_session_jwt", "stytch_session")
    }
}

impl SessionCookies {
    /// Names the cookie of the session JWT and that of the session token.
    ///
    /// For applications that configure their Stytch frontend SDK with other cookie names.
    pub fn new(
        jwt_name: impl Into<Cow<'static, str>>,
        token_name: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { jwt_name: jwt_name.into(), token_name: token_name.into() }
    }

    /// Returns the session in the `Cookie` headers of a request, or `None` if nobody is logged in.
    pub fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.choose(headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes))
    }

    /// Returns the session in the text of a `Cookie` header, or `None` if nobody is logged in.
    ///
    /// For frameworks with another version of the `http` crate than this crate's, such as
    /// actix-web 4. Join the text of several `Cookie` headers with `; `:
    ///
    /// ```
    /// use stytch_sso_external::{Session, SessionCookies};
    ///
    /// // With actix-web 4: `request.headers().get_all("cookie").filter_map(|it| it.to_str().ok())`
    /// let headers = ["theme=dark", "stytch_session=WJtR5BCy38S"];
    /// let session = SessionCookies::default().parse(&headers.join("; "));
    /// assert_eq!(session, Some(Session::token("WJtR5BCy38S")));
    /// ```
    pub fn parse(&self, cookies: &str) -> Option<Session> {
        self.choose([cookies.as_bytes()])
    }

    fn choose<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Option<Session> {
        let cookies: Vec<_> = headers
            .into_iter()
            // Another cookie may be no text; that must not hide the session.
            .flat_map(|header| header.split(|byte| *byte == b';'))
            .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
            .map(|(name, value)| (name, value.trim_matches('"')))
            .collect();
        let jwts = cookies.iter().filter(|(name, _)| *name == self.jwt_name);
        let tokens = cookies.iter().filter(|(name, _)| *name == self.token_name);
        choose(jwts.map(|(_, jwt)| *jwt), tokens.map(|(_, token)| *token), SystemTime::now())
    }
}

/// Chooses the newest JWT, else the last token.
fn choose<'a>(
    jwts: impl Iterator<Item = &'a str>,
    tokens: impl DoubleEndedIterator<Item = &'a str>,
    now: SystemTime,
) -> Option<Session> {
    let can_be_sent = |session: &Session| session.header().is_some();
    let is_set = |token: &&str| !matches!(*token, "undefined" | "null");
    let newest = jwts
        .map(Session::jwt)
        .filter(can_be_sent)
        .filter_map(|session| Some((rank(session.expose_secret(), now)?, session)))
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    newest
        .map(|(_, session)| session)
        .or_else(|| tokens.rev().filter(is_set).map(Session::token).find(can_be_sent))
}

/// Ranks a JWT by its `iat`, or last if that is in the future. Returns `None` if the text can't be a
/// session JWT.
fn rank(jwt: &str, now: SystemTime) -> Option<f64> {
    #[derive(Deserialize)]
    struct Claims {
        iat: f64,
        #[serde(rename = "exp")]
        _exp: f64,
    }

    let mut segments = jwt.split('.').map(|segment| BASE64_URL_SAFE_NO_PAD.decode(segment).ok());
    let (header, claims, signature) = (segments.next()??, segments.next()??, segments.next()??);
    serde_json::from_slice::<Map<String, Value>>(&header).ok()?;
    let Claims { iat, .. } = serde_json::from_slice(&claims).ok()?;
    if segments.next().is_some() || signature.len() < MIN_SIGNATURE_BYTES {
        return None;
    }
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    Some(if iat > now + LEEWAY_SECONDS { f64::NEG_INFINITY } else { iat })
}

/// Of RS256 with a key of 2,048 bits.
const MIN_SIGNATURE_BYTES: usize = 256;
/// How far the `iat` of a JWT may be in the future before it ranks last: clocks differ.
const LEEWAY_SECONDS: f64 = 60.0;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn jwt(iat: f64) -> String {
        let segments = [
            r#"{"alg":"RS256"}"#.to_owned(),
            format!(r#"{{"iat":{iat},"exp":{}}}"#, iat + 300.0),
            "s".repeat(MIN_SIGNATURE_BYTES),
        ];
        segments.map(|segment| BASE64_URL_SAFE_NO_PAD.encode(segment)).join(".")
    }

    #[test]
    fn jwt_of_more_than_a_minute_in_the_future_ranks_last() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let cases = [
            ([900.0, 1_060.0], 1),
            ([1_060.0, 900.0], 0),
            ([900.0, 1_060.5], 0),
            ([1_061.0, 900.0], 1),
            ([1_061.0, 1.0], 1),
            ([2_000.0, 1_500.0], 1),
        ];
        for (times, expected) in cases {
            let jwts = times.map(jwt);
            let chosen = choose(jwts.iter().map(|jwt| &**jwt), ["token"].into_iter(), now);
            assert_eq!(chosen, Some(Session::jwt(&*jwts[expected])), "{times:?}");
        }
    }
}
