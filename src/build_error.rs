//! Why a client can't be made. Each error names the setting at fault and what to do.

/// Why a client can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The project id is empty.
    #[error("the project id is empty: take it from the API keys in Stytch's dashboard")]
    EmptyProjectId,
    /// The project id can't be one.
    #[error("the project id has characters that no project id has")]
    InvalidProjectId,
    /// The secret is empty.
    #[error("the project secret is empty: take it from the API keys in Stytch's dashboard")]
    EmptySecret,
    /// The base URL isn't one that can be used. It isn't repeated here, since it may hold a
    /// password.
    #[error("the base URL {reason}")]
    InvalidBaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The base URL would send credentials in the clear.
    #[error("the base URL is plain http on a host that isn't this machine's loopback: use https")]
    InsecureBaseUrl,
    /// An environment variable isn't set, or isn't Unicode.
    #[error("the environment variable {name} isn't set to text")]
    MissingVariable {
        /// Its name.
        name: &'static str,
    },
    /// A setting is zero, with which nothing could ever be sent or read.
    #[error("{setting} is zero")]
    Zero {
        /// The setter's name.
        setting: &'static str,
    },
    /// An https base URL, but neither the feature `rustls` nor `native-tls`.
    #[error("https needs the feature `rustls` or `native-tls`")]
    NoTls,
    /// The HTTP client can't be made, for example because the system's certificates can't
    /// be read.
    #[error("the HTTP client can't be made")]
    Http {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
