//! Malicious input: forged sessions, ids that change the path, keys, base URLs and settings.

mod ids;
mod jwks;
mod jwt;
mod settings;
