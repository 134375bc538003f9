//! Decodes Stytch's error JSON, as far as a body allows.
//!
//! A field of the wrong type costs only that field. In a body that isn't JSON as a whole
//! (truncated, nested too deeply), `request_id`, which support asks for, and `error_type`, which
//! names the failure, are still found.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::details::ErrorBody;
use crate::wire::types;

/// Decodes an error body of Stytch, and whether it reports an error whatever the HTTP status.
/// `None` if the body is something else.
pub(crate) fn decode(body: &[u8]) -> Option<(ErrorBody, bool)> {
    // An invalid byte in a message must not cost the rest.
    let text = String::from_utf8_lossy(body);
    let error = serde_json::from_str(&text).ok().or_else(|| field_by_field(&text))?;
    // A field that is added to the document stops the build here: return it, or ignore it.
    let types::Error {
        status_code,
        request_id,
        error_type,
        error_message,
        error_url,
        error_details,
        error,
        error_description,
        error_uri,
    } = error;
    let body = ErrorBody {
        request_id,
        error_type: error_type.or(error),
        error_message: error_message.or(error_description),
        error_url: error_url.or(error_uri),
        error_details,
    };
    let names_an_error = body.error_type.is_some() || body.error_message.is_some();
    let reports_error = names_an_error || status_code.is_some_and(|status| status >= 400);
    (names_an_error || body.request_id.is_some()).then_some((body, reports_error))
}

/// Decodes an object without the fields that have the wrong type.
fn field_by_field(text: &str) -> Option<types::Error> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else {
        return None;
    };
    fields.retain(|name, value| {
        let alone = Value::Object([(name.clone(), value.clone())].into_iter().collect());
        serde_json::from_value::<types::Error>(alone).is_ok()
    });
    serde_json::from_value(Value::Object(fields)).ok()
}

/// Finds the fields that matter most in a body that can't be decoded, and whether they report an
/// error.
pub(crate) fn find_fields(body: &[u8]) -> (ErrorBody, bool) {
    let text = String::from_utf8_lossy(body);
    let body = ErrorBody {
        request_id: find(&text, r#""request_id""#),
        error_type: find(&text, r#""error_type""#),
        ..ErrorBody::default()
    };
    let status: Option<u64> = find(&text, r#""status_code""#);
    let reports_error = body.error_type.is_some() || status.is_some_and(|status| status >= 400);
    (body, reports_error)
}

fn find<T: DeserializeOwned>(text: &str, key: &str) -> Option<T> {
    text.match_indices(key).find_map(|(at, _)| {
        let value = text.get(at + key.len()..)?.trim_start().strip_prefix(':')?;
        serde_json::Deserializer::from_str(value).into_iter().next()?.ok()
    })
}
