//! Generates what the crate reads of every success: the request id, and whether a body decodes.

use std::collections::BTreeMap;

use openapiv3::{OpenAPI, Operation, ReferenceOr, SchemaKind, StatusCode, Type};
use proc_macro2::Ident;
use quote::{format_ident, quote};

use super::{Tokens, operations::variant};

/// Generates the trait `ResponseBody`, its implementations, and `decode_success`.
pub(crate) fn generate(document: &OpenAPI) -> Result<Tokens, String> {
    let (mut variants, mut bodies) = (Vec::new(), Vec::new());
    let mut request_ids = BTreeMap::new();
    for (_, _, operation) in document.operations() {
        let Some(schema) = success_schema(document, operation) else {
            continue;
        };
        variants.push(variant(operation)?);
        bodies.push(type_of(schema));
        request_ids.insert(schema, request_id(document, schema));
    }
    let request_ids = request_ids.values();
    let rejects = bodies.iter().map(|body| rejects_error_bodies(document, &body.to_string()));
    let decode_success = decode_success(&variants, &bodies);
    Ok(quote! {
        /// The body of a success.
        pub(crate) trait ResponseBody {
            /// Stytch's id of the request, empty if the body has none.
            fn request_id(&self) -> &str;
        }

        #(#request_ids)*

        #[allow(clippy::match_same_arms)]
        impl Operation {
            /// Whether a success has to be checked for an error body, since its type requires no
            /// field that errors lack.
            pub(crate) const fn rejects_error_bodies(self) -> bool {
                match self {
                    #(Self::#variants => #rejects,)*
                    #[allow(unreachable_patterns)]
                    _ => false,
                }
            }
        }

        #decode_success
    })
}

fn decode_success(variants: &[Ident], bodies: &[Ident]) -> Tokens {
    quote! {
        /// Decodes the body of a success. The error describes the field that failed.
        pub(crate) fn decode_success(
            operation: Operation,
            body: &[u8],
        ) -> Result<(), Option<String>> {
            match operation {
                #(Operation::#variants => {
                    crate::wire::json::decode::<crate::wire::generated::types::#bodies>(body).map(|_| ())
                })*
                // An operation without a body on success.
                #[allow(unreachable_patterns)]
                _ => Ok(()),
            }
        }
    }
}

/// The schema of an operation's success.
fn success_schema<'a>(document: &'a OpenAPI, operation: &'a Operation) -> Option<&'a str> {
    let is_success =
        |status: &StatusCode| matches!(status, StatusCode::Range(2) | StatusCode::Code(200..=299));
    let mut responses = operation.responses.responses.iter();
    let success = responses.find(|(status, _)| is_success(status)).map(|(_, response)| response)?;
    let success = match success {
        ReferenceOr::Item(response) => response,
        ReferenceOr::Reference { reference } => {
            let name = reference.strip_prefix("#/components/responses/")?;
            document.components.as_ref()?.responses.get(name)?.as_item()?
        }
    };
    match success.content.get("application/json")?.schema.as_ref()? {
        ReferenceOr::Reference { reference } => reference.strip_prefix("#/components/schemas/"),
        ReferenceOr::Item(_) => None,
    }
}

fn rejects_error_bodies(document: &OpenAPI, schema: &str) -> bool {
    let components = document.components.iter();
    let mut named = components.filter_map(|components| components.schemas.get(schema)?.as_item());
    named.any(|schema| schema.schema_data.extensions.contains_key("x-reject-error-bodies"))
}

fn request_id(document: &OpenAPI, schema: &str) -> Tokens {
    let components = document.components.iter();
    let mut named = components.filter_map(|components| components.schemas.get(schema)?.as_item());
    let has_request_id = named.any(|schema| match &schema.schema_kind {
        SchemaKind::Type(Type::Object(object)) => object.properties.contains_key("request_id"),
        _ => false,
    });
    let name = type_of(schema);
    let value = if has_request_id { quote!(&self.request_id) } else { quote!("") };
    quote! {
        impl ResponseBody for crate::wire::generated::types::#name {
            fn request_id(&self) -> &str { #value }
        }
    }
}

fn type_of(schema: &str) -> Ident {
    format_ident!("{schema}")
}
