//! Decodes the JSON of a success, and names the field at which that fails, without its value.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_path_to_error::Segment;

/// Decodes a body. The error describes the field that failed, and is `None` if the body isn't JSON.
pub(crate) fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, Option<String>> {
    // Checked as a whole, which is faster than string by string.
    let decoded = match str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    };
    // Only a failure is worth the slower search for the field.
    decoded.map_err(|error| if error.is_data() { describe::<T>(json) } else { None })
}

fn describe<T: DeserializeOwned>(json: &[u8]) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err()?;
    // A key with other characters than those of Stytch's fields is untrusted text, and shown as `?`.
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let segments = error.path().iter().map(|segment| match segment {
        Segment::Seq { index } => format!("[{index}]"),
        Segment::Map { key } if key.len() <= 100 && key.bytes().all(is_plain) => format!(".{key}"),
        _ => ".?".to_owned(),
    });
    // The one message that quotes no value: field names are those of the OpenAPI document.
    let message = error.inner().to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let path: String = segments.chain(missing.map(|field| format!(".{field}"))).collect();
    let path = path.trim_start_matches('.');
    Some(match missing {
        Some(_) => format!("the JSON lacks the field `{path}`"),
        None if path.is_empty() => "the JSON has an unexpected type".to_owned(),
        None => format!("the JSON field `{path}` has an unexpected type"),
    })
}

/// Reads null as the default value. The build attaches this function and the next one to fields of
/// responses: `build/nulls.rs`.
pub(crate) fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads null as an empty list, for a list that is `None` if it is missing.
pub(crate) fn null_as_empty_list<'de, T, D>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    null_as_default(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Response {
        _connection: Connection,
    }

    #[derive(Debug, Deserialize)]
    struct Connection {
        _name: String,
        _roles: Option<Vec<Role>>,
    }

    #[derive(Debug, Deserialize)]
    struct Role {
        _id: String,
    }

    #[test]
    fn the_field_is_named_and_its_value_is_not() {
        let name = "the JSON field `_connection._name` has an unexpected type";
        let role = "the JSON field `_connection._roles[1]._id` has an unexpected type";
        let cases = [
            (r#"{"_connection":{"_name":5}}"#, name),
            (r#"{"_connection":{"_name":null,"a":1}}"#, name),
            ("{\n \"_connection\": {\n  \"_name\": [\"}secret\"]}}", name),
            (r#"{"x":{"y":["z"]},"_connection":{"_name":{"secret":1}}}"#, name),
            (r#"{"_connection":{"_name":"n","_roles":[{"_id":"a"},{"_id":7}]}}"#, role),
            (r#"{"_connection":"secret"}"#, "the JSON field `_connection` has an unexpected type"),
            (r"[]", "the JSON has an unexpected type"),
            (r#"{"a":1}"#, "the JSON lacks the field `_connection`"),
            (r#"{"_connection":{}}"#, "the JSON lacks the field `_connection._name`"),
        ];
        for (json, expected) in cases {
            let described = decode::<Response>(json.as_bytes()).unwrap_err();
            assert_eq!(described.as_deref(), Some(expected), "{json}");
        }
    }
}
