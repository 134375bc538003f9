//! Which operation a request is for, by its method and path alone.

/// An operation of Stytch's that the stand-in answers.
///
/// ```
/// use stytch_sso_external::testing::{Fault, Operation, Stytch};
///
/// let stytch = Stytch::start();
/// stytch.fault(Operation::Authenticate, Fault::status(503)).times(1);
/// assert_eq!(stytch.count(Operation::Authenticate), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `PUT /v1/b2b/sso/external/{organization_id}/connections/{connection_id}`
    Update,
    /// `POST /v1/b2b/sessions/authenticate`
    Authenticate,
    /// `GET /v1/b2b/sessions/jwks/{project_id}`
    Jwks,
}

/// An operation and the ids that stand in its path, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Update { organization: String, connection: String },
    Authenticate,
    Jwks { project: String },
}

impl Route {
    /// Reads a path as Stytch's gateway would: segment by segment, then percent-decoded.
    pub(super) fn of(method: &str, path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let segments: Vec<&str> = path.strip_prefix("/v1/b2b/")?.split('/').collect();
        match (method, segments.as_slice()) {
            ("PUT", ["sso", "external", organization, "connections", connection]) => {
                Some(Self::Update {
                    organization: percent_decode(organization)?,
                    connection: percent_decode(connection)?,
                })
            }
            ("POST", ["sessions", "authenticate"]) => Some(Self::Authenticate),
            ("GET", ["sessions", "jwks", project]) => {
                Some(Self::Jwks { project: percent_decode(project)? })
            }
            _ => None,
        }
    }

    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Update { .. } => Operation::Update,
            Self::Authenticate => Operation::Authenticate,
            Self::Jwks { .. } => Operation::Jwks,
        }
    }
}

fn percent_decode(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(decoded).ok()
}
