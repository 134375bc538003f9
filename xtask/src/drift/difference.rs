//! A difference: how much it matters, and which way it goes.

use std::collections::BTreeMap;

use serde::Serialize;

/// How much a difference matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Group {
    /// Stytch may reject a request, or a response may be unreadable.
    Breaking,
    /// Upstream has more than our document describes.
    Additive,
    /// Requests and responses work unchanged.
    Cosmetic,
}

/// Whether a request or a response uses a schema.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Direction {
    Request,
    Response,
}

/// Differences as the report shows them, each with its worst group.
pub(super) type Differences = BTreeMap<String, Group>;
