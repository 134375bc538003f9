//! Checks the settings and builds everything that members share, once, to hand it down.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::ClientBuilder;
use crate::{
    call::{CallContext, Retry},
    client::client::Client,
    error::BuildError,
    http::{BaseUrl, Proxy, Transport, TransportConfig, placeholder},
    member::{EditLocks, Policies, Project},
    organization::OrganizationResolver,
    wire::{Credential, PathSegment},
};

impl ClientBuilder {
    /// Builds the client. Sends nothing.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] that names the setting at fault: `EmptyProjectId`, `InvalidProjectId`,
    /// `UnknownEnvironment`, `EmptySecret`, `InvalidSecret`, `Whitespace` and `Quoted` for the
    /// credentials; `InvalidBaseUrl`, `InsecureBaseUrl` and `NoTls` for the base URL; `Zero` for a
    /// timeout, `max_in_flight`, `max_response_bytes` or `session_cache_capacity` of zero;
    /// `InvalidAppName`; `CredentialHeader` and `CookieStore` for settings of `configure_http`;
    /// `InvalidProxy` for a variable of the environment; `Http` if the HTTP client can't be built.
    /// `MissingVariable` is returned by [`Client::from_env`](crate::Client::from_env) only.
    pub fn build(self) -> Result<Client, BuildError> {
        let project_id = self.check_credentials()?;
        self.check_limits()?;
        let base_url = BaseUrl::new(self.base_url.as_deref(), &self.project_id)?;
        let http = self.http.build(&base_url)?;
        let config = TransportConfig {
            project_id,
            proxy: Proxy::of(&http, &base_url),
            http,
            placeholder: placeholder()?,
            base_url,
            authorization: self.authorization()?,
            attempt_timeout: self.http.attempt_timeout,
            connect_timeout: self.http.connect_timeout,
            max_response_bytes: self.max_response_bytes,
            clock: self.clock.clone(),
        };
        let transport = Transport::new(config, self.max_in_flight);
        let context = CallContext {
            transport: Arc::new(transport),
            retry: Arc::new(Retry::new(self.policy, self.clock)),
            operation_timeout: self.operation_timeout,
        };
        let policies = Policies::new(context.clone());
        let organizations = OrganizationResolver::new(context.clone(), self.organizations);
        let edits = EditLocks::default();
        let project = Project { context, organizations, edits, policies };
        Ok(Client { project: Arc::new(project) })
    }

    fn check_credentials(&self) -> Result<PathSegment, BuildError> {
        let secret = self.secret.expose_secret();
        if self.project_id.is_empty() {
            return Err(BuildError::EmptyProjectId);
        }
        if secret.is_empty() {
            return Err(BuildError::EmptySecret);
        }
        for (setting, text) in [("project id", &*self.project_id), ("project secret", secret)] {
            if text.trim() != text || text.contains(['\r', '\n']) {
                return Err(BuildError::Whitespace { setting });
            }
            if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
                return Err(BuildError::Quoted { setting });
            }
        }
        let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let project_id = PathSegment::new(&self.project_id).ok();
        let project_id = project_id.filter(|id| id.bytes().all(is_of_id));
        let project_id = project_id.ok_or(BuildError::InvalidProjectId)?;
        let environments = ["project-test-", "project-live-"];
        if self.base_url.is_none() && !environments.iter().any(|it| self.project_id.starts_with(it))
        {
            return Err(BuildError::UnknownEnvironment);
        }
        if !secret.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(BuildError::InvalidSecret);
        }
        Ok(project_id)
    }

    fn check_limits(&self) -> Result<(), BuildError> {
        let zero = [
            ("connect_timeout", self.http.connect_timeout.is_zero()),
            ("attempt_timeout", self.http.attempt_timeout.is_zero()),
            ("operation_timeout", self.operation_timeout.is_zero()),
            ("max_in_flight", self.max_in_flight == 0),
            ("max_response_bytes", self.max_response_bytes == 0),
            ("session_cache_capacity", self.organizations.capacity == 0),
        ];
        match zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((setting, _)) => Err(BuildError::Zero { setting }),
            None => Ok(()),
        }
    }

    fn authorization(&self) -> Result<HeaderValue, BuildError> {
        let plain =
            SecretString::from(format!("{}:{}", self.project_id, self.secret.expose_secret()));
        let encoded = SecretString::from(BASE64_STANDARD.encode(plain.expose_secret()));
        // Shares its memory with the header, and is zeroed with it.
        let basic = Credential::new(format!("Basic {}", encoded.expose_secret()));
        let mut value = HeaderValue::from_maybe_shared(basic.share())
            .map_err(|_| BuildError::InvalidProjectId)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

const QUOTES: [char; 3] = ['"', '\'', '`'];
