//! Rejects combinations that change what is sent or fail a response, although the allow-list
//! has each part of them.

use super::Finding;
use crate::{
    codegen::REPLACED,
    document::{Document, Place, Role, Schema, is_within, required},
    yaml::{Node, Value},
};

/// The generator makes a `Vec` that is skipped when empty.
pub(super) fn optional_array(document: &Document) -> Vec<Finding> {
    let breaches = checked(document).filter(|Schema { place, role }| {
        *role == Role::Property { required: false }
            && place.text("type") == Some("array")
            && !is_nullable(&place.node)
    });
    let problem = "an array that is neither required nor nullable: the generator makes a Vec that \
                   is skipped when empty, so an empty list is never sent";
    breaches.map(|schema| Finding::new(&schema.place, problem, "add `nullable: true`")).collect()
}

/// Of an optional field that is `None` nothing is sent; of a required one a null is.
pub(super) fn null_sent(document: &Document) -> Vec<Finding> {
    let breaches = checked(document).filter(|Schema { place, role }| {
        *role == Role::Property { required: true }
            && is_nullable(&place.node)
            && document.is_in_requests(&place.pointer)
    });
    let problem = "both required and nullable: the generator sends `None` as a null";
    let fix = "remove `nullable`, or remove it from `required`";
    breaches.map(|schema| Finding::new(&schema.place, problem, fix)).collect()
}

/// A default that isn't the type's own makes a function; in a request it would be sent.
pub(super) fn default_value(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Schema { place, role } in checked(document) {
        let Some(value) = place.node.get("default") else { continue };
        let (problem, fix) = if document.is_in_requests(&place.pointer) {
            (
                "a default in a request: the client sends it even if the caller sets nothing",
                "\
              remove `default`: without it the field is an Option",
            )
        } else if *role == (Role::Property { required: true }) || is_nullable(&place.node) {
            (
                "a default of a property that is required or nullable has no effect",
                "\
              remove `default`, `nullable` or the name in `required`",
            )
        } else if !is_zero(value) {
            (
                "the generator writes a function for any default but '', 0 and false",
                "\
              write '', 0 or false, and describe what it means in the `description`",
            )
        } else {
            continue;
        };
        findings.push(Finding::new(&place.child("default"), problem, fix));
    }
    findings
}

/// The generator merges several parts into one type.
pub(super) fn all_of(document: &Document) -> Vec<Finding> {
    let breaches = checked(document).filter(|schema| {
        schema.place.node.get("allOf").is_some_and(|parts| parts.items().len() != 1)
    });
    let problem = "`allOf` without exactly one part: the generator merges the parts into a type \
                   of its own, or panics";
    let fix = "write one `$ref`: `allOf` is only there to give a reference a description";
    breaches.map(|schema| Finding::new(&schema.place.child("allOf"), problem, fix)).collect()
}

/// A misspelt name in `required` leaves the field optional.
pub(super) fn required_unknown(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Schema { place, .. } in checked(document) {
        let properties = place.node.get("properties");
        for name in required(&place.node) {
            if properties.is_none_or(|properties| properties.get(name).is_none()) {
                findings.push(Finding::new(
                    &place.child("required"),
                    format!("requires `{name}`, which isn't among the properties"),
                    "correct the name, or describe the property",
                ));
            }
        }
    }
    findings
}

/// A response without a required field is unreadable, so each one needs a reason.
pub(super) fn required_because(document: &Document) -> Vec<Finding> {
    let is_in_response = |schema: &&Schema| document.is_in_responses(&schema.place.pointer);
    let mut findings = Vec::new();
    for Schema { place, .. } in checked(document).filter(is_in_response) {
        let has_reason = |owner: &Place| {
            owner.text("x-required-because").is_some_and(|reason| !reason.trim().is_empty())
        };
        if has_reason(place) {
            continue;
        }
        let properties = place.child("properties");
        for name in required(&place.node) {
            let property = properties.child(name);
            if property.pointer != properties.pointer && !has_reason(&property) {
                findings.push(Finding::new(
                    &property,
                    "required in a response without a reason: a response that lacks it is \
                     unreadable, although Stytch may have applied the request",
                    "remove it from `required`, or add `x-required-because` to it or to its \
                     schema",
                ));
            }
        }
    }
    findings
}

/// A type that contains itself needs boxes, and a required one has no value.
pub(super) fn recursive(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for reference in &document.references {
        let within = |pointer: &str| is_within(&reference.place.pointer, pointer);
        let owner = document.components().find(|schema| within(&schema.place.pointer));
        let reached = document.reach([reference.target.clone()]);
        if owner.is_some_and(|owner| reached.contains(&owner.place.pointer)) {
            let problem = format!("`{}` contains itself through this `$ref`", reference.target);
            let fix = "recursive schemas are not supported: the generator emits no `Box`";
            findings.push(Finding::new(&reference.place, problem, fix));
        }
    }
    findings
}

/// The schemas that the generator reads: of one that a handwritten type replaces it takes the
/// name alone.
pub(super) fn checked(document: &Document) -> impl Iterator<Item = &Schema> {
    document.schemas.iter().filter(|schema| {
        let pointers = REPLACED.iter().map(|(name, _)| format!("#/components/schemas/{name}"));
        let mut pointers = pointers.filter(|replaced| is_within(&schema.place.pointer, replaced));
        pointers.next().is_none()
    })
}

fn is_nullable(schema: &Node) -> bool {
    schema.get("nullable").is_some_and(Node::is_true)
}

fn is_zero(default: &Node) -> bool {
    match &default.value {
        Value::Text(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Bool(value) => !value,
        _ => false,
    }
}
