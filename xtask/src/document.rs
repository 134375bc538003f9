//! The OpenAPI document as the lints look at it: its operations, parameters, schemas and
//! references, each with the JSON pointer that names it.

use std::collections::BTreeSet;

use crate::yaml::Node;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The document and what was found in it.
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) operations: Vec<Place>,
    pub(crate) parameters: Vec<Place>,
    pub(crate) schemas: Vec<Schema>,
    pub(crate) references: Vec<Reference>,
}

/// A part of the document.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) pointer: String,
    pub(crate) node: Node,
}

/// A schema and where it stands.
pub(crate) struct Schema {
    pub(crate) place: Place,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// A component: it becomes a type with a name of its own.
    Named,
    /// A field of an object.
    Property { required: bool },
    /// Anything else: the items of an array, the body of a response.
    Inline,
}

/// A `$ref`.
pub(crate) struct Reference {
    pub(crate) place: Place,
    pub(crate) target: String,
}

impl Document {
    pub(crate) fn new(root: Node) -> Self {
        let mut document = Self {
            operations: Vec::new(),
            parameters: Vec::new(),
            schemas: Vec::new(),
            references: Vec::new(),
            root: root.clone(),
        };
        document.walk(&Place::root(root));
        document
    }

    /// What a `$ref` stands for, or the node itself.
    pub(crate) fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        let target = node.get("$ref").and_then(Node::text);
        target.and_then(|target| self.root.at(target)).unwrap_or(node)
    }

    /// The pointers of the parts that `starts` refer to, directly or through others, and
    /// `starts` themselves.
    pub(crate) fn reach(&self, starts: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut open: Vec<String> = starts.into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(start) = open.pop() {
            if !reached.insert(start.clone()) {
                continue;
            }
            let inside = self
                .references
                .iter()
                .filter(|reference| is_within(&reference.place.pointer, &start));
            open.extend(inside.map(|reference| reference.target.clone()));
        }
        reached
    }

    fn walk(&mut self, place: &Place) {
        self.note_reference(place);
        for child in place.children() {
            let (parent, key) = child.pointer.rsplit_once('/').unwrap_or_default();
            let grandparent = parent.rsplit_once('/').map_or("", |(above, _)| above);
            if is_prose(key) {
                continue;
            }
            if key == "schema" {
                self.walk_schema(child, Role::Inline);
            } else if parent == "#/components/schemas" {
                self.walk_schema(child, Role::Named);
            } else {
                if grandparent == "#/paths" && METHODS.contains(&key) {
                    self.operations.push(child.clone());
                }
                if parent.ends_with("/parameters") && child.node.get("$ref").is_none() {
                    self.parameters.push(child.clone());
                }
                self.walk(&child);
            }
        }
    }

    fn walk_schema(&mut self, place: Place, role: Role) {
        self.note_reference(&place);
        for keyword in place.children() {
            let key = keyword.pointer.rsplit('/').next().unwrap_or_default();
            match key {
                "items" | "not" | "additionalProperties" => {
                    self.walk_schema(keyword, Role::Inline);
                }
                "allOf" | "oneOf" | "anyOf" => {
                    for part in keyword.children() {
                        self.walk_schema(part, Role::Inline);
                    }
                }
                "properties" => {
                    let names = required(&place.node);
                    for (property, (name, _)) in
                        keyword.children().into_iter().zip(keyword.node.entries())
                    {
                        let required = names.contains(&name.as_str());
                        self.walk_schema(property, Role::Property { required });
                    }
                }
                _ => {}
            }
        }
        self.schemas.push(Schema { place, role });
    }

    fn note_reference(&mut self, place: &Place) {
        if let Some(target) = place.node.get("$ref").and_then(Node::text) {
            self.references.push(Reference { place: place.clone(), target: target.to_owned() });
        }
    }
}

impl Place {
    pub(crate) fn root(node: Node) -> Self {
        Self { pointer: "#".to_owned(), node }
    }

    /// The entries of a map or the items of a list.
    pub(crate) fn children(&self) -> Vec<Self> {
        let items = self.node.items().iter().enumerate();
        let items = items.map(|(index, node)| (index.to_string(), node));
        let entries = self.node.entries().iter();
        let entries = entries.map(|(key, node)| (key.replace('~', "~0").replace('/', "~1"), node));
        items
            .chain(entries)
            .map(|(step, node)| Self {
                pointer: format!("{}/{step}", self.pointer),
                node: node.clone(),
            })
            .collect()
    }

    /// The part below, or this one where it lacks it: a place to point at in any case.
    pub(crate) fn child(&self, key: &str) -> Self {
        let mut children = self.children().into_iter();
        let pointer = format!("{}/{key}", self.pointer);
        children.find(|child| child.pointer == pointer).unwrap_or_else(|| self.clone())
    }
}

/// The names that a schema lists as required.
pub(crate) fn required(schema: &Node) -> Vec<&str> {
    let names = schema.get("required").map_or(&[][..], Node::items);
    names.iter().filter_map(Node::text).collect()
}

/// Whether a pointer names `start` or a part of it.
pub(crate) fn is_within(pointer: &str, start: &str) -> bool {
    pointer.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Examples and extensions hold whatever they like, a key named `schema` too.
pub(crate) fn is_prose(key: &str) -> bool {
    matches!(key, "example" | "examples" | "default") || key.starts_with("x-")
}
