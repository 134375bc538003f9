//! YAML, read into a tree that keeps the order of keys and the line of every value.
//!
//! An alias is replaced by its target. A merge key stays the plain key `<<`, which the allow-list
//! rejects.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Number;

/// A value and the line on which it, or its key, stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What a node holds. Serialized in the order of the file, whichever features of
/// `serde_json` another crate may have turned on.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Reads one document. An error begins with `line:column`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let documents = MarkedYaml::load_from_str(text).map_err(|error| {
            let (line, column) = (error.marker().line(), error.marker().col() + 1);
            format!("{line}:{column}: isn't YAML: {}", error.info())
        })?;
        match documents.as_slice() {
            [document] => convert(document),
            documents => Err(format!("1:1: {} YAML documents, not one", documents.len())),
        }
    }

    /// Converts JSON, which has no lines.
    pub(crate) fn from_json(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(value),
            Json::Number(number) => Value::Number(number),
            Json::String(text) => Value::Text(text),
            Json::Array(items) => Value::List(items.into_iter().map(Self::from_json).collect()),
            Json::Object(entries) => Value::Map(
                entries.into_iter().map(|(key, value)| (key, Self::from_json(value))).collect(),
            ),
        };
        Self { line: 0, value }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|(name, _)| name == key);
        found.map(|(_, node)| node)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        matches!(self.value, Value::Bool(true))
    }

    /// The entries of a map; none if it's something else.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none if it's something else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The node that a JSON pointer such as `#/components/schemas/Error` names.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Self> {
        let mut steps = pointer.strip_prefix("#/")?.split('/');
        steps.try_fold(self, |node, step| node.get(&step.replace("~1", "/").replace("~0", "~")))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => number.serialize(serializer),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, node)| map.serialize_entry(key, node))?;
                map.end()
            }
        }
    }
}

fn convert(yaml: &MarkedYaml<'_>) -> Result<Node, String> {
    let line = yaml.span.start.line();
    let value = match &yaml.data {
        YamlData::Value(scalar) => convert_scalar(scalar)
            .ok_or_else(|| format!("{line}:1: a number that JSON can't hold"))?,
        YamlData::Sequence(items) => {
            Value::List(items.iter().map(convert).collect::<Result<_, _>>()?)
        }
        YamlData::Mapping(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| convert_entry(key, value))
                .collect::<Result<_, _>>()?,
        ),
        _ => {
            return Err(format!("{line}:1: a YAML tag or alias that isn't understood"));
        }
    };
    Ok(Node { line, value })
}

fn convert_entry(key: &MarkedYaml<'_>, value: &MarkedYaml<'_>) -> Result<(String, Node), String> {
    let line = key.span.start.line();
    // An unquoted status code is a number in YAML, but a name in OpenAPI.
    let name = match &key.data {
        YamlData::Value(Scalar::String(text)) => text.to_string(),
        YamlData::Value(Scalar::Integer(number)) => number.to_string(),
        _ => return Err(format!("{line}:1: a key that is no string")),
    };
    // A value in block style starts below its key; a reader looks for the key.
    Ok((name, Node { line, ..convert(value)? }))
}

fn convert_scalar(scalar: &Scalar<'_>) -> Option<Value> {
    Some(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(*value),
        Scalar::Integer(number) => Value::Number((*number).into()),
        Scalar::FloatingPoint(number) => Value::Number(Number::from_f64(number.0)?),
        Scalar::String(text) => Value::Text(text.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::Node;

    #[test]
    fn a_node_has_the_line_of_its_key_or_item() {
        let node = Node::parse("# top\na:\n  b:\n    - x\n    - y: 1\n").unwrap();
        let line_at = |pointer: &str| node.at(pointer).unwrap().line;
        assert_eq!((line_at("#/a"), line_at("#/a/b")), (2, 3));
        assert_eq!(node.at("#/a/b").unwrap().items()[1].line, 5);
    }

    #[test]
    fn json_keeps_the_order_of_the_yaml() {
        let node = Node::parse("b: 1\na: [null, true, 1.5, '200']\n404: {}\n").unwrap();
        let json = serde_json::to_string(&node).unwrap();
        assert_eq!(json, r#"{"b":1,"a":[null,true,1.5,"200"],"404":{}}"#);
    }

    #[test]
    fn broken_yaml_is_one_line_with_its_place() {
        for broken in ["a: [1,\nb: 2\n", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "a: .nan"] {
            let message = Node::parse(broken).unwrap_err();
            assert!(!message.contains('\n'), "{message}");
            assert!(message.starts_with(|c: char| c.is_ascii_digit()), "{message}");
        }
    }
}
