//! Reads a JSON null as the type's default value.
//!
//! The build attaches this to the fields of responses that have a default in the document.

use serde::{Deserialize, Deserializer};

pub(crate) fn as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
