//! Null in responses. The generator accepts it for an `Option` only, where it means the same as a
//! missing field.
//!
//! A property with a default reads null as the default. A list that is nullable in the document
//! reads null as an empty list; a missing one is `None`, or an error if the list is required.
//! Requests are as the generator makes them: there a null list would revoke roles.

use std::collections::BTreeSet;

use openapiv3::{ObjectType, OpenAPI, ReferenceOr, Schema, SchemaKind, Type};
use quote::quote;
use syn::{Item, parse_quote};

use super::{Tokens, is_replaced};

/// A field that reads null.
pub(crate) struct Field {
    schema: String,
    property: String,
    /// The arguments of the attribute `serde`.
    serde: Tokens,
}

/// Finds the fields, and makes required lists not nullable, which the generator would wrap in an
/// `Option`.
pub(crate) fn find(document: &mut OpenAPI, of_requests: &BTreeSet<String>) -> Vec<Field> {
    let mut fields = Vec::new();
    for (name, schema) in document.components.iter_mut().flat_map(|it| &mut it.schemas) {
        let ReferenceOr::Item(Schema {
            schema_kind: SchemaKind::Type(Type::Object(object)), ..
        }) = schema
        else {
            continue;
        };
        if is_replaced(name) {
            continue;
        }
        let ObjectType { properties, required, .. } = object;
        for (property, schema) in properties {
            let ReferenceOr::Item(schema) = schema else { continue };
            let is_list = matches!(schema.schema_kind, SchemaKind::Type(Type::Array(_)));
            let data = &mut schema.schema_data;
            let is_nullable_list = is_list && data.nullable && !of_requests.contains(name);
            let serde = if data.default.is_some() {
                quote!(deserialize_with = "crate::wire::null::as_default")
            } else if is_nullable_list && required.contains(property) {
                data.nullable = false;
                quote!(deserialize_with = "crate::wire::null::as_default")
            } else if is_nullable_list {
                quote!(default, deserialize_with = "crate::wire::null::as_empty_list")
            } else {
                continue;
            };
            fields.push(Field { schema: name.clone(), property: property.clone(), serde });
        }
    }
    fields
}

/// Makes the generated fields read null.
pub(crate) fn read(file: &mut syn::File, fields: &[Field]) -> Result<(), String> {
    for Field { schema, property, serde } in fields {
        let generated = generated(file, schema, property)
            .ok_or_else(|| format!("build/nulls.rs: no field for {schema}.{property}"))?;
        generated.attrs.push(parse_quote!(#[serde(#serde)]));
    }
    Ok(())
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
