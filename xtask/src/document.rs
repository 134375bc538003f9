//! Reads an OpenAPI document from YAML: as JSON in the order of the file, and with the line of each
//! part.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Map, Value};

/// A YAML document.
#[derive(Debug)]
pub struct Document<'a>(MarkedYaml<'a>);

impl<'a> Document<'a> {
    /// Parses one document. An error begins with the line.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let mut documents = MarkedYaml::load_from_str(text)
            .map_err(|error| format!("{}: isn't YAML: {}", error.marker().line(), error.info()))?;
        match (documents.pop(), documents.is_empty()) {
            (Some(document), true) => Ok(Self(document)),
            _ => Err("1: isn't one YAML document".to_owned()),
        }
    }

    /// The document as formatted JSON. An error begins with the line.
    pub fn to_json(&self) -> Result<String, String> {
        let json = serde_json::to_string_pretty(&Node(&self.0));
        json.map(|json| json + "\n").map_err(|error| error.to_string())
    }

    /// The document as a JSON value. An error begins with the line.
    pub fn to_value(&self) -> Result<Value, String> {
        serde_json::to_value(Node(&self.0)).map_err(|error| error.to_string())
    }

    /// The line of the part that a JSON pointer leads to, or of the nearest part above.
    pub fn line(&self, pointer: &str) -> usize {
        let (mut node, mut line) = (&self.0, 1);
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.data {
                YamlData::Sequence(items) => {
                    let item = step.parse().ok().and_then(|index: usize| items.get(index));
                    item.map(|item| (item, item))
                }
                YamlData::Mapping(entries) => {
                    entries.iter().find(|(key, _)| name(key).as_ref() == Some(&step))
                }
                _ => None,
            };
            // A value in block style starts below its key; a reader looks for the key.
            let Some((start, next)) = next else { break };
            (node, line) = (next, start.span.start.line());
        }
        line
    }
}

/// An unquoted status code is a number in YAML, but a name in OpenAPI.
fn name(key: &MarkedYaml<'_>) -> Option<String> {
    match &key.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        _ => None,
    }
}

struct Node<'a>(&'a MarkedYaml<'a>);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = |problem| S::Error::custom(format!("{}: {problem}", self.0.span.start.line()));
        match &self.0.data {
            YamlData::Value(Scalar::Null) => serializer.serialize_unit(),
            YamlData::Value(Scalar::Boolean(value)) => serializer.serialize_bool(*value),
            YamlData::Value(Scalar::Integer(number)) => serializer.serialize_i64(*number),
            YamlData::Value(Scalar::FloatingPoint(number)) => serializer.serialize_f64(number.0),
            YamlData::Value(Scalar::String(text)) => serializer.serialize_str(text),
            YamlData::Sequence(items) => serializer.collect_seq(items.iter().map(Node)),
            YamlData::Mapping(entries) => {
                let names = entries.keys().map(name).collect::<Option<Vec<_>>>();
                let names = names.ok_or_else(|| error("a key isn't a string"))?;
                serializer.collect_map(names.into_iter().zip(entries.values().map(Node)))
            }
            _ => Err(error("a YAML tag or an unknown alias")),
        }
    }
}

/// The entries of an object; none of anything else.
pub(crate) fn entries(part: &Value) -> impl Iterator<Item = (&String, &Value)> {
    part.as_object().into_iter().flat_map(Map::iter)
}

/// The items of a list; none of anything else.
pub(crate) fn items(part: &Value) -> impl Iterator<Item = &Value> {
    part.as_array().into_iter().flatten()
}

/// The texts in a list.
pub(crate) fn texts(part: &Value) -> impl Iterator<Item = &str> {
    items(part).filter_map(Value::as_str)
}

/// The part that a JSON pointer leads to, or null.
pub(crate) fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document.pointer(pointer).unwrap_or(&Value::Null)
}

/// The target of a `$ref`, or else the part itself.
pub(crate) fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let target = part["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.map_or(part, |target| at(document, target))
}

/// Writes a key as a step of a JSON pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
