//! Finds names that the generated code defines twice: the compiler would report them in the
//! build output, where no author of the document looks.

use std::collections::BTreeSet;

use syn::{Fields, Item, ItemImpl, Type};

/// Returns the first name that a module defines twice, a struct has as two fields, an enum as
/// two variants, or a type as two methods.
pub(super) fn find(code: &str) -> Result<Option<String>, String> {
    let file = syn::parse_file(code)
        .map_err(|error| format!("the generated code does not parse: {error}"))?;
    Ok(in_module(&file.items))
}

fn in_module(items: &[Item]) -> Option<String> {
    let names = items.iter().filter_map(name_of);
    let methods = items.iter().filter_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => Some(methods(block)),
        _ => None,
    });
    twice(names).or_else(|| twice(methods.flatten())).or_else(|| items.iter().find_map(in_item))
}

fn in_item(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => fields(&item.ident.to_string(), &item.fields),
        Item::Enum(item) => twice(item.variants.iter().map(|variant| variant.ident.to_string()))
            .map(|name| format!("{}::{name}", item.ident)),
        Item::Mod(module) => module.content.as_ref().and_then(|(_, items)| in_module(items)),
        _ => None,
    }
}

fn fields(owner: &str, fields: &Fields) -> Option<String> {
    let names = fields.iter().filter_map(|field| field.ident.as_ref());
    twice(names.map(ToString::to_string)).map(|name| format!("{owner}::{name}"))
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Mod(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn methods(block: &ItemImpl) -> Vec<String> {
    let Type::Path(owner) = &*block.self_ty else { return Vec::new() };
    let owner = owner.path.segments.last().map(|segment| segment.ident.to_string());
    let owner = owner.unwrap_or_default();
    let methods = block.items.iter().filter_map(|item| match item {
        syn::ImplItem::Fn(method) => Some(format!("{owner}::{}", method.sig.ident)),
        _ => None,
    });
    methods.collect()
}

fn twice(names: impl Iterator<Item = String>) -> Option<String> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(name.clone()))
}
