//! Whose organization a session is in.
//!
//! - `resolve.rs` resolves sessions to organizations; `cache.rs` has the results.
//! - `jwt.rs` verifies session JWTs; `jwks.rs` has the keys for it.

mod cache;
pub(crate) mod jwks;
pub(crate) mod jwt;
pub(crate) mod resolve;

pub(crate) use cache::Member;
pub(crate) use jwks::JwksCache;
pub(crate) use resolve::OrganizationResolver;
