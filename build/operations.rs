//! Generates `Operation`, the enum of the document's operations: id, method, path template,
//! the permission from `x-stytch-rbac`, and whether a request can carry a member session.

use openapiv3::{OpenAPI, Parameter};
use proc_macro2::Ident;
use quote::{format_ident, quote};

use super::{Tokens, parameters};

/// Generates the enum and its methods.
pub(crate) fn generate(document: &OpenAPI) -> Result<Tokens, String> {
    let operations = document.operations();
    let operations = operations
        .map(|(path, method, operation)| Operation::new(document, path, method, operation))
        .collect::<Result<Vec<_>, _>>()?;
    let (names, docs) = (column(&operations, |it| &it.name), column(&operations, |it| &it.doc));
    let methods = methods(&operations);
    Ok(quote! {
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
        pub enum Operation { #(#[doc = #docs] #names,)* }

        #[allow(clippy::match_same_arms)]
        impl Operation {
            /// All operations, in the order of the document.
            pub const ALL: &'static [Self] = &[#(Self::#names),*];

            #methods
        }
    })
}

fn methods(operations: &[Operation<'_>]) -> Tokens {
    let names = column(operations, |it| &it.name);
    let ids = column(operations, |it| &it.id);
    let methods = column(operations, |it| &it.method);
    let paths = column(operations, |it| &it.path);
    let permissions = column(operations, |it| &it.permission);
    let sessions = column(operations, |it| &it.carries_member_session);
    quote! {
        /// Returns the operation's id in the OpenAPI document.
        #[must_use]
        pub const fn id(self) -> &'static str {
            match self { #(Self::#names => #ids,)* }
        }

        /// Returns the HTTP method.
        #[must_use]
        pub const fn method(self) -> http::Method {
            match self { #(Self::#names => http::Method::#methods,)* }
        }

        /// Returns the path template, with parameters in braces.
        #[must_use]
        pub const fn path(self) -> &'static str {
            match self { #(Self::#names => #paths,)* }
        }

        /// Returns the permission that a member's roles must grant, or `None` for an
        /// operation that requires none.
        #[must_use]
        pub const fn permission(self) -> Option<Permission> {
            match self { #(Self::#names => #permissions,)* }
        }

        /// Whether a request of this operation can carry a member session.
        pub(crate) const fn carries_member_session(self) -> bool {
            match self { #(Self::#names => #sessions,)* }
        }
    }
}

/// What the enum reports of one operation.
struct Operation<'a> {
    name: Ident,
    doc: String,
    id: &'a str,
    method: Ident,
    path: &'a str,
    permission: Tokens,
    carries_member_session: bool,
}

impl<'a> Operation<'a> {
    fn new(
        document: &OpenAPI,
        path: &'a str,
        method: &str,
        operation: &'a openapiv3::Operation,
    ) -> Result<Self, String> {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let name = variant(operation).map_err(|error| format!("{method} {path}: {error}"))?;
        let summary = operation.summary.as_deref().unwrap_or_default();
        let method = method.to_uppercase();
        Ok(Self {
            name,
            doc: format!(" {summary}: `{method} {path}`."),
            id,
            permission: permission(operation).map_err(|error| format!("{id}: {error}"))?,
            method: format_ident!("{method}"),
            path,
            carries_member_session: carries_member_session(document, operation),
        })
    }
}

fn column<'a, T>(
    operations: &'a [Operation<'a>],
    field: impl Fn(&'a Operation<'a>) -> &'a T,
) -> Vec<&'a T> {
    operations.iter().map(field).collect()
}

fn permission(operation: &openapiv3::Operation) -> Result<Tokens, String> {
    let Some(rbac) = operation.extensions.get("x-stytch-rbac") else {
        return Ok(quote!(None));
    };
    let field = |name: &str| {
        let value = rbac.get(name).and_then(serde_json::Value::as_str);
        value.ok_or_else(|| format!("x-stytch-rbac needs the string `{name}`"))
    };
    let (resource, action) = (field("resource")?, field("action")?);
    Ok(quote!(Some(Permission { resource: #resource, action: #action })))
}

fn carries_member_session(document: &OpenAPI, operation: &openapiv3::Operation) -> bool {
    parameters(document, operation).any(|parameter| match parameter {
        Parameter::Header { parameter_data, .. } => {
            parameter_data.name.eq_ignore_ascii_case("X-Stytch-Member-Session")
        }
        _ => false,
    })
}

/// The enum variant of an operation.
pub(crate) fn variant(operation: &openapiv3::Operation) -> Result<Ident, String> {
    let id = operation.operation_id.as_deref().ok_or("has no operationId")?;
    let name = pascal_case(id);
    syn::parse_str(&name).map_err(|_| format!("`{name}` is not a name for an enum variant"))
}

fn pascal_case(id: &str) -> String {
    let words = id.split('_').filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
