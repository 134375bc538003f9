//! Two schemas, side by side: what an answer of Stytch's could break here, and what Stytch
//! could refuse of ours.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{operations, shape::Shape};
use crate::{
    document::{Document, Role},
    yaml::Node,
};

/// How much a difference matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Group {
    /// A request may be refused, or an answer be unreadable.
    Breaking,
    /// Upstream offers more than is described here.
    Additive,
    /// Everything works as it is.
    Cosmetic,
}

/// Which way a schema travels.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Direction {
    Request,
    Response,
}

/// Differences in words, each with the worst group that it was found in.
pub(super) type Differences = BTreeMap<String, Group>;

/// The comparison of two documents.
pub(super) struct Comparison<'a> {
    pub(super) ours: &'a Node,
    pub(super) theirs: &'a Node,
    differences: Differences,
    /// Named schemas of ours that were compared, by direction.
    seen: BTreeSet<(String, Option<String>, Direction)>,
}

/// Compares all that our document describes.
pub(super) fn compare(ours: &Node, theirs: &Node) -> Differences {
    let document = Document::new(ours.clone());
    let mut comparison =
        Comparison { ours, theirs, differences: Differences::new(), seen: BTreeSet::new() };
    let counterparts = operations::all(theirs);
    for operation in &document.operations {
        operations::compare(&mut comparison, operation, &counterparts);
    }
    comparison.unreached(&document);
    comparison.differences
}

impl Comparison<'_> {
    /// Notes a difference, at a place in the words of our document.
    pub(super) fn note(&mut self, group: Group, at: &str, says: impl AsRef<str>) {
        let difference = format!("{at}: {}", says.as_ref());
        let noted = self.differences.entry(difference).or_insert(group);
        *noted = group.min(*noted);
    }

    /// Compares schemas; `at` is where ours stands, unless it has a name of its own.
    pub(super) fn schemas(&mut self, at: &str, ours: &Node, theirs: &Node, way: Direction) {
        let (ours, theirs) = (Shape::of(self.ours, ours), Shape::of(self.theirs, theirs));
        if ours.kind != theirs.kind {
            let (here, there) = (ours.describe(self.ours), theirs.describe(self.theirs));
            let lenient = ours.kind.is_empty() && way == Direction::Response;
            let group = if lenient { Group::Cosmetic } else { Group::Breaking };
            return self.note(group, at, format!("{there} upstream, {here} here"));
        }
        // A named string is compared where it's used: its use is what upstream describes.
        let name = ours.name.clone().filter(|_| ours.kind == "object");
        let at = name.as_deref().unwrap_or(at);
        if let Some(name) = &name {
            let pair = (name.clone(), theirs.name.clone(), way);
            if !self.seen.insert(pair) {
                return;
            }
            self.names(at, &ours, &theirs);
        }
        self.details(at, &ours, &theirs, way);
        self.values(at, &ours, &theirs, way);
        if let (Some(ours), Some(theirs)) = (&ours.items, &theirs.items) {
            self.schemas(&format!("{at}[]"), ours, theirs, way);
        }
        self.properties(at, &ours, &theirs, way);
    }

    fn names(&mut self, at: &str, ours: &Shape, theirs: &Shape) {
        if let Some(name) = &theirs.name
            && !ours.upstream.is_empty()
            && !ours.upstream.contains(name)
        {
            let says = format!("is called {name} upstream, which x-stytch-upstream doesn't list");
            self.note(Group::Cosmetic, at, says);
        }
    }

    fn details(&mut self, at: &str, ours: &Shape, theirs: &Shape, way: Direction) {
        if ours.format != theirs.format {
            let name = |shape: &Shape| shape.format.clone().unwrap_or("no format".to_owned());
            let says = format!("{} upstream, {} here", name(theirs), name(ours));
            // A string is a string here whatever its format; a number has a width.
            let group = if ours.kind == "string" { Group::Cosmetic } else { Group::Breaking };
            self.note(group, at, says);
        }
        match (ours.nullable, theirs.nullable) {
            (false, true) => {
                let group = match way {
                    Direction::Request => Group::Additive,
                    Direction::Response => Group::Breaking,
                };
                self.note(group, at, "nullable upstream, not nullable here");
            }
            // Of what is `None` nothing is sent, so no null reaches Stytch.
            (true, false) => {
                self.note(Group::Cosmetic, at, "not nullable upstream, nullable here");
            }
            _ => {}
        }
        if theirs.deprecated && !ours.deprecated {
            self.note(Group::Cosmetic, at, "deprecated upstream");
        }
    }

    fn values(&mut self, at: &str, ours: &Shape, theirs: &Shape, way: Direction) {
        let list = |values: &BTreeSet<String>| {
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            values.join(", ")
        };
        match (&ours.values, &theirs.values) {
            (None, Some(theirs)) => {
                let group = match way {
                    Direction::Request => Group::Breaking,
                    Direction::Response => Group::Additive,
                };
                self.note(group, at, format!("only {} upstream, any value here", list(theirs)));
            }
            (Some(_), None) => self.note(Group::Breaking, at, "any value upstream, an enum here"),
            (Some(ours), Some(theirs)) => {
                let [new, gone] = [theirs - ours, ours - theirs];
                // A closed enum fails on a new value; a request must not use a lost one.
                let groups = match way {
                    Direction::Request => [Group::Additive, Group::Breaking],
                    Direction::Response => [Group::Breaking, Group::Cosmetic],
                };
                if !new.is_empty() {
                    self.note(groups[0], at, format!("new values upstream: {}", list(&new)));
                }
                if !gone.is_empty() {
                    self.note(groups[1], at, format!("values only here: {}", list(&gone)));
                }
            }
            (None, None) => {}
        }
    }

    fn properties(&mut self, at: &str, ours: &Shape, theirs: &Shape, way: Direction) {
        for (name, property) in &ours.properties {
            let at = format!("{at}.{name}");
            let Some(theirs_property) = property_of(theirs, name) else {
                self.note(Group::Breaking, &at, "isn't there upstream");
                continue;
            };
            let requires = |shape: &Shape| shape.required.contains(name);
            match (requires(ours), requires(theirs), way) {
                (true, false, Direction::Response) => {
                    self.note(Group::Breaking, &at, "optional upstream, required here");
                }
                (true, false, Direction::Request) => {
                    self.note(Group::Additive, &at, "optional upstream, required here");
                }
                (false, true, Direction::Request) => {
                    self.note(Group::Breaking, &at, "required upstream, optional here");
                }
                (false, true, Direction::Response) => {
                    self.note(Group::Cosmetic, &at, "required upstream, optional here");
                }
                _ => {}
            }
            self.schemas(&at, property, theirs_property, way);
        }
        for (name, property) in &theirs.properties {
            if property_of(ours, name).is_some() {
                continue;
            }
            let required = theirs.required.contains(name);
            let group = if required && way == Direction::Request {
                Group::Breaking
            } else {
                Group::Additive
            };
            let kind = Shape::of(self.theirs, property).describe(self.theirs);
            let need = if required { "required" } else { "optional" };
            let says = format!("only upstream: {kind}, {need}");
            self.note(group, &format!("{at}.{name}"), says);
        }
    }

    /// Named schemas that no operation led to, because upstream has no such operation.
    fn unreached(&mut self, document: &Document) {
        let components = document.schemas.iter().filter(|schema| schema.role == Role::Named);
        for schema in components {
            let name = schema.place.pointer.rsplit('/').next().unwrap_or_default();
            let names = Shape::of(self.ours, &schema.place.node).upstream;
            let seen = self.seen.iter().any(|(seen, ..)| seen == name);
            if names.is_empty() || seen {
                continue;
            }
            let found = names.iter().map(|name| format!("#/components/schemas/{name}"));
            let Some(found) = found.into_iter().find(|pointer| self.theirs.at(pointer).is_some())
            else {
                let says = format!("no schema {} upstream", names.join(" or "));
                self.note(Group::Breaking, name, says);
                continue;
            };
            let (ours, theirs) = (reference(&schema.place.pointer), reference(&found));
            for way in operations::directions(document, &schema.place.pointer) {
                self.schemas(name, &ours, &theirs, way);
            }
        }
    }
}

fn property_of<'a>(shape: &'a Shape, name: &str) -> Option<&'a Node> {
    let mut properties = shape.properties.iter();
    properties.find_map(|(other, node)| (other == name).then_some(node))
}

fn reference(pointer: &str) -> Node {
    Node::from_json(serde_json::json!({ "$ref": pointer }))
}
