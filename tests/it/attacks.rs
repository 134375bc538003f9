//! Malicious input: forged sessions, ids that change the path, and keys.

mod ids;
mod jwks;
mod jwt;
