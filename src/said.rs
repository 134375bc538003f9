//! What an error body says, read as far as it can be.
//!
//! Nothing here decides what it means: `rbac.rs` does. A body that isn't what Stytch
//! documents loses what can't be read and nothing else: the `request_id`, which support
//! asks for, survives even where the JSON around it is broken.

use serde_json::Value;

use crate::error::Said;

impl Said {
    /// Reads an error body of Stytch's, whatever else is wrong with it; `None` where it is
    /// none.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        // One bad byte in a message must not cost the rest.
        let Ok(Value::Object(mut fields)) = serde_json::from_str(&String::from_utf8_lossy(body))
        else {
            return None;
        };
        let status = fields.remove("status_code").and_then(|status| status.as_u64());
        let mut text = |names: &[&str]| {
            names.iter().find_map(|name| match fields.remove(*name) {
                Some(Value::String(text)) => Some(text),
                _ => None,
            })
        };
        let mut said = Self {
            request_id: text(&["request_id"]),
            error_type: text(&["error_type", "error"]),
            error_message: text(&["error_message", "error_description"]),
            error_url: text(&["error_url", "error_uri"]),
            error_details: fields.remove("error_details").filter(|details| !details.is_null()),
            ..Self::default()
        };
        let names_an_error = said.error_type.is_some() || said.error_message.is_some();
        said.is_error = names_an_error || status.is_some_and(|status| status >= 400);
        (names_an_error || said.request_id.is_some()).then_some(said)
    }

    /// Finds the `request_id` in a body that isn't an error of Stytch's: cut off, nested too
    /// deep, an array.
    pub(crate) fn salvage(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let request_id = text.match_indices(REQUEST_ID).find_map(|(at, _)| {
            let value = text.get(at + REQUEST_ID.len()..)?.trim_start().strip_prefix(':')?;
            serde_json::Deserializer::from_str(value).into_iter().next()?.ok()
        });
        Self { request_id, ..Self::default() }
    }
}

const REQUEST_ID: &str = r#""request_id""#;
