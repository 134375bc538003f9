//! Decodes Stytch's error JSON, as far as a body allows.
//!
//! A field of the wrong type costs only that field. In a body that isn't JSON as a whole, for
//! example a truncated one, `request_id`, which support asks for, and `error_type`, which names the
//! failure, are still found.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::wire::types;

/// Decodes an error body of Stytch. `None` if the body is something else.
pub(crate) fn decode(body: &[u8]) -> Option<types::ErrorBody> {
    // An invalid byte in a message must not cost the rest.
    let text = String::from_utf8_lossy(body);
    let fields: HashMap<String, &RawValue> = serde_json::from_str(&text).ok()?;
    let raw = |name| fields.get(name).map(|value| value.get());
    let string = |names: [_; 2]| names.into_iter().find_map(|name| parse(raw(name)?));
    // A field that is added to the document stops the build here: decode it.
    let body = types::ErrorBody {
        status_code: raw("status_code").and_then(parse),
        request_id: raw("request_id").and_then(parse),
        error_type: string(["error_type", "error"]),
        error_message: string(["error_message", "error_description"]),
        error_url: string(["error_url", "error_uri"]),
        error_details: raw("error_details")
            .filter(|details| details.len() <= MAX_DETAILS_BYTES)
            .and_then(parse),
        error: None,
        error_description: None,
        error_uri: None,
    };
    (names_an_error(&body) || body.request_id.is_some()).then_some(body)
}

/// Whether a body reports an error, whatever the HTTP status.
pub(crate) fn reports_error(body: &types::ErrorBody) -> bool {
    names_an_error(body) || body.status_code.is_some_and(|status| status >= 400)
}

fn names_an_error(body: &types::ErrorBody) -> bool {
    body.error_type.is_some() || body.error_message.is_some()
}

/// Parses the JSON of one field; `None` if it has another type, or is null.
fn parse<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str::<Option<T>>(json).ok()?
}

/// Finds the fields that matter most in a body that can't be decoded.
pub(crate) fn find_fields(body: &[u8]) -> types::ErrorBody {
    let text = String::from_utf8_lossy(body);
    types::ErrorBody {
        status_code: find(&text, r#""status_code""#),
        request_id: find(&text, r#""request_id""#),
        error_type: find(&text, r#""error_type""#),
        ..types::ErrorBody::default()
    }
}

fn find<T: DeserializeOwned>(text: &str, key: &str) -> Option<T> {
    text.match_indices(key).find_map(|(at, _)| {
        let value = text.get(at + key.len()..)?.trim_start().strip_prefix(':')?;
        serde_json::Deserializer::from_str(value).into_iter().next()?.ok()
    })
}

/// The error type, if it can go into logs and traces.
pub(crate) fn loggable_error_type(body: &types::ErrorBody) -> Option<&str> {
    // An opaque token has no underscore, and a project secret has hyphens.
    let looks_like_stytch = |text: &&str| text.contains('_') && !text.contains('-');
    body.error_type.as_deref().filter(looks_like_stytch).filter(|text| is_plain(text))
}

/// Returns a request id that looks like Stytch's.
pub(crate) fn loggable_request_id(request_id: &str) -> Option<&str> {
    (request_id.starts_with("request-id-") && is_plain(request_id)).then_some(request_id)
}

/// Whether text has only characters of ids and error types. A server may send anything in
/// their place, a credential too, and that must not get into a log.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.len() <= 100 && text.bytes().all(plain)
}

/// As a value, JSON takes up to 72 times its length in memory.
const MAX_DETAILS_BYTES: usize = 16 * 1024;
