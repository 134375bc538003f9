//! What somebody who means harm can send: forged sessions, ids that leave their path, keys,
//! base URLs and settings.

mod ids;
mod jwks;
mod jwt;
mod settings;
