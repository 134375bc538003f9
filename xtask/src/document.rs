//! The OpenAPI document as the lint and drift read it: its operations, parameters, schemas and
//! references, each with its JSON pointer.

use std::collections::BTreeSet;

use crate::yaml::Node;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The document and an index of its parts.
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) operations: Vec<Place>,
    pub(crate) parameters: Vec<Place>,
    /// All schemas, inner ones before those that contain them.
    pub(crate) schemas: Vec<Schema>,
    pub(crate) references: Vec<Reference>,
    /// Pointers of what requests use, directly or through references.
    requests: BTreeSet<String>,
    responses: BTreeSet<String>,
}

/// A part of the document.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) pointer: String,
    pub(crate) node: Node,
}

/// A schema and its role.
#[derive(Clone)]
pub(crate) struct Schema {
    pub(crate) place: Place,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    /// A component: it becomes a type.
    Named,
    /// A field of an object.
    Property { required: bool },
    /// The items of an array.
    Items,
    /// One of `allOf`, `oneOf` or `anyOf`.
    Part,
    /// The schema of a parameter.
    Parameter,
    /// The body of a request or response.
    Body,
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
            requests: BTreeSet::new(),
            responses: BTreeSet::new(),
            root: root.clone(),
        };
        document.walk(&Place::root(root));
        let parts = |part: &str| -> Vec<String> {
            let operations = document.operations.iter();
            operations.map(|operation| format!("{}/{part}", operation.pointer)).collect()
        };
        let [body, parameters, responses] = ["requestBody", "parameters", "responses"].map(parts);
        document.requests = document.reach(body.into_iter().chain(parameters));
        document.responses = document.reach(responses);
        document
    }

    /// The target of a `$ref`, or the node itself.
    pub(crate) fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        let target = node.get("$ref").and_then(Node::text);
        target.and_then(|target| self.root.at(target)).unwrap_or(node)
    }

    /// Whether a request uses the part at this pointer.
    pub(crate) fn is_in_requests(&self, pointer: &str) -> bool {
        self.requests.iter().any(|start| is_within(pointer, start))
    }

    /// Whether a response uses the part at this pointer.
    pub(crate) fn is_in_responses(&self, pointer: &str) -> bool {
        self.responses.iter().any(|start| is_within(pointer, start))
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

    /// The schemas with a name.
    pub(crate) fn components(&self) -> impl Iterator<Item = &Schema> {
        self.schemas.iter().filter(|schema| schema.role == Role::Named)
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
                let is_body = grandparent.ends_with("/content");
                self.walk_schema(child, if is_body { Role::Body } else { Role::Parameter });
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
            match keyword.key() {
                "items" => self.walk_schema(keyword, Role::Items),
                "not" => self.walk_schema(keyword, Role::Part),
                "allOf" | "oneOf" | "anyOf" => {
                    for part in keyword.children() {
                        self.walk_schema(part, Role::Part);
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

    /// The last step of the pointer, still escaped.
    pub(crate) fn key(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap_or_default()
    }

    /// The entries of a map or the items of a list.
    pub(crate) fn children(&self) -> Vec<Self> {
        let items = self.node.items().iter().enumerate();
        let items = items.map(|(index, node)| (index.to_string(), node));
        let entries = self.node.entries().iter();
        let entries = entries.map(|(key, node)| (escape(key), node));
        items
            .chain(entries)
            .map(|(step, node)| Self {
                pointer: format!("{}/{step}", self.pointer),
                node: node.clone(),
            })
            .collect()
    }

    /// The part below, or this one if there is none: a place to point at in any case.
    pub(crate) fn child(&self, key: &str) -> Self {
        let mut children = self.children().into_iter();
        let pointer = format!("{}/{}", self.pointer, escape(key));
        children.find(|child| child.pointer == pointer).unwrap_or_else(|| self.clone())
    }

    /// The text under a key.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.node.get(key).and_then(Node::text)
    }
}

/// Writes a key as a step of a JSON pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Reads a step of a JSON pointer.
pub(crate) fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
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

/// Examples and extensions may contain any key, `schema` too.
pub(crate) fn is_prose(key: &str) -> bool {
    matches!(key, "example" | "examples" | "default") || key.starts_with("x-")
}
