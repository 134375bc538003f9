//! Generates `Operation`, the enum of the document's operations, and what the crate reads of
//! every success: the request id, and whether a body decodes.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value returns null for a missing key"
)]

use std::collections::BTreeMap;

use openapiv3::OpenAPI;
use proc_macro2::Ident;
use quote::{format_ident, quote};
use serde_json::Value;

use super::{Tokens, resolve, schema_name};

/// Generates the enum, the trait `ResponseBody` and its implementations, and `decode_success`.
///
/// `order` has the operations in the order of the document, `document` what they contain.
pub(crate) fn generate(order: &OpenAPI, document: &Value) -> Result<Tokens, String> {
    let mut table = Table::default();
    for (path, method, _) in order.operations() {
        table.add(document, path, method).map_err(|error| format!("{method} {path}: {error}"))?;
    }
    let mut code = operation(&table);
    code.extend(responses(&table));
    Ok(code)
}

/// A column for each fact, with a row for each operation.
#[derive(Default)]
struct Table<'a> {
    variants: Vec<Ident>,
    docs: Vec<String>,
    ids: Vec<&'a str>,
    methods: Vec<Ident>,
    paths: Vec<&'a str>,
    permissions: Vec<Tokens>,
    /// Whether a request can carry a member session.
    sessions: Vec<bool>,
    /// The types of success.
    bodies: Vec<Ident>,
    /// Whether a success has to be checked for an error body.
    checks: Vec<bool>,
    /// The request id of each type of success.
    request_ids: BTreeMap<Ident, Tokens>,
}

impl<'a> Table<'a> {
    fn add(&mut self, document: &'a Value, path: &'a str, method: &str) -> Result<(), String> {
        let operation = &document["paths"][path][method];
        let id = operation["operationId"].as_str().ok_or("has no operationId")?;
        let summary = operation["summary"].as_str().unwrap_or_default();
        let method = method.to_uppercase();
        let (body, schema) = success(document, operation).ok_or("has no JSON on success")?;
        let has_request_id = schema["properties"].get("request_id").is_some();
        let request_id = if has_request_id { quote!(&self.request_id) } else { quote!("") };
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        self.variants.push(variant(id)?);
        self.docs.push(format!(" {summary}: `{method} {path}`."));
        self.ids.push(id);
        self.methods.push(format_ident!("{method}"));
        self.paths.push(path);
        self.permissions.push(permission(&operation["x-stytch-rbac"])?);
        self.sessions.push(parameters.any(|parameter| {
            let name = resolve(document, parameter)["name"].as_str().unwrap_or_default();
            name.eq_ignore_ascii_case("X-Stytch-Member-Session")
        }));
        self.checks.push(schema.get("x-reject-error-bodies").is_some());
        self.request_ids.insert(body.clone(), request_id);
        self.bodies.push(body);
        Ok(())
    }
}

/// The type of an operation's success, and its schema.
fn success<'a>(document: &'a Value, operation: &'a Value) -> Option<(Ident, &'a Value)> {
    let mut responses = operation["responses"].as_object()?.iter();
    let (_, response) = responses.find(|(status, _)| status.starts_with('2'))?;
    let schema = &resolve(document, response)["content"]["application/json"]["schema"];
    let name = schema_name(schema["$ref"].as_str()?)?;
    Some((format_ident!("{name}"), resolve(document, schema)))
}

fn permission(rbac: &Value) -> Result<Tokens, String> {
    if rbac.is_null() {
        return Ok(quote!(None));
    }
    let field = |name: &str| {
        rbac[name].as_str().ok_or_else(|| format!("x-stytch-rbac needs the string `{name}`"))
    };
    let (resource, action) = (field("resource")?, field("action")?);
    Ok(quote!(Some(Permission { resource: #resource, action: #action })))
}

/// The enum variant of an operation.
fn variant(id: &str) -> Result<Ident, String> {
    let words = id.split('_').filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    syn::parse_str(&name).map_err(|_| format!("`{name}` is not a name for an enum variant"))
}

fn operation(table: &Table<'_>) -> Tokens {
    let Table { variants, docs, ids, methods, paths, permissions, sessions, .. } = table;
    quote! {
        /// An operation of Stytch's API, as the OpenAPI document describes it.
        ///
        /// `Display` writes the [`id`](Self::id).
        ///
        /// ```
        /// use stytch_sso_external::Operation;
        ///
        /// let operation = Operation::UpdateExternalConnection;
        /// assert_eq!(operation.id(), "update_external_connection");
        /// assert_eq!(operation.method(), http::Method::PUT);
        /// assert_eq!(operation.permission().unwrap().resource, "stytch.sso");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation { #(#[doc = #docs] #variants,)* }

        #[allow(clippy::match_same_arms)]
        impl Operation {
            /// All operations, in the order of the document.
            pub const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// Returns the operation's id in the OpenAPI document.
            pub const fn id(self) -> &'static str {
                match self { #(Self::#variants => #ids,)* }
            }

            /// Returns the HTTP method.
            pub const fn method(self) -> http::Method {
                match self { #(Self::#variants => http::Method::#methods,)* }
            }

            /// Returns the path template, with parameters in braces.
            pub const fn path(self) -> &'static str {
                match self { #(Self::#variants => #paths,)* }
            }

            /// Returns the permission that a member's roles must grant, or `None` for an
            /// operation that requires none.
            pub const fn permission(self) -> Option<Permission> {
                match self { #(Self::#variants => #permissions,)* }
            }

            /// Whether a request of this operation can carry a member session.
            pub(crate) const fn carries_member_session(self) -> bool {
                match self { #(Self::#variants => #sessions,)* }
            }
        }
    }
}

fn responses(table: &Table<'_>) -> Tokens {
    let Table { variants, bodies, checks, request_ids, .. } = table;
    let (types, request_ids) = (request_ids.keys(), request_ids.values());
    quote! {
        /// The body of a success.
        pub(crate) trait ResponseBody {
            /// Stytch's id of the request, empty if the body has none.
            fn request_id(&self) -> &str;
        }

        #(impl ResponseBody for crate::wire::generated::types::#types {
            fn request_id(&self) -> &str { #request_ids }
        })*

        #[allow(clippy::match_same_arms)]
        impl Operation {
            /// Whether a success has to be checked for an error body, since its type requires no
            /// field that errors lack.
            pub(crate) const fn rejects_error_bodies(self) -> bool {
                match self { #(Self::#variants => #checks,)* }
            }
        }

        /// Decodes the body of a success. The error describes the field that failed.
        #[cfg(any(feature = "testing", fuzzing))]
        #[allow(clippy::too_many_lines)]
        pub(crate) fn decode_success(
            operation: Operation,
            body: &[u8],
        ) -> Result<(), Option<String>> {
            match operation {
                #(Operation::#variants => {
                    crate::wire::json::decode::<crate::wire::generated::types::#bodies>(body).map(|_| ())
                })*
            }
        }
    }
}
