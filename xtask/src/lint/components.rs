//! Rules about references: what is named exists, and what exists is used.

use super::Finding;
use crate::{
    document::{Document, Place, is_within},
    yaml::Node,
};

pub(super) fn undefined(document: &Document) -> Vec<Finding> {
    let references = document.references.iter();
    let broken = references.filter(|reference| document.root.at(&reference.target).is_none());
    let mut findings: Vec<_> = broken
        .map(|reference| {
            let problem = format!("`{}` isn't defined in this document", reference.target);
            Finding::new(&reference.place, problem, "define it, or correct the `$ref`")
        })
        .collect();
    for (place, scheme) in used_schemes(document) {
        let pointer = format!("#/components/securitySchemes/{scheme}");
        if document.root.at(&pointer).is_none() {
            let problem = format!("the security scheme `{scheme}` isn't defined");
            let fix = "define it in `components/securitySchemes`";
            findings.push(Finding::new(&place, problem, fix));
        }
    }
    findings.extend(undefined_tags(document));
    findings
}

pub(super) fn unused(document: &Document) -> Vec<Finding> {
    let reached = document.reach(["#/paths".to_owned()]);
    let schemes = used_schemes(document);
    let kinds = Place::root(document.root.clone()).child("components");
    if kinds.pointer == "#" {
        return Vec::new();
    }
    let components = kinds.children().into_iter().flat_map(|kind| kind.children());
    components
        .filter(|component| {
            let name = component.pointer.rsplit('/').next().unwrap_or_default();
            let is_scheme = is_within(&component.pointer, "#/components/securitySchemes");
            let used = if is_scheme {
                schemes.iter().any(|(_, scheme)| scheme == name)
            } else {
                reached.iter().any(|pointer| is_within(pointer, &component.pointer))
            };
            !used
        })
        .map(|component| {
            Finding::new(&component, "no operation uses this component", "use it, or remove it")
        })
        .collect()
}

fn undefined_tags(document: &Document) -> Vec<Finding> {
    let declared = document.root.get("tags").map_or(&[][..], Node::items);
    let declared: Vec<_> = declared.iter().filter_map(|tag| tag.get("name")?.text()).collect();
    let mut findings = Vec::new();
    for operation in &document.operations {
        let tags = operation.child("tags");
        let names = tags.node.items().iter().filter_map(Node::text);
        for tag in names.filter(|name| !declared.contains(name)) {
            let problem = format!("the tag `{tag}` isn't declared");
            let fix = "declare it, with a description, in the document's `tags`";
            findings.push(Finding::new(&tags, problem, fix));
        }
    }
    findings
}

/// `cargo xtask drift` finds our counterparts in Stytch's documents by these names.
pub(super) fn upstream_names(document: &Document) -> Vec<Finding> {
    let schemas = document.schemas.iter().map(|schema| &schema.place);
    let owners = document.operations.iter().chain(schemas);
    let listed = owners.filter(|owner| owner.node.get("x-stytch-upstream").is_some());
    listed
        .map(|owner| owner.child("x-stytch-upstream"))
        .filter(|place| {
            let names = place.node.items();
            names.is_empty() || names.iter().any(|name| name.text().is_none())
        })
        .map(|place| {
            let fix = "list the names that Stytch's documents use, the backend's first";
            Finding::new(&place, "isn't a list of names", fix)
        })
        .collect()
}

/// The security schemes that the document or one of its operations names, and where.
fn used_schemes(document: &Document) -> Vec<(Place, String)> {
    let root = Place::root(document.root.clone());
    let owners = document.operations.iter().chain([&root]);
    owners
        .filter(|owner| owner.node.get("security").is_some())
        .flat_map(|owner| owner.child("security").children())
        .flat_map(|requirement| {
            let names = requirement.node.entries().iter();
            let names: Vec<_> = names.map(|(name, _): &(String, Node)| name.clone()).collect();
            names.into_iter().map(move |name| (requirement.clone(), name))
        })
        .collect()
}
