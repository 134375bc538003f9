//! Compares two operations: path, method, security, parameters, body and responses.

use super::{
    access,
    compare::Comparison,
    difference::{Direction, Group},
};
use crate::{
    document::{Document, Place, unescape},
    yaml::Node,
};

/// An operation and where it is.
pub(super) struct Operation {
    id: String,
    path: String,
    method: String,
    deprecated: bool,
    /// The path item and the operation itself.
    owners: [Node; 2],
    /// Its own and those of its path.
    parameters: Vec<Parameter>,
    body: Option<Node>,
    /// By status.
    responses: Vec<(String, Node)>,
}

struct Parameter {
    /// `path`, `query`, `header` or `cookie`.
    place: String,
    name: String,
    required: bool,
    schema: Option<Node>,
}

impl Parameter {
    fn new(node: &Node) -> Self {
        let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        Self {
            place: text("in").to_owned(),
            name: text("name").to_owned(),
            required: is_set(node, "required"),
            schema: node.get("schema").cloned(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        // Names of headers have no case.
        let same_name = match self.place.as_str() {
            "header" => self.name.eq_ignore_ascii_case(&other.name),
            _ => self.name == other.name,
        };
        self.place == other.place && same_name
    }
}

/// Compares an operation of ours with its counterpart, if it names one.
pub(super) fn compare(comparison: &mut Comparison<'_>, place: &Place, all: &[Operation]) {
    let names = place.node.get("x-stytch-upstream").map_or(&[][..], Node::items);
    let names: Vec<_> = names.iter().filter_map(Node::text).collect();
    let Some(ours) = operation(comparison.ours, place).filter(|_| !names.is_empty()) else {
        return;
    };
    let listed = all.iter().find(|theirs| names.contains(&theirs.id.as_str()));
    let same = |theirs: &&Operation| (&theirs.path, &theirs.method) == (&ours.path, &ours.method);
    let Some(theirs) = listed.or_else(|| all.iter().find(same)) else {
        let text = format!("no operation {} upstream", names.join(" or "));
        return comparison.note(Group::Breaking, &ours.id, text);
    };
    if listed.is_none() {
        let text =
            format!("is called {} upstream, which x-stytch-upstream doesn't list", theirs.id);
        comparison.note(Group::Cosmetic, &ours.id, text);
    }
    address(comparison, &ours, theirs);
    access::own_servers(comparison, &ours.id, &theirs.owners);
    access::security(comparison, &ours.id, &place.node, &theirs.owners[1]);
    parameters(comparison, &ours, theirs);
    request(comparison, &ours, theirs);
    responses(comparison, &ours, theirs);
}

/// The operations of a document.
pub(super) fn all(document: &Node) -> Vec<Operation> {
    let places = Document::new(document.clone()).operations;
    let operations = places.iter().map(|place| operation(document, place));
    operations.flatten().collect()
}

/// Whether requests or responses use a schema of ours; both if no operation uses it.
pub(super) fn directions(document: &Document, pointer: &str) -> Vec<Direction> {
    let request = document.is_in_requests(pointer);
    let response = document.is_in_responses(pointer);
    let mut ways = Vec::new();
    if request || !response {
        ways.push(Direction::Request);
    }
    if response || !request {
        ways.push(Direction::Response);
    }
    ways
}

fn operation(document: &Node, place: &Place) -> Option<Operation> {
    let (path_pointer, method) = place.pointer.rsplit_once('/')?;
    let path = path_pointer.rsplit('/').next()?;
    let id = place.node.get("operationId").and_then(Node::text);
    let owners = [document.at(path_pointer), Some(&place.node)];
    let parameters = owners.into_iter().flatten();
    let parameters = parameters
        .filter_map(|owner| owner.get("parameters"))
        .flat_map(Node::items)
        .map(|parameter| Parameter::new(resolve(document, parameter)))
        .collect();
    let body = place.node.get("requestBody");
    let responses = place.node.get("responses").map_or(&[][..], Node::entries).iter();
    let responses =
        responses.map(|(status, response)| (status.clone(), resolve(document, response).clone()));
    Some(Operation {
        id: id.unwrap_or_default().to_owned(),
        path: unescape(path),
        method: method.to_owned(),
        deprecated: is_set(&place.node, "deprecated"),
        owners: [document.at(path_pointer)?.clone(), place.node.clone()],
        parameters,
        body: body.map(|body| resolve(document, body).clone()),
        responses: responses.collect(),
    })
}

fn resolve<'a>(document: &'a Node, node: &'a Node) -> &'a Node {
    let target = node.get("$ref").and_then(Node::text);
    target.and_then(|target| document.at(target)).unwrap_or(node)
}

fn address(comparison: &mut Comparison<'_>, ours: &Operation, theirs: &Operation) {
    if ours.path != theirs.path {
        let text = format!("path {} upstream, {} here", theirs.path, ours.path);
        comparison.note(Group::Breaking, &ours.id, text);
    }
    if ours.method != theirs.method {
        let text = format!("method {} upstream, {} here", theirs.method, ours.method);
        comparison.note(Group::Breaking, &ours.id, text);
    }
    if theirs.deprecated && !ours.deprecated {
        comparison.note(Group::Cosmetic, &ours.id, "deprecated upstream");
    }
}

fn parameters(comparison: &mut Comparison<'_>, ours: &Operation, theirs: &Operation) {
    for parameter in &ours.parameters {
        let at = format!("{} {} {}", ours.id, parameter.place, parameter.name);
        let Some(other) = theirs.parameters.iter().find(|other| other.is(parameter)) else {
            comparison.note(Group::Breaking, &at, "isn't there upstream");
            continue;
        };
        match (parameter.required, other.required) {
            (false, true) => {
                comparison.note(Group::Breaking, &at, "required upstream, optional here");
            }
            (true, false) => {
                comparison.note(Group::Additive, &at, "optional upstream, required here");
            }
            _ => {}
        }
        if let (Some(ours), Some(theirs)) = (&parameter.schema, &other.schema) {
            comparison.schemas(&at, ours, theirs, Direction::Request);
        }
    }
    for parameter in &theirs.parameters {
        if ours.parameters.iter().any(|other| other.is(parameter)) {
            continue;
        }
        let at = format!("{} {} {}", ours.id, parameter.place, parameter.name);
        let (group, need) = if parameter.required {
            (Group::Breaking, "required")
        } else {
            (Group::Additive, "optional")
        };
        comparison.note(group, &at, format!("only upstream: {need}"));
    }
}

fn request(comparison: &mut Comparison<'_>, ours: &Operation, theirs: &Operation) {
    let at = format!("{} request", ours.id);
    match (&ours.body, &theirs.body) {
        (Some(ours), Some(theirs)) => {
            if is_set(theirs, "required") && !is_set(ours, "required") {
                comparison.note(Group::Breaking, &at, "required upstream, optional here");
            }
            contents(comparison, &at, [ours, theirs], Direction::Request);
        }
        (Some(_), None) => comparison.note(Group::Breaking, &at, "no body upstream"),
        (None, Some(theirs)) if is_set(theirs, "required") => {
            comparison.note(Group::Breaking, &at, "only upstream: a required body");
        }
        (None, Some(_)) => {
            comparison.note(Group::Additive, &at, "only upstream: an optional body");
        }
        (None, None) => {}
    }
}

fn responses(comparison: &mut Comparison<'_>, ours: &Operation, theirs: &Operation) {
    let mut covered = Vec::new();
    for (status, response) in &ours.responses {
        let at = format!("{} response {status}", ours.id);
        let others = theirs.responses.iter().filter(|(other, _)| covers(status, other));
        let others: Vec<_> = others.collect();
        covered.extend(others.iter().map(|(other, _)| other));
        if !status.starts_with('2') {
            errors(comparison, &at, response, &others);
            continue;
        }
        if others.is_empty() {
            comparison.note(Group::Breaking, &at, "isn't there upstream");
        }
        for (other, theirs) in others {
            let at = format!("{} response {other}", ours.id);
            contents(comparison, &at, [response, theirs], Direction::Response);
        }
    }
    for (status, response) in &theirs.responses {
        // A default without a schema describes nothing.
        if !covered.contains(&status) && (status != "default" || schema(response).is_some()) {
            let at = format!("{} response {status}", ours.id);
            comparison.note(Group::Breaking, &at, "only upstream");
        }
    }
}

/// Whether a status or range of ours includes one of upstream.
fn covers(ours: &str, theirs: &str) -> bool {
    ours.strip_suffix("XX").map_or(ours == theirs, |digit| theirs.starts_with(digit))
}

/// One schema of ours is for all errors; each that upstream describes must fit it.
fn errors(comparison: &mut Comparison<'_>, at: &str, ours: &Node, theirs: &[&(String, Node)]) {
    let described = theirs.iter().filter(|(_, response)| schema(response).is_some());
    let described: Vec<_> = described.collect();
    if described.is_empty() && schema(ours).is_some() {
        comparison.note(Group::Cosmetic, at, "no JSON schema upstream");
    }
    for (_, response) in described {
        contents(comparison, at, [ours, response], Direction::Response);
    }
}

fn contents(comparison: &mut Comparison<'_>, at: &str, bodies: [&Node; 2], way: Direction) {
    match bodies.map(schema) {
        [Some(ours), Some(theirs)] => comparison.schemas(at, ours, theirs, way),
        [Some(_), None] => comparison.note(Group::Breaking, at, "no JSON schema upstream"),
        [None, Some(_)] => comparison.note(Group::Additive, at, "only upstream: a JSON schema"),
        [None, None] => {}
    }
}

fn schema(body: &Node) -> Option<&Node> {
    body.get("content")?.get("application/json")?.get("schema")
}

fn is_set(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(Node::is_true)
}
