//! The names that several tests use: of the crate, of other crates, and of the scripted project.

pub(crate) use std::{
    fmt::Display,
    pin::pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
pub(crate) use futures_util::{FutureExt, future::join_all};
pub(crate) use http::{HeaderMap, HeaderName, HeaderValue};
pub(crate) use reqwest::Method;
pub(crate) use serde_json::{Value, json};
pub(crate) use stytch_sso_external::{
    BuildError, Client, ClientBuilder, ConnectionEdit, Error,
    ErrorKind::{self, *},
    MemberClient,
    Operation::{self, *},
    Outcome::{self, *},
    RetryPolicy, Session, SessionKind, Verdict, reqwest,
    testing::{
        self, Clock, Connection, Fault, LoggedIn, Response, Stytch,
        jwt::{self, Key},
        responses,
    },
    types::{
        self, ExternalConnection, UpdateExternalConnectionRequest, UpdateExternalConnectionResponse,
    },
};
pub(crate) use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

pub(crate) use super::{
    acme::*,
    browser::Browser,
    capture, child,
    fast_time::{accelerate, accelerate_with},
    json::{missing_or_null, with, without},
    process, raw,
    scripted_project::{self, *},
    scripted_server::{self, Request, Script, ScriptedServer},
    scripts::*,
    service::{Service, ServiceResponse},
    steps::{self, JSON, Step, Steps, html},
    tls,
    wait::{self, until},
};
