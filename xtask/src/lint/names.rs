//! Rules about names: each becomes an identifier of the generated code, and no two the same.

use std::collections::BTreeMap;

use super::Finding;
use crate::document::{Document, Place, unescape};

/// Names that become no identifier, another one, or one that the generated code uses itself.
pub(super) fn name(document: &Document) -> Vec<Finding> {
    let names = names(document);
    let breaches = names.iter().filter_map(|name| {
        let (problem, fix) = name.kind.check(&name.text)?;
        Some(Finding::new(&name.place, format!("`{}` {problem}", name.text), fix))
    });
    breaches.collect()
}

/// Names that become the same identifier.
pub(super) fn name_twice(document: &Document) -> Vec<Finding> {
    let mut first = BTreeMap::new();
    let mut findings = Vec::new();
    for name in names(document) {
        let folded: String =
            name.text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        let key = (name.kind, name.scope.clone(), folded);
        if let Some(other) = first.get(&key) {
            let problem = if *other == name.text {
                format!("`{}` is there twice", name.text)
            } else {
                format!(
                    "`{}` becomes the same Rust name as `{other}`, or one easily mistaken for it",
                    name.text
                )
            };
            findings.push(Finding::new(&name.place, problem, "choose another name"));
        } else {
            first.insert(key, name.text);
        }
    }
    findings
}

struct Name {
    kind: Kind,
    /// The part within which the name is unique.
    scope: String,
    text: String,
    place: Place,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    /// A method and a variant of `Operation`.
    Operation,
    /// An argument of a method, and a method of a mock helper.
    Parameter,
    /// A struct.
    Schema,
    /// A field.
    Property,
}

fn names(document: &Document) -> Vec<Name> {
    let mut names = Vec::new();
    for operation in &document.operations {
        if let Some(id) = operation.text("operationId") {
            let place = operation.child("operationId");
            let (text, scope) = (id.to_owned(), String::new());
            names.push(Name { kind: Kind::Operation, scope, text, place });
        }
        for place in operation.child("parameters").children() {
            let parameter = document.resolve(&place.node);
            if let Some(text) = parameter.get("name").and_then(|name| name.text()) {
                let (text, scope) = (text.to_owned(), operation.pointer.clone());
                names.push(Name { kind: Kind::Parameter, scope, text, place });
            }
        }
    }
    for schema in document.components() {
        let place = &schema.place;
        let (text, scope) = (unescape(place.key()), String::new());
        names.push(Name { kind: Kind::Schema, scope, text, place: place.clone() });
        for property in place.child("properties").children() {
            if place.node.get("properties").is_some() {
                let (text, scope) = (unescape(property.key()), place.pointer.clone());
                names.push(Name { kind: Kind::Property, scope, text, place: property });
            }
        }
    }
    names
}

impl Kind {
    fn check(self, name: &str) -> Option<(&'static str, &'static str)> {
        let mut characters = name.chars();
        let first = characters.next().unwrap_or_default();
        let only =
            |extra: &[char]| name.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(&c));
        let (is_valid, fix) = match self {
            Self::Operation => (is_snake_case(name), "write it in snake_case"),
            Self::Parameter => (
                first.is_ascii_alphabetic() && only(&['_', '-']),
                "use letters, digits, `_` and `-`, and begin with a letter",
            ),
            Self::Schema => (first.is_ascii_uppercase() && only(&[]), "write it in PascalCase"),
            Self::Property => (
                first.is_ascii_alphabetic() && only(&['_']),
                "use letters, digits and `_`, and begin with a letter",
            ),
        };
        if !is_valid {
            return Some(("is not a Rust identifier in the expected case", fix));
        }
        let reserved = match self {
            Self::Operation => &METHODS[..],
            Self::Parameter => &ARGUMENTS,
            Self::Schema => &TYPES,
            Self::Property => &[],
        };
        let is_keyword = matches!(self, Self::Operation | Self::Parameter)
            && syn::parse_str::<syn::Ident>(name).is_err()
            && !name.contains('-');
        let folded = name.to_lowercase().replace('-', "_");
        let is_reserved = reserved.contains(&name) || reserved.contains(&folded.as_str());
        (is_keyword || is_reserved)
            .then_some(("is a keyword, or a name of the generated code", "choose another name"))
    }
}

fn is_snake_case(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.split('_').all(is_word)
}

/// Methods of the generated client.
const METHODS: [&str; 9] =
    ["new", "new_with_client", "api_version", "baseurl", "client", "inner", "pre", "exec", "post"];
/// Arguments and methods that the generated code has itself.
const ARGUMENTS: [&str; 10] =
    ["self", "body", "new", "into_inner", "value", "info", "header_map", "query", "re", "inner"];
/// Types that derived code names without their paths.
const TYPES: [&str; 10] =
    ["Self", "Box", "Err", "None", "Ok", "Option", "Result", "Some", "String", "Vec"];
