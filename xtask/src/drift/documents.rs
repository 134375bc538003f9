//! Compares two documents: the operations of ours with their counterparts, servers, and the
//! schemas that no operation leads to.

use super::{
    access,
    compare::Comparison,
    difference::{Differences, Group},
    operations,
    shape::Shape,
};
use crate::{document::Document, yaml::Node};

/// Compares all that our document describes.
pub(super) fn compare(ours: &Node, theirs: &Node) -> Differences {
    let document = Document::new(ours.clone());
    let mut comparison = Comparison::new(ours, theirs);
    access::servers(&mut comparison);
    let counterparts = operations::all(theirs);
    for operation in &document.operations {
        operations::compare(&mut comparison, operation, &counterparts);
    }
    unreached(&mut comparison, &document);
    comparison.differences
}

/// Named schemas that no operation led to, because upstream has no such operation.
fn unreached(comparison: &mut Comparison<'_>, document: &Document) {
    for schema in document.components() {
        let name = schema.place.pointer.rsplit('/').next().unwrap_or_default();
        let names = Shape::of(comparison.ours, &schema.place.node).upstream;
        let seen = comparison.has_seen(name);
        if names.is_empty() || seen {
            continue;
        }
        let found = names.iter().map(|name| format!("#/components/schemas/{name}"));
        let Some(found) = found.into_iter().find(|pointer| comparison.theirs.at(pointer).is_some())
        else {
            let text = format!("no schema {} upstream", names.join(" or "));
            comparison.note(Group::Breaking, name, text);
            continue;
        };
        let (ours, theirs) = (reference(&schema.place.pointer), reference(&found));
        for way in operations::directions(document, &schema.place.pointer) {
            comparison.schemas(name, &ours, &theirs, way);
        }
    }
}

fn reference(pointer: &str) -> Node {
    Node::from_json(serde_json::json!({ "$ref": pointer }))
}
