//! Whose organization a session is in.
//!
//! - `resolve.rs` resolves sessions to organizations; `cache.rs` has the results.
//! - `jwt.rs` verifies session JWTs; `jwks.rs` finds the key for one, also an unknown key.
//! - `settings.rs` has how sessions are resolved.

mod cache;
pub(crate) mod jwks;
pub(crate) mod jwt;
mod resolve;
mod settings;

pub(crate) use cache::Member;
pub(crate) use resolve::OrganizationResolver;
pub(crate) use settings::{FRESH, Settings};
