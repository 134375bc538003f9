//! Reads a JSON null as a value.
//!
//! The build attaches these functions to fields of responses: `build/nulls.rs`.

use serde::{Deserialize, Deserializer};

/// Reads null as the default value.
pub(crate) fn as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads null as an empty list, for a list that is `None` if it is missing.
pub(crate) fn as_empty_list<'de, T, D>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    as_default(deserializer).map(Some)
}
