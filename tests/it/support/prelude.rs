//! The names that most tests use: of the crate, of JSON, and of the scripted project.

pub(crate) use std::time::Duration;

pub(crate) use futures_util::future::join_all;
pub(crate) use serde_json::{Value, json};
pub(crate) use stytch_sso_external::{
    Client, ClientBuilder, Error,
    ErrorKind::{self, *},
    MemberClient,
    Operation::{self, *},
    Outcome::{self, *},
    RetryPolicy, Session,
    testing::{self, Clock, Fault, LoggedIn, Response, Stytch, jwt, responses},
    types::{self, ExternalConnection, UpdateExternalConnectionRequest},
};

pub(crate) use super::{
    acme::Acme,
    capture, child,
    fast_time::{accelerate, accelerate_with},
    json::{missing_or_null, with, without},
    member::{
        AUTHENTICATE, JWKS, LIST, assert_denied, assert_error, assert_not_applied, jwt_of, token_of,
    },
    scripted_project::{self, *},
    scripted_server::{self, Request, ScriptedServer},
    scripts::{ScriptedClient, always, first, hang},
    service::{Service, ServiceResponse},
    steps::{self, JSON, Step, Steps},
    wait::until,
};
