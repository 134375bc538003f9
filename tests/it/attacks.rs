//! Malicious input: forged sessions, ids that change the path, keys, and settings.

mod ids;
mod jwks;
mod jwt;
mod settings;
