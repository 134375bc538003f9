//! Entry points of the fuzz targets in `fuzz/`, compiled only with `--cfg fuzzing`.
//!
//! Each feeds untrusted bytes to one module and asserts what must hold for any input.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::Value;

use crate::{
    Operation, Outcome, Session, SessionCookies,
    error::{BodyError, RawResponse},
    organization::{
        jwks::KeySet,
        jwt::{self, Jwt, Signed, ValidClaims, Validation},
    },
    wire::{PathSegment, decode_success, generated::ResponseValue},
};

/// Parses and validates a session JWT, its claims also without a valid signature.
pub fn session_jwt(data: &[u8]) {
    check_claims(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = jwt::unverified_lifetime(text);
    if let Some(jwt) = Jwt::parse(text) {
        check_claims(&jwt.claims);
    }
}

fn check_claims(claims: &[u8]) {
    let validation = Validation {
        audience: "project-test-16b34bbe-4c2c-4d31-b0f0-2e5b8a0a7f11".to_owned(),
        issuers: ["a", "https://test.stytch.com"].map(str::to_owned),
        leeway: Duration::from_secs(5),
        expiry_margin: Duration::from_secs(5),
    };
    let now = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let Ok(Signed { ids, valid }) = validation.validate(claims, now) else { return };
    let claims: Value = serde_json::from_slice(claims).expect("accepted claims are JSON");
    let audience = Value::from(&*validation.audience);
    let audiences = claims["aud"].as_array();
    assert!(claims["aud"] == audience || audiences.is_some_and(|all| all.contains(&audience)));
    if let Some(ValidClaims { organization, valid_for, .. }) = valid {
        assert!(validation.issuers.iter().any(|issuer| claims["iss"] == **issuer));
        assert_eq!(ids.organization_id.as_deref(), Some(&*organization));
        assert!(ids.member_session_id.is_some() && !valid_for.is_zero());
    }
}

/// Reads a key set.
pub fn key_set(data: &[u8]) {
    if let Ok(body) = serde_json::from_slice(data) {
        let _ = KeySet::new(&ResponseValue::new(body, StatusCode::OK, HeaderMap::new()));
    }
}

/// Classifies a response of any operation: status, headers, and a body that may be incomplete.
pub fn response(data: &[u8]) {
    let [operation, status_high, status_low, header_length, rest @ ..] = data else { return };
    let is_complete = *operation < 128;
    let operation = Operation::ALL[usize::from(*operation) % Operation::ALL.len()];
    let status = 100 + u16::from_be_bytes([*status_high, *status_low]) % 900;
    let Ok(status) = StatusCode::from_u16(status) else { return };
    let (header, body) = rest.split_at(usize::from(*header_length).min(rest.len()));
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = header.split_first()
        && let Ok(value) = HeaderValue::from_bytes(value)
    {
        let names = [RETRY_AFTER, CONTENT_TYPE, CONTENT_ENCODING];
        headers.insert(names[usize::from(*name) % names.len()].clone(), value);
    }
    let body = Bytes::copy_from_slice(body);
    let body_error = (!is_complete).then(|| BodyError { reason: "too long".into(), source: None });
    let response = RawResponse { status, headers, body, body_error };
    let decode = |body: &[u8]| decode_success(operation, body);
    let Err(error) = response.into_result(operation, SystemTime::now, decode) else { return };
    assert_eq!(error.operation(), operation);
    assert_eq!(error.status(), Some(status));
    assert!(!error.reason().is_empty());
    assert!(error.body_snippet().is_none_or(|snippet| snippet.len() <= 512));
    if !operation.is_change() {
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
    if !status.is_success() {
        assert_ne!(error.outcome(), Outcome::Applied);
    }
    // One line, and no text of a body but plain ids.
    let shown = format!("{error}");
    assert!(!shown.contains(['\n', '\r', '<']), "{shown}");
    let _ = format!("{error:?}");
}

/// Reads a `Retry-After` header.
pub fn retry_after(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let response = RawResponse { status, headers, body: Bytes::new(), body_error: None };
    let now = || UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let Err(error) = response.into_result(Operation::GetJwks, now, |_| Ok(())) else { return };
    let text = data.trim_ascii();
    if !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
        assert!(error.retry_after().is_some());
    }
}

/// Reads the session of a request from headers and cookies.
pub fn session(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(at);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(&value[1..]))
        {
            headers.append(name, value);
        }
    }
    let cookies = SessionCookies::new("a", "b");
    let parsed = std::str::from_utf8(data).ok().and_then(|text| cookies.parse(text));
    for session in
        [Session::from_headers(&headers), cookies.session(&headers), parsed].into_iter().flatten()
    {
        assert!(!session.expose_secret().is_empty());
        let _ = session.digest();
        if let Some((_, value)) = session.header() {
            assert!(value.is_sensitive());
            assert_eq!(value.as_bytes(), session.expose_secret().as_bytes());
        }
        assert!(!format!("{session:?}").contains(session.expose_secret()) || is_short(&session));
    }
}

/// A credential that is a part of the text `Session(token)`.
fn is_short(session: &Session) -> bool {
    "Session(token) Session(jwt)".contains(session.expose_secret())
}

/// Checks that an accepted id stays one segment of the URL.
pub fn path_segment(data: &[u8]) {
    let Ok(id) = std::str::from_utf8(data) else { return };
    let Ok(segment) = PathSegment::new(id) else { return };
    let encoded = progenitor_client::encode_path(&segment);
    let url = format!("https://test.stytch.com/v1/{encoded}/end");
    let url = reqwest::Url::parse(&url).expect("an accepted id makes a valid URL");
    let segments: Vec<_> = url.path_segments().expect("https has a path").collect();
    assert_eq!(segments.len(), 3, "{url}");
    assert_eq!((segments[0], segments[2]), ("v1", "end"), "{url}");
    assert_eq!(url.host_str(), Some("test.stytch.com"));
    assert_eq!((url.query(), url.fragment()), (None, None));
}
