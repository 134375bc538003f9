//! Edits of the generated client's requests: less work for each of them.

use syn::{
    Block, Expr, ExprCall, ExprLit, ExprMatch, ExprMethodCall, ExprPath, Ident, Lit, Local, Pat,
    Stmt, Token, parse_quote,
    punctuated::{Pair, Punctuated},
};

use super::arguments_of;

/// The generator formats a string, which reqwest parses for each request. Appending to a URL that
/// is parsed up to the first id takes less than half of the instructions.
pub(super) fn append_to_operation_url(expr: &mut Expr) -> usize {
    let Some(mut arguments) = arguments_of(expr, "format").map(IntoIterator::into_iter) else {
        return 0;
    };
    let (Some(Expr::Lit(ExprLit { lit: Lit::Str(template), .. })), Some(base)) =
        (arguments.next(), arguments.next())
    else {
        return 0;
    };
    let template = template.value();
    let (Some(path), true) = (template.strip_prefix("{}"), base == parse_quote!(self.baseurl))
    else {
        return 0;
    };
    let (prefix, rest) = path.split_at(path.find("/{}").unwrap_or(path.len()));
    let mut segments: Punctuated<Expr, Token![,]> = Punctuated::new();
    for segment in rest.split('/').skip(1) {
        if segment == "{}" {
            let Some(id) = arguments.next().and_then(encoded_id) else {
                return 0;
            };
            segments.push(id);
        } else if segment.contains(['{', '}']) {
            return 0;
        } else {
            segments.push(parse_quote!(#segment));
        }
    }
    if prefix.contains(['{', '}']) || arguments.next().is_some() {
        return 0;
    }
    *expr = parse_quote! {
        self.operation_url(#prefix, &[#segments]).map_err(Error::InvalidRequest)?
    };
    1
}

/// The id in `encode_path(&id.to_string())`.
fn encoded_id(argument: Expr) -> Option<Expr> {
    let Expr::Call(ExprCall { func, mut args, .. }) = argument else {
        return None;
    };
    let (Some(Expr::Reference(text)), None) = (args.pop().map(Pair::into_value), args.pop()) else {
        return None;
    };
    let Expr::MethodCall(ExprMethodCall { receiver, method, .. }) = *text.expr else {
        return None;
    };
    (*func == parse_quote!(encode_path) && method == "to_string").then_some(*receiver)
}

/// No SDK of Stytch's sends the version of the document.
pub(super) fn drop_api_version(block: &mut Block) -> usize {
    let header: Expr = parse_quote!(::reqwest::header::HeaderName::from_static("api-version"));
    let before = block.stmts.len();
    block.stmts.retain(|statement| match statement {
        Stmt::Expr(Expr::MethodCall(call), _) => {
            call.method != "append" || call.args.first() != Some(&header)
        }
        _ => true,
    });
    before - block.stmts.len()
}

/// The generator begins with an empty map of headers, which allocates twice more before the
/// request is sent.
pub(super) fn begin_request(expr: &mut Expr) -> usize {
    let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &*expr else {
        return 0;
    };
    let accept: Punctuated<Expr, Token![,]> = parse_quote!(
        ::reqwest::header::ACCEPT,
        ::reqwest::header::HeaderValue::from_static("application/json",),
    );
    if method != "header" || !args.iter().eq(&accept) {
        return 0;
    }
    let Expr::MethodCall(ExprMethodCall { receiver: client, method, args, .. }) = &**receiver
    else {
        return 0;
    };
    if **client != parse_quote!(self.client) {
        return 0;
    }
    let method = Ident::new(&method.to_string().to_uppercase(), method.span());
    *expr = parse_quote!(self.begin_request(::reqwest::Method::#method, #args));
    1
}

/// Nearly every request leaves the map empty: the hooks add the session header.
pub(super) fn allocate_on_insert(expr: &mut Expr) -> usize {
    let Expr::Call(call) = &*expr else {
        return 0;
    };
    if *call.func != parse_quote!(::reqwest::header::HeaderMap::with_capacity) {
        return 0;
    }
    *expr = parse_quote!(::reqwest::header::HeaderMap::new());
    1
}

/// The generator decodes each kind of response from another copy of its headers, after the hooks
/// have read the body; `transport/decode.rs` decodes it from the bytes that are there.
pub(super) fn decode_once(block: &mut Block) -> usize {
    // The generator renames its variables where a parameter has their name.
    let Some(info) = block.stmts.iter().find_map(operation_info) else {
        return 0;
    };
    let Some(Stmt::Expr(last, None)) = block.stmts.last_mut() else {
        return 0;
    };
    let Some(response) = response_of(last) else {
        return 0;
    };
    let generated: Expr = parse_quote!(match #response.status().as_u16() {
        200..=299 => {
            ResponseValue::from_response(#response).await
        }
        400u16..=499u16 => {
            Err(Error::ErrorResponse(ResponseValue::from_response(#response).await?))
        }
        500u16..=599u16 => {
            Err(Error::ErrorResponse(ResponseValue::from_response(#response).await?))
        }
        _ => Err(Error::UnexpectedResponse(#response)),
    });
    if *last != generated {
        return 0;
    }
    *last = parse_quote!(self.decode(#response, &#info).await);
    1
}

/// The variable in `let info = OperationInfo { .. }`.
fn operation_info(statement: &Stmt) -> Option<Ident> {
    let Stmt::Local(Local { pat: Pat::Ident(variable), init: Some(init), .. }) = statement else {
        return None;
    };
    let Expr::Struct(value) = &*init.expr else {
        return None;
    };
    value.path.is_ident("OperationInfo").then(|| variable.ident.clone())
}

/// The variable in `match response.status().as_u16() { .. }`.
fn response_of(expr: &Expr) -> Option<Ident> {
    let Expr::Match(ExprMatch { expr, .. }) = expr else {
        return None;
    };
    let Expr::MethodCall(ExprMethodCall { receiver, .. }) = &**expr else {
        return None;
    };
    let Expr::MethodCall(ExprMethodCall { receiver, .. }) = &**receiver else {
        return None;
    };
    let Expr::Path(ExprPath { path, .. }) = &**receiver else {
        return None;
    };
    path.get_ident().cloned()
}
