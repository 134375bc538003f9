//! What several tests use.

pub(crate) mod capture;
pub(crate) mod child;
pub(crate) mod hostile;
pub(crate) mod lab;
pub(crate) mod play;
pub(crate) mod recorder;
pub(crate) mod tls;
