//! Whose organization a session is in.
//!
//! - `resolve.rs` resolves sessions to organizations, and caches the results.
//! - `jwt.rs` verifies session JWTs; `jwks.rs` has the keys for it.
//! - `clock_difference.rs` corrects a clock that is behind.

mod clock_difference;
pub(crate) mod jwks;
pub(crate) mod jwt;
pub(crate) mod resolve;

pub(crate) use jwks::JwksCache;
pub(crate) use resolve::{Member, OrganizationResolver};
