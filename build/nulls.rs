//! Null in responses. The generator accepts it for an `Option` only, where it means the same as a
//! missing field.
//!
//! A property with a default reads null as the default. A list that is nullable in the document
//! reads null as an empty list; a missing one is `None`, or an error if the list is required.
//! Requests are as the generator makes them: there a null list would revoke roles.

use std::collections::BTreeSet;

use openapiv3::{OpenAPI, ReferenceOr, SchemaKind, Type};
use quote::quote;
use syn::{Item, parse_quote};

use super::{Tokens, is_replaced};

/// A field that reads null.
pub(crate) struct Field {
    schema: String,
    property: String,
    required: bool,
    /// The arguments of the attribute `serde`.
    serde: Tokens,
}

/// Finds the fields, and makes required lists not nullable, which the generator would wrap in an
/// `Option`.
pub(crate) fn find(document: &mut OpenAPI, of_requests: &BTreeSet<String>) -> Vec<Field> {
    let mut fields = Vec::new();
    let schemas = document.components.iter_mut().flat_map(|components| &mut components.schemas);
    for (schema, object) in schemas.filter(|(name, _)| !is_replaced(name)) {
        let ReferenceOr::Item(object) = object else { continue };
        let SchemaKind::Type(Type::Object(object)) = &mut object.schema_kind else { continue };
        for (property, of_property) in &mut object.properties {
            let ReferenceOr::Item(of_property) = of_property else { continue };
            let is_list = matches!(of_property.schema_kind, SchemaKind::Type(Type::Array(_)));
            let data = &mut of_property.schema_data;
            let is_nullable_list = is_list && data.nullable && !of_requests.contains(schema);
            let required = object.required.contains(property);
            let serde = match (data.default.is_some(), is_nullable_list) {
                (true, _) => quote!(deserialize_with = "crate::wire::json::null_as_default"),
                (false, true) if required => {
                    data.nullable = false;
                    quote!(deserialize_with = "crate::wire::json::null_as_default")
                }
                (false, true) => {
                    quote!(default, deserialize_with = "crate::wire::json::null_as_empty_list")
                }
                (false, false) => continue,
            };
            let (schema, property) = (schema.clone(), property.clone());
            fields.push(Field { schema, property, required, serde });
        }
    }
    fields
}

/// Makes the generated fields read null.
pub(crate) fn read(file: &mut syn::File, fields: &[Field]) -> Result<(), String> {
    for Field { schema, property, required, serde } in fields {
        let generated = generated(file, schema, property)
            .ok_or_else(|| format!("build/nulls.rs: no field for {schema}.{property}"))?;
        generated.attrs.push(parse_quote!(#[serde(#serde)]));
        // For a default that isn't the type's own the generator writes a function.
        if has_default(generated) == *required {
            return Err(format!("build/nulls.rs: {schema}.{property}: not its type's default"));
        }
    }
    Ok(())
}

fn has_default(field: &syn::Field) -> bool {
    let serde = field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde"));
    let mut arguments =
        serde.filter_map(|it| Some(it.meta.require_list().ok()?.tokens.to_string()));
    arguments.any(|arguments| arguments.split(',').any(|argument| argument.trim() == "default"))
}

fn generated<'a>(
    file: &'a mut syn::File,
    schema: &str,
    property: &str,
) -> Option<&'a mut syn::Field> {
    let types = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => Some(&mut module.content.as_mut()?.1),
        _ => None,
    })?;
    let item = types.iter_mut().find_map(|item| match item {
        Item::Struct(item) if item.ident == schema => Some(item),
        _ => None,
    })?;
    // The generator writes `type` as `type_`. No two properties differ in this only.
    let fold = |name: &str| name.replace('_', "").to_lowercase();
    item.fields.iter_mut().find(|field| {
        field.ident.as_ref().is_some_and(|name| fold(&name.to_string()) == fold(property))
    })
}
