//! Edits of the generated code that no setting of the generator can make.
//!
//! To add an edit, write a function that rewrites one kind of syntax node and returns how often
//! it changed something, and list it in [`bindings`] or [`mocks`] with the number of rewrites that the
//! document calls for. Another number fails the build, so that a generator that writes other
//! code can't change what goes over the wire.

mod requests;

use openapiv3::{OpenAPI, Parameter};
use syn::{
    Block, Expr, ExprLit, Lit, LitStr, Token, parse_quote,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use super::parameters;

/// Edits the client and its types.
pub(crate) fn bindings(file: syn::File, document: &OpenAPI) -> Result<syn::File, String> {
    let operations = document.operations().count();
    apply(
        file,
        &mut [
            Edit::new(
                "URLs of an operation",
                operations,
                Rewrite::Expr(requests::append_to_operation_url),
            ),
            Edit::new(
                "api-version headers",
                operations,
                Rewrite::Block(requests::drop_api_version),
            ),
            Edit::new(
                "beginnings of a request",
                operations,
                Rewrite::Expr(requests::begin_request),
            ),
            Edit::new("maps of headers", operations, Rewrite::Expr(requests::allocate_on_insert)),
            Edit::new("decoded responses", operations, Rewrite::Block(requests::decode_once)),
        ],
    )
}

/// Edits the helpers for httpmock.
pub(crate) fn mocks(file: syn::File, document: &OpenAPI) -> Result<syn::File, String> {
    let ids = path_parameters(document);
    apply(
        file,
        &mut [
            Edit::new(
                "ids in the patterns of helpers for an id",
                // A helper for each id names all ids of the path.
                ids.iter().map(|count| count * count).sum(),
                Rewrite::Expr(match_literal_id),
            ),
            Edit::new(
                "ids in the patterns of helpers for an operation",
                ids.iter().sum(),
                Rewrite::Expr(match_nonempty_ids),
            ),
        ],
    )
}

/// One edit: what it rewrites, and how many of these there must be.
struct Edit {
    nodes: &'static str,
    expected: usize,
    done: usize,
    rewrite: Rewrite,
}

/// Rewrites a node and returns how often it changed something in it.
#[derive(Clone, Copy)]
enum Rewrite {
    Expr(fn(&mut Expr) -> usize),
    Block(fn(&mut Block) -> usize),
}

impl Edit {
    fn new(nodes: &'static str, expected: usize, rewrite: Rewrite) -> Self {
        Self { nodes, expected, done: 0, rewrite }
    }
}

fn apply(mut file: syn::File, edits: &mut [Edit]) -> Result<syn::File, String> {
    Visitor { edits }.visit_file_mut(&mut file);
    match edits.iter().find(|edit| edit.done != edit.expected) {
        None => Ok(file),
        Some(Edit { nodes, expected, done, .. }) => Err(format!(
            "build/edits.rs: rewrote {done} {nodes}, expected {expected}: this version of the \
             generator's output has changed: update this edit"
        )),
    }
}

/// Offers each node to each edit, inner nodes first.
struct Visitor<'a> {
    edits: &'a mut [Edit],
}

impl VisitMut for Visitor<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        for edit in &mut *self.edits {
            if let Rewrite::Expr(rewrite) = edit.rewrite {
                edit.done += rewrite(expr);
            }
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        for edit in &mut *self.edits {
            if let Rewrite::Block(rewrite) = edit.rewrite {
                edit.done += rewrite(block);
            }
        }
    }
}

/// The arguments of a macro call.
fn arguments_of(expr: &Expr, name: &str) -> Option<Punctuated<Expr, Token![,]>> {
    let Expr::Macro(call) = expr else {
        return None;
    };
    let arguments = || call.mac.parse_body_with(Punctuated::parse_terminated).ok();
    call.mac.path.is_ident(name).then(arguments)?
}

/// A helper inserts its id into a regular expression unescaped, and lets every other id match
/// `.*`, which includes slashes.
fn match_literal_id(expr: &mut Expr) -> usize {
    let Some(arguments) = arguments_of(expr, "format") else {
        return 0;
    };
    let mut arguments = arguments.into_iter();
    let (Some(Expr::Lit(ExprLit { lit: Lit::Str(pattern), .. })), Some(id), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return 0;
    };
    if id != parse_quote!(value.to_string()) || !pattern.value().starts_with("^/") {
        return 0;
    }
    let others = pattern.value().matches(".*").count();
    let pattern = LitStr::new(&pattern.value().replace(".*", "[^/]+"), pattern.span());
    // Encoded as the client does it: httpmock matches the path before decoding.
    *expr = parse_quote!(format!(#pattern, regex::escape(&progenitor_client::encode_path(value))));
    others + 1
}

/// The pattern for the path of an operation lets an id be empty.
fn match_nonempty_ids(expr: &mut Expr) -> usize {
    let Expr::Call(call) = expr else {
        return 0;
    };
    if *call.func != parse_quote!(regex::Regex::new) {
        return 0;
    }
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(pattern), .. })) = call.args.first_mut() else {
        return 0;
    };
    let ids = pattern.value().matches("[^/]*").count();
    *pattern = LitStr::new(&pattern.value().replace("[^/]*", "[^/]+"), pattern.span());
    ids
}

/// The number of ids in the path of each operation.
fn path_parameters(document: &OpenAPI) -> Vec<usize> {
    let is_in_path = |parameter: &&Parameter| matches!(parameter, Parameter::Path { .. });
    let operations = document.operations();
    let counts = operations
        .map(|(.., operation)| parameters(document, operation).filter(is_in_path).count());
    counts.collect()
}
