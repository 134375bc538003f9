//! Names the field at which decoding a response failed, without its value.
//!
//! `serde_json` reports a line and a column, and messages that quote the value. This walks the
//! text up to that position. `serde_path_to_error` would add a dependency to each consumer's
//! build.

use std::fmt::Write;

enum Container {
    Object(String),
    Array(usize),
}

/// Describes an error of decoding `json` as a sentence.
pub(crate) fn describe(error: &serde_json::Error, json: &[u8]) -> String {
    let path = path_at(json, offset(json, error.line(), error.column()));
    // The one message that quotes no value: field names are those of the OpenAPI document.
    let message = error.to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match (missing, path.is_empty()) {
        (Some(field), true) => format!("the JSON lacks the field `{field}`"),
        (Some(field), false) => format!("the JSON lacks the field `{path}.{field}`"),
        (None, true) => "the JSON has an unexpected type".to_owned(),
        (None, false) => format!("the JSON field `{path}` has an unexpected type"),
    }
}

/// The offset of a line and column, both counted from 1.
fn offset(json: &[u8], line: usize, column: usize) -> usize {
    let mut lines = json.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.by_ref().take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    before + column
}

fn path_at(json: &[u8], end: usize) -> String {
    let (mut stack, mut expects_key) = (Vec::new(), false);
    let mut bytes = json.iter().copied().take(end).peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' => {
                stack.push(Container::Object(String::new()));
                expects_key = true;
            }
            b'[' => {
                stack.push(Container::Array(0));
                expects_key = false;
            }
            b'}' | b']' => {
                stack.pop();
            }
            b',' => match stack.last_mut() {
                Some(Container::Array(index)) => *index += 1,
                _ => expects_key = true,
            },
            b':' => expects_key = false,
            b'"' => {
                let text = string(&mut bytes);
                if let (true, Some(Container::Object(key))) = (expects_key, stack.last_mut()) {
                    *key = text;
                }
            }
            _ => {}
        }
    }
    join(&stack)
}

/// Takes a string up to its closing quote. A key with other characters than those of Stytch's
/// fields is untrusted text, and shown as `?`.
fn string(bytes: &mut impl Iterator<Item = u8>) -> String {
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => text.extend(bytes.next().map(|_| b'?')),
            _ => text.push(byte),
        }
    }
    let is_field = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    if text.len() > 100 || !text.iter().all(is_field) {
        return "?".to_owned();
    }
    String::from_utf8(text).unwrap_or_default()
}

fn join(stack: &[Container]) -> String {
    let mut path = String::new();
    for container in stack {
        let _ = match container {
            Container::Object(key) if path.is_empty() => write!(path, "{key}"),
            Container::Object(key) => write!(path, ".{key}"),
            Container::Array(index) => write!(path, "[{index}]"),
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Response {
        _connection: Connection,
    }

    #[derive(Deserialize)]
    struct Connection {
        _name: String,
        _roles: Option<Vec<Role>>,
    }

    #[derive(Deserialize)]
    struct Role {
        _id: String,
    }

    fn described(json: &str) -> String {
        describe(&serde_json::from_str::<Response>(json).err().unwrap(), json.as_bytes())
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
            (r#"{"_connection":{"_name":"n","_roles":[{"_id":"a"},{"_id":"\ud800"}]}}"#, role),
            (r#"{"_connection":"secret"}"#, "the JSON field `_connection` has an unexpected type"),
            (r"[]", "the JSON has an unexpected type"),
            (r#"{"a":1}"#, "the JSON lacks the field `_connection`"),
            (r#"{"_connection":{}}"#, "the JSON lacks the field `_connection._name`"),
        ];
        for (json, expected) in cases {
            assert_eq!(described(json), expected, "{json}");
        }
    }
}
