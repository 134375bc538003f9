//! The names that most tests use: of the crate, of JSON, and of the scripted project.

pub(crate) use std::time::Duration;

pub(crate) use serde_json::{Value, json};
pub(crate) use stytch_sso_external::{
    Client, ClientBuilder, Error,
    ErrorKind::{self, *},
    MemberClient,
    Operation::{self, *},
    Outcome::{self, *},
    RetryPolicy, Session,
    testing::{self, Clock, Fault, Response, Stytch, jwt, responses},
    types::{self, ExternalConnection, UpdateExternalConnectionRequest},
};

pub(crate) use super::{
    acme::Acme,
    capture,
    fast_time::{accelerate, accelerate_with},
    json::{missing_or_null, with, without},
    scripted_project::{self, *},
    scripted_server::{self, ScriptedServer},
    steps::{self, JSON, Step, Steps},
    wait::until,
};
