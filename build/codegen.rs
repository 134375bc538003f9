//! Generates Rust from the OpenAPI document: one function, called by `build.rs` for the build
//! and by xtask for the snapshot that reviewers read.
//!
//! It passes the generator's errors on unchanged: `cargo xtask spec`, where the document is
//! edited, finds the place in the document.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value returns null for a missing key"
)]

use std::collections::BTreeSet;

use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypePatch};
use quote::quote;
use serde_json::Value;

mod edits;
mod nulls;
mod operations;

/// Schemas that a handwritten type replaces, with the path of that type.
///
/// The generator makes nothing of such a schema, so what stands in it is for the reader, and
/// for `cargo xtask drift`.
pub(crate) const REPLACED: &[(&str, &str)] = &[
    // A type that no Debug, log or error prints.
    (SECRET, "crate::wire::Credential"),
    // Roles of another type than documented fail a permission check and nothing else.
    ("MemberRoles", "crate::wire::MemberRoles"),
];

/// The schema of secrets, which has to exist under this name.
const SECRET: &str = "Credential";

/// The generated code, formatted.
pub(crate) struct Generated {
    /// The client and its types.
    pub(crate) bindings: String,
    /// The enum `Operation`: ids, methods, paths and permissions.
    pub(crate) operations: String,
    /// The typed helpers for httpmock.
    pub(crate) mocks: String,
}

pub(crate) type Tokens = proc_macro2::TokenStream;

/// Generates everything from the text of the document. Panics where the generator asserts.
pub(crate) fn generate(json: &str) -> Result<Generated, String> {
    let values: Value = serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"))?;
    let mut document: OpenAPI = serde_json::from_str(json)
        .map_err(|error| format!("not an OpenAPI 3.0 document: {error}"))?;
    let of_requests = schemas_of_requests(&values);
    let settings = settings(&values, &of_requests)?;
    let nulls = nulls::find(&mut document, &of_requests);
    let bindings = Generator::new(&settings)
        .generate_tokens(&document)
        .map_err(|error| format!("progenitor: {error}"))?;
    let mocks = Generator::new(&settings)
        .httpmock(&document, "crate::wire::generated")
        .map_err(|error| format!("progenitor: {error}"))?;
    let mut bindings = parse(bindings)?;
    nulls::read(&mut bindings, &nulls)?;
    Ok(Generated {
        bindings: edits::bindings(&bindings, &document)?,
        operations: prettyplease::unparse(&parse(operations::generate(&document, &values)?)?),
        mocks: edits::mocks(&parse(mocks)?, &document)?,
    })
}

fn settings(
    document: &Value,
    of_requests: &BTreeSet<String>,
) -> Result<GenerationSettings, String> {
    let mut settings = GenerationSettings::new();
    settings
        // Builder style would derive Debug over the session headers.
        .with_interface(InterfaceStyle::Positional)
        // Otherwise a missing or misspelt hook falls back to the bare client in silence.
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::http::RequestContext))
        .with_derive("PartialEq");
    for (name, rust) in REPLACED {
        settings.with_replacement(name, rust, std::iter::empty());
    }
    let schemas = &document["components"]["schemas"];
    // Of a misspelt name the generator would make a type that prints credentials.
    if schemas.get(SECRET).is_none() {
        return Err(format!("no schema {SECRET}, which REPLACED in build/codegen.rs lists"));
    }
    // A field that Stytch adds to a response must not be a breaking change. What a request
    // uses stays a plain struct, so that callers can write it as a literal.
    let is_plain = |name: &str| of_requests.contains(name) || is_replaced(name);
    for name in schemas.as_object().into_iter().flat_map(|it| it.keys()) {
        if !is_plain(name) {
            settings.with_patch(name, TypePatch::default().with_attr("#[non_exhaustive]"));
        }
    }
    Ok(settings)
}

fn is_replaced(schema: &str) -> bool {
    REPLACED.iter().any(|(name, _)| *name == schema)
}

/// The schemas that a request uses, directly or nested.
fn schemas_of_requests(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let paths = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    for operation in paths.filter_map(Value::as_object).flat_map(|path| path.values()) {
        collect_references(document, &operation["requestBody"], &mut found);
    }
    found.into_iter().filter_map(schema_name).map(str::to_owned).collect()
}

fn collect_references<'a>(document: &'a Value, within: &'a Value, found: &mut BTreeSet<&'a str>) {
    if let Some(reference) = within["$ref"].as_str()
        && found.insert(reference)
    {
        collect_references(document, resolve(document, within), found);
    }
    let values = within.as_object().into_iter().flat_map(|object| object.values());
    for value in values.chain(within.as_array().into_iter().flatten()) {
        collect_references(document, value, found);
    }
}

/// What a reference points to, or the value itself if it is none.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => value,
    }
}

fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

fn parse(tokens: Tokens) -> Result<syn::File, String> {
    syn::parse2(tokens).map_err(|error| format!("the generated code does not parse: {error}"))
}
