//! Changes of JSON bodies, by pointer.

use serde_json::Value;

/// The body with one value set.
pub(crate) fn with(mut body: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (above, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(above).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.into(),
        object => object[name.replace("~1", "/")] = value.into(),
    }
    body
}

/// The body without a field that it has.
pub(crate) fn without(mut body: Value, pointer: &str) -> Value {
    let (above, name) = pointer.rsplit_once('/').unwrap();
    let object = body.pointer_mut(above).unwrap().as_object_mut().unwrap();
    object.remove(&name.replace("~1", "/")).unwrap();
    body
}

/// The body without these fields, and with `null` in their place.
pub(crate) fn missing_or_null(body: &Value, pointers: &[&str]) -> [Value; 2] {
    let changes: [fn(Value, &str) -> Value; 2] = [without, |body, at| with(body, at, Value::Null)];
    changes.map(|change| pointers.iter().copied().fold(body.clone(), change))
}
