//! Reads an OpenAPI document from YAML, with the line of each part.

use saphyr::{LoadableYamlNode, MarkedYamlOwned, ScalarOwned, YamlDataOwned};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::read;

/// A YAML document.
#[derive(Debug)]
pub struct Document {
    yaml: MarkedYamlOwned,
    /// The same as JSON, without the order of the file.
    pub json: Value,
}

impl Document {
    /// Reads a file. An error begins with its path and the line.
    pub fn read(path: &str) -> Result<Self, String> {
        Self::parse(&read(path)?).map_err(|error| format!("{path}:{error}"))
    }

    /// Parses one document. An error begins with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let documents = MarkedYamlOwned::load_from_str(text)
            .map_err(|error| format!("{}: isn't YAML: {}", error.marker().line(), error.info()))?;
        let [yaml] = <[_; 1]>::try_from(documents).map_err(|_| "1: isn't one YAML document")?;
        let json = serde_json::to_value(Node(&yaml)).map_err(|error| error.to_string())?;
        Ok(Self { yaml, json })
    }

    /// Formats it as JSON, in the order of the file.
    pub fn to_text(&self) -> Result<String, String> {
        let text = serde_json::to_string_pretty(&Node(&self.yaml));
        text.map(|text| text + "\n").map_err(|error| error.to_string())
    }

    /// The line of the part that a JSON pointer leads to, or of the nearest part above.
    pub fn line(&self, pointer: &str) -> usize {
        let (mut node, mut line) = (&self.yaml, 1);
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.data {
                YamlDataOwned::Sequence(items) => {
                    let item = step.parse().ok().and_then(|index: usize| items.get(index));
                    item.map(|item| (item, item))
                }
                YamlDataOwned::Mapping(entries) => {
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
fn name(key: &MarkedYamlOwned) -> Option<String> {
    let number = key.data.as_integer().map(|number| number.to_string());
    key.data.as_str().map(str::to_owned).or(number)
}

struct Node<'a>(&'a MarkedYamlOwned);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = |problem| S::Error::custom(format!("{}: {problem}", self.0.span.start.line()));
        match &self.0.data {
            YamlDataOwned::Value(ScalarOwned::Null) => serializer.serialize_unit(),
            YamlDataOwned::Value(ScalarOwned::Boolean(value)) => value.serialize(serializer),
            YamlDataOwned::Value(ScalarOwned::Integer(value)) => value.serialize(serializer),
            YamlDataOwned::Value(ScalarOwned::FloatingPoint(it)) => it.0.serialize(serializer),
            YamlDataOwned::Value(ScalarOwned::String(text)) => text.serialize(serializer),
            YamlDataOwned::Sequence(items) => serializer.collect_seq(items.iter().map(Node)),
            YamlDataOwned::Mapping(entries) => {
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

/// A text; an empty one of anything else.
pub(crate) fn text(part: &Value) -> &str {
    part.as_str().unwrap_or_default()
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

/// The operations: path, method and operation.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    entries(&document["paths"]).flat_map(|(path, item)| {
        entries(item).map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The schema of a request's or response's JSON.
pub(crate) fn content(body: &Value) -> &Value {
    &body["content"]["application/json"]["schema"]
}
