//! The allow-list: all that the document may contain.
//!
//! [`DOCUMENT`] and the tables below it list the keys of everything but schemas, [`FORMS`] the
//! schemas. What they don't list is an error, even if OpenAPI has it: the generator ignores it,
//! panics, or makes a type that rejects a response. `rejected.rs` has the reason for each.

use Content::{Any, Flag, List, Map, Object, ObjectOrRef, Text, True};

/// The keys of an object.
pub(super) type Keys = &'static [Key];

pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) content: Content,
    pub(super) required: bool,
}

/// What a key may hold.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Text,
    Flag,
    True,
    Any,
    Object(Keys),
    ObjectOrRef(Keys),
    List(&'static Content),
    Map(&'static Content),
    /// Checked by [`FORMS`].
    Schema,
}

pub(super) const DOCUMENT: Keys = &[
    must("openapi", Text),
    must("info", Object(INFO)),
    may("servers", List(&Object(SERVER))),
    must("security", List(&Any)),
    must("tags", List(&Object(TAG))),
    must("paths", Map(&Object(PATH))),
    must("components", Object(COMPONENTS)),
];
const INFO: Keys = &[must("title", Text), may("description", Text), must("version", Text)];
const SERVER: Keys = &[must("url", Text), may("description", Text)];
const TAG: Keys = &[must("name", Text), must("description", Text)];
const PATH: Keys = &[
    may("get", Object(OPERATION)),
    may("put", Object(OPERATION)),
    may("post", Object(OPERATION)),
    may("patch", Object(OPERATION)),
    may("delete", Object(OPERATION)),
];
const OPERATION: Keys = &[
    must("operationId", Text),
    must("tags", List(&Text)),
    must("summary", Text),
    must("description", Text),
    may("x-stytch-rbac", Object(&[must("resource", Text), must("action", Text)])),
    may("x-stytch-upstream", List(&Text)),
    may("parameters", List(&ObjectOrRef(PARAMETER))),
    may("requestBody", Object(BODY)),
    must("responses", Object(RESPONSES)),
];
const PARAMETER: Keys = &[
    must("name", Text),
    must("in", Text),
    must("description", Text),
    may("required", Flag),
    must("schema", Content::Schema),
    may("example", Any),
];
const BODY: Keys =
    &[must("description", Text), must("required", True), must("content", Object(JSON))];
const RESPONSES: Keys = &[
    must("2XX", ObjectOrRef(RESPONSE)),
    must("4XX", ObjectOrRef(RESPONSE)),
    must("5XX", ObjectOrRef(RESPONSE)),
];
const RESPONSE: Keys = &[must("description", Text), must("content", Object(JSON))];
const JSON: Keys = &[must("application/json", Object(&[must("schema", Content::Schema)]))];
const COMPONENTS: Keys = &[
    may("securitySchemes", Map(&Object(SECURITY_SCHEME))),
    may("parameters", Map(&Object(PARAMETER))),
    may("responses", Map(&Object(RESPONSE))),
    must("schemas", Map(&Content::Schema)),
];
const SECURITY_SCHEME: Keys = &[must("type", Text), must("scheme", Text), may("description", Text)];

/// One form that a schema may have.
pub(super) struct Form {
    pub(super) at: At,
    /// The value of `type`; none for a reference.
    pub(super) kind: Option<&'static str>,
    /// The values of `format`, which may be missing.
    pub(super) formats: &'static [&'static str],
    pub(super) must: &'static [&'static str],
    pub(super) may: &'static [&'static str],
}

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum At {
    /// `components/schemas/Name`: becomes a struct.
    Component,
    /// Becomes a field.
    Property,
    /// The items of an array.
    Items,
    /// The argument of a method.
    Parameter,
    /// The body of a request or response.
    Body,
    /// Inside `allOf`.
    Part,
}

/// The schemas. Some combinations are errors all the same:
///
/// - An array that isn't required is nullable.
/// - A request has no property that is both required and nullable.
/// - `additionalProperties` is false, and in a request only.
/// - A default is '', 0 or false, in a response only, and neither required nor nullable.
/// - A response gives the reason for each required property.
/// - A success requires a property that no error has.
/// - `allOf` has exactly one part, and no schema contains itself.
///
/// A schema that `REPLACED` in build/codegen.rs lists may have any form: the generator takes the
/// handwritten type instead, which must accept what Stytch sends.
pub(super) const FORMS: &[Form] = &[
    form(At::Component, Some("object"), &[], &["description", "properties"], OBJECT),
    form(At::Property, Some("string"), &[], &["description"], SCALAR),
    form(At::Property, Some("integer"), &["int32", "int64"], &["description"], SCALAR),
    // Its default is a function in the generated code.
    form(At::Property, Some("number"), &["float", "double"], &["description"], FIELD),
    form(At::Property, Some("boolean"), &[], &["description"], SCALAR),
    form(At::Property, Some("array"), &[], &["description", "items"], FIELD),
    // The description of a field whose type has a name.
    form(At::Property, None, &[], &["description", "allOf"], FIELD),
    form(At::Items, None, &[], &["$ref"], &[]),
    form(At::Items, Some("string"), &[], &[], &[]),
    form(At::Items, Some("integer"), &["int32", "int64"], &[], &[]),
    form(At::Items, Some("number"), &["float", "double"], &[], &[]),
    form(At::Items, Some("boolean"), &[], &[], &[]),
    form(At::Parameter, Some("string"), &[], &[], &[]),
    form(At::Parameter, Some("integer"), &["int32", "int64"], &[], &[]),
    form(At::Parameter, Some("boolean"), &[], &[], &[]),
    form(At::Body, None, &[], &["$ref"], &[]),
    form(At::Part, None, &[], &["$ref"], &[]),
];
const OBJECT: &[&str] = &[
    "required",
    "additionalProperties",
    "x-stytch-upstream",
    "x-required-because",
    "x-reject-error-bodies",
];
const SCALAR: &[&str] = &["nullable", "default", "example", "x-required-because"];
const FIELD: &[&str] = &["nullable", "example", "x-required-because"];

/// The one property without a type: any JSON. No further one is allowed.
pub(super) const UNTYPED: &str = "#/components/schemas/Error/properties/error_details";
pub(super) const ANY_JSON: Form = form(At::Property, None, &[], &["description"], &["example"]);

const fn must(name: &'static str, content: Content) -> Key {
    Key { name, content, required: true }
}

const fn may(name: &'static str, content: Content) -> Key {
    Key { name, content, required: false }
}

const fn form(
    at: At,
    kind: Option<&'static str>,
    formats: &'static [&'static str],
    must: &'static [&'static str],
    may: &'static [&'static str],
) -> Form {
    Form { at, kind, formats, must, may }
}
