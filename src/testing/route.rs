//! The operation of a request, by its method and path.

use crate::wire::Operation;

/// An operation and the ids in its path, decoded, in the order of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) operation: Operation,
    pub(super) ids: Vec<String>,
}

impl Route {
    /// Matches a path as Stytch's gateway would: segment by segment, then percent-decoded.
    pub(super) fn of(method: &str, path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let operations = Operation::ALL.iter().copied();
        let mut operations = operations.filter(|operation| operation.method() == method);
        operations.find_map(|operation| {
            let ids = ids(operation.path(), path)?;
            Some(Self { operation, ids })
        })
    }
}

/// Returns the ids of a path, in the places where its template has parameters.
fn ids(template: &str, path: &str) -> Option<Vec<String>> {
    let (mut expected, mut segments) = (template.split('/'), path.split('/'));
    let mut ids = Vec::new();
    loop {
        match (expected.next(), segments.next()) {
            (None, None) => return Some(ids),
            (Some(parameter), Some(segment)) if parameter.starts_with('{') => {
                ids.push(percent_decode(segment)?);
            }
            (Some(expected), Some(segment)) if expected == segment => {}
            _ => return None,
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
