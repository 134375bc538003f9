//! [`BuildError`]: each variant names the setting at fault and what it was expected to be.

/// The error of building a client.
///
/// Contains no secret: the values of settings are not repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The project id is empty.
    #[error("the project id is empty: copy it from the API keys page of Stytch's dashboard")]
    EmptyProjectId,
    /// The project id contains other characters than letters, digits, `-` and `_`, or more than
    /// 1,024 bytes.
    #[error(
        "the project id is invalid: expected an id such as project-test-16b34bbe-…, of at most \
         1,024 letters, digits, `-` and `_`"
    )]
    InvalidProjectId,
    /// The project id begins with neither `project-test-` nor `project-live-`, and no base URL is
    /// set: the id selects Stytch's environment.
    #[error(
        "the project id begins with neither project-test- nor project-live-: check it, or set \
         base_url"
    )]
    UnknownEnvironment,
    /// The project secret is empty.
    #[error("the project secret is empty: copy it from the API keys page of Stytch's dashboard")]
    EmptySecret,
    /// The project secret contains a control character or one that is not ASCII.
    #[error("the project secret contains a character that is not printable ASCII")]
    InvalidSecret,
    /// The project id or secret has leading or trailing white space or contains a line break,
    /// as after copying it from a file.
    #[error("the {setting} has leading or trailing white space or a line break: remove it")]
    #[non_exhaustive]
    Whitespace {
        /// `project id` or `project secret`.
        setting: &'static str,
    },
    /// The project id or secret is in quotation marks, as in an env file that a tool read
    /// literally.
    #[error("the {setting} begins or ends with a quotation mark: remove it")]
    #[non_exhaustive]
    Quoted {
        /// `project id` or `project secret`.
        setting: &'static str,
    },
    /// The base URL can't be used. It isn't repeated here, since it may contain a password.
    #[error("the base URL {reason}")]
    #[non_exhaustive]
    InvalidBaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The base URL would send credentials in the clear.
    #[error("the base URL is plain http on a host that is not this machine's loopback: use https")]
    InsecureBaseUrl,
    /// An environment variable is not set, or not Unicode.
    #[error("the environment variable {name} is not set or not Unicode")]
    #[non_exhaustive]
    MissingVariable {
        /// Its name.
        name: &'static str,
    },
    /// A timeout or limit is zero, so that every request would fail.
    #[error("{setting} must be greater than zero")]
    #[non_exhaustive]
    Zero {
        /// The setter's name.
        setting: &'static str,
    },
    /// The base URL is https, but neither the feature `rustls` nor `native-tls` is enabled.
    #[error("https needs the feature `rustls` or `native-tls`")]
    NoTls,
    /// `configure_http` enables a cookie store. It would send the cookies of one member's response
    /// with the requests of others.
    #[error("configure_http enables a cookie store, which all members would share")]
    CookieStore,
    /// `configure_http` sets a default header that carries credentials. Default headers are sent
    /// with every request, in addition to the crate's own.
    #[error("configure_http sets the default header {name}, which carries credentials")]
    #[non_exhaustive]
    CredentialHeader {
        /// The header's name: `Authorization`, `Cookie`, or `X-Stytch-…` for any header with
        /// that prefix.
        name: &'static str,
    },
    /// `app_name` is empty, begins or ends with a space, or contains characters that a
    /// `User-Agent` header can't carry.
    #[error(
        "app_name must be printable ASCII without leading or trailing spaces, such as \
         `acme-admin/2.1`"
    )]
    InvalidAppName,
    /// A proxy variable of the environment can't be used. Its value isn't repeated, since it may
    /// contain a password.
    #[error("the environment variable {variable} is not a usable proxy: {reason}")]
    #[non_exhaustive]
    InvalidProxy {
        /// The variable's name, for example `HTTPS_PROXY`.
        variable: &'static str,
        /// What was expected.
        reason: &'static str,
    },
    /// The HTTP client can't be built, for example because the system's certificates can't be
    /// loaded.
    #[error("the HTTP client can't be built: {reason}")]
    #[non_exhaustive]
    Http {
        /// The text of the error's sources. If no certificates could be loaded, it names
        /// `SSL_CERT_FILE` and `SSL_CERT_DIR` where they are set.
        reason: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
