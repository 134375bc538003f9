//! Support of several tests.

pub(crate) mod acme;
pub(crate) mod browser;
pub(crate) mod capture;
pub(crate) mod child;
pub(crate) mod fast_time;
pub(crate) mod json;
pub(crate) mod prelude;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod scripted_project;
pub(crate) mod scripted_server;
pub(crate) mod scripts;
pub(crate) mod service;
pub(crate) mod steps;
pub(crate) mod tls;
pub(crate) mod visit;
pub(crate) mod wait;
