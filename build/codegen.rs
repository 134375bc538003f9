//! From the OpenAPI document to Rust: one function, which `build.rs` calls for the build
//! and xtask for the snapshot that reviewers read.

use std::{cell::Cell, panic, sync::Once};

use openapiv3::{OpenAPI, Operation, ReferenceOr};
use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::quote;

/// The generated code, formatted.
pub(crate) struct Generated {
    /// The client and its types.
    pub(crate) bindings: String,
    /// The permission that each operation requires, from `x-stytch-rbac`.
    pub(crate) permissions: String,
    /// The typed helpers for httpmock.
    pub(crate) mocks: String,
}

/// Generates everything from the text of the document, or says in one line what is wrong
/// with it and where.
pub(crate) fn generate(json: &str) -> Result<Generated, String> {
    let document: OpenAPI = serde_json::from_str(json)
        .map_err(|error| format!("isn't an OpenAPI 3.0 document: {error}"))?;
    let permissions = permissions(&document)?;
    let (bindings, mocks) = clients(&document)
        .map_err(|reason| blame(&document).unwrap_or(format!("can't be generated: {reason}")))?;
    Ok(Generated {
        bindings: format_tokens(bindings)?,
        permissions: format_tokens(permissions)?,
        mocks: format_tokens(mocks)?,
    })
}

type Tokens = proc_macro2::TokenStream;

fn clients(document: &OpenAPI) -> Result<(Tokens, Tokens), String> {
    // The generator asserts where it meets what it can't do, so a panic is an answer too.
    let outcome = quietly(|| {
        let bindings = Generator::new(&settings())
            .generate_tokens(document)
            .map_err(|error| error.to_string())?;
        let mocks = Generator::new(&settings())
            .httpmock(document, "crate::generated")
            .map_err(|error| error.to_string())?;
        Ok((bindings, mocks))
    });
    outcome.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(said.unwrap_or("the generator panicked").to_owned())
    })
}

/// Catches a panic without printing it. The hook belongs to the whole process, so it's
/// never taken away, and only silent on a thread that asks for it: xtask's tests generate
/// on several threads, and a failing one must be heard.
fn quietly<T>(work: impl FnOnce() -> T + panic::UnwindSafe) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                hook(panic);
            }
        }));
    });
    QUIET.set(true);
    let outcome = panic::catch_unwind(work);
    QUIET.set(false);
    outcome
}

fn settings() -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        // Builder style would derive Debug over the session headers.
        .with_interface(InterfaceStyle::Positional)
        // Otherwise a missing or misspelt hook falls back to the bare client in silence.
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::wire::Caller))
        // Credentials are a type that nothing prints.
        .with_replacement("Credential", "crate::session::Credential", std::iter::empty())
        .with_derive("PartialEq");
    settings
}

/// Names the part of the document that can't be generated, by generating each operation
/// alone.
fn blame(document: &OpenAPI) -> Option<String> {
    for (path, item) in &document.paths.paths {
        let Some(item) = item.as_item() else {
            return Some(format!("{}: a path can't be a $ref", pointer(path, None)));
        };
        for (method, operation) in item.iter() {
            let mut alone = document.clone();
            alone.paths.paths.retain(|other, _| other == path);
            if let Some(ReferenceOr::Item(item)) = alone.paths.paths.get_mut(path) {
                keep_only(item, method);
            }
            if let Err(reason) = clients(&alone) {
                let name = operation.operation_id.as_deref().unwrap_or("no operationId");
                let place = pointer(path, Some(method));
                return Some(format!("{place} ({name}): can't be generated: {reason}"));
            }
        }
    }
    None
}

fn keep_only(item: &mut openapiv3::PathItem, method: &str) {
    let slots = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("options", &mut item.options),
        ("head", &mut item.head),
        ("patch", &mut item.patch),
        ("trace", &mut item.trace),
    ];
    for (name, slot) in slots {
        if name != method {
            *slot = None;
        }
    }
}

fn permissions(document: &OpenAPI) -> Result<Tokens, String> {
    let mut arms = Vec::new();
    for (path, method, operation) in document.operations() {
        let Some(rbac) = operation.extensions.get("x-stytch-rbac") else {
            continue;
        };
        let place = pointer(path, Some(method));
        let field = |name: &str| {
            rbac.get(name)
                .and_then(serde_json::Value::as_str)
                .ok_or(format!("{place}/x-stytch-rbac: needs the string `{name}`"))
        };
        let (resource, action) = (field("resource")?, field("action")?);
        let operation_id = operation_id(operation, &place)?;
        arms.push(quote! {
            #operation_id => Some(Permission { resource: #resource, action: #action }),
        });
    }
    Ok(quote! {
        /// The permission that a member's roles must grant for an operation, or `None` for
        /// an operation that needs none.
        pub(crate) fn required_permission(operation_id: &str) -> Option<Permission> {
            match operation_id {
                #(#arms)*
                _ => None,
            }
        }
    })
}

fn operation_id<'a>(operation: &'a Operation, place: &str) -> Result<&'a str, String> {
    operation.operation_id.as_deref().ok_or(format!("{place}: has no operationId"))
}

fn pointer(path: &str, method: Option<&str>) -> String {
    let path = path.replace('~', "~0").replace('/', "~1");
    match method {
        Some(method) => format!("#/paths/{path}/{method}"),
        None => format!("#/paths/{path}"),
    }
}

fn format_tokens(tokens: Tokens) -> Result<String, String> {
    let file = syn::parse2(tokens)
        .map_err(|error| format!("the generated code doesn't parse: {error}"))?;
    Ok(prettyplease::unparse(&file))
}
