//! Compares two schemas: which responses of Stytch would be unreadable here, and which requests
//! Stytch would reject.

use std::collections::BTreeSet;

use super::{
    difference::{Differences, Direction, Group},
    shape::Shape,
};
use crate::yaml::Node;

/// The comparison of two documents.
pub(super) struct Comparison<'a> {
    pub(super) ours: &'a Node,
    pub(super) theirs: &'a Node,
    pub(super) differences: Differences,
    /// Named schemas of ours that were compared with named ones upstream, by direction.
    seen: BTreeSet<(String, String, Direction)>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(ours: &'a Node, theirs: &'a Node) -> Self {
        Self { ours, theirs, differences: Differences::new(), seen: BTreeSet::new() }
    }

    /// Whether a schema of ours was compared.
    pub(super) fn has_seen(&self, name: &str) -> bool {
        self.seen.iter().any(|(seen, ..)| seen == name)
    }

    /// Notes a difference, at a place that our document names.
    pub(super) fn note(&mut self, group: Group, at: &str, text: impl AsRef<str>) {
        let difference = format!("{at}: {}", text.as_ref());
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
            // One without a name may be another schema each time.
            let other = theirs.name.clone().unwrap_or_default();
            if !self.seen.insert((name.clone(), other.clone(), way)) && !other.is_empty() {
                return;
            }
            self.names(at, &ours, &theirs);
        }
        self.details(at, &ours, &theirs, way);
        self.values(at, &ours, &theirs, way);
        self.limits(at, &ours, &theirs, way);
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
            let text = format!("is called {name} upstream, which x-stytch-upstream doesn't list");
            self.note(Group::Cosmetic, at, text);
        }
    }

    fn details(&mut self, at: &str, ours: &Shape, theirs: &Shape, way: Direction) {
        if ours.format != theirs.format {
            let name = |shape: &Shape| shape.format.clone().unwrap_or("no format".to_owned());
            let text = format!("{} upstream, {} here", name(theirs), name(ours));
            // A string is a string here whatever its format; a number has a width.
            let group = if ours.kind == "string" { Group::Cosmetic } else { Group::Breaking };
            self.note(group, at, text);
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

    /// What a value may be beyond its type: Stytch rejects a request that breaks a limit.
    fn limits(&mut self, at: &str, ours: &Shape, theirs: &Shape, way: Direction) {
        if way == Direction::Response {
            return;
        }
        for (key, limit) in &theirs.limits {
            match ours.limits.get(key) {
                None => {
                    self.note(Group::Breaking, at, format!("only upstream: {key} {limit}"));
                }
                Some(ours) if ours != limit => {
                    let text = format!("{key} {limit} upstream, {ours} here");
                    self.note(Group::Breaking, at, text);
                }
                Some(_) => {}
            }
        }
        for (key, limit) in &ours.limits {
            if !theirs.limits.contains_key(key) {
                self.note(Group::Additive, at, format!("only here: {key} {limit}"));
            }
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
            let text = format!("only upstream: {kind}, {need}");
            self.note(group, &format!("{at}.{name}"), text);
        }
    }
}

fn property_of<'a>(shape: &'a Shape, name: &str) -> Option<&'a Node> {
    let mut properties = shape.properties.iter();
    properties.find_map(|(other, node)| (other == name).then_some(node))
}
