//! The README's code: the files in `readme/` are compiled, run here, and compared with its text.

mod denial;
mod handler;
mod quickstart;

use axum::extract::{Path, State};
use http::{
    StatusCode,
    header::{COOKIE, SET_COOKIE},
};

use crate::support::prelude::*;

#[test]
fn code_blocks_are_the_files_that_tests_compile() {
    let readme = include_str!("../../README.md");
    let files = [
        ("quickstart", include_str!("readme/quickstart.rs")),
        ("handler", include_str!("readme/handler.rs")),
        ("denial", include_str!("readme/denial.rs")),
    ];
    for (name, file) in files {
        let (_, code) = file.split_once("\n\n").unwrap();
        let code = code.replace("pub(super) ", "");
        let block = format!("<!-- tests/it/readme/{name}.rs -->\n```rust\n{code}```\n");
        assert!(readme.contains(&block), "README.md lacks the code of tests/it/readme/{name}.rs");
    }
    assert_eq!(readme.matches("```rust").count(), files.len(), "each block stands in a file");
}

#[tokio::test]
async fn quickstart_grants_a_role() {
    let acme = Acme::new();
    acme.stytch.role("editor", &[]);
    let id = acme.connection.id();
    quickstart::grant_editor(&acme.stytch.client(), acme.ada.jwt(), id).await.unwrap();
    assert!(acme.connection.state().has_role("editor"));
    // The configuration of a service, which this process doesn't have.
    let _: fn() -> Client = quickstart::client;
}

#[tokio::test]
async fn handler_is_a_complete_response() {
    let acme = Acme::new();
    acme.stytch.role("editor", &[]);
    let id = acme.connection.id();
    let call = async |headers: HeaderMap, from: &str| {
        let path = Path((id.to_owned(), from.to_owned(), "engineering".to_owned()));
        handler::move_editors(State(acme.stytch.client()), path, headers).await
    };
    assert_eq!(call(HeaderMap::new(), "contractors").await.status(), StatusCode::UNAUTHORIZED);

    // The source group lacks the role: nothing is sent.
    let ada = || acme.ada.headers();
    assert_eq!(call(ada(), "contractors").await.status(), StatusCode::OK);
    assert_eq!(acme.stytch.count(UPDATE), 0);

    let member = acme.stytch.client().as_member(acme.jwt());
    let granted = member.edit_connection(id, |edit| edit.grant_group_role("contractors", "editor"));
    granted.await.unwrap();
    assert_eq!(call(ada(), "contractors").await.status(), StatusCode::OK);
    let connection = acme.connection.state();
    assert!(connection.has_group_role("engineering", "editor"));
    assert!(!connection.has_group_role("contractors", "editor"));

    let bob = acme.log_in("bob", &[]);
    let denied = call(bob.headers(), "contractors").await;
    assert_eq!(denied.status(), StatusCode::FORBIDDEN);
    assert!(!denied.headers().contains_key(SET_COOKIE));

    let headers = ada();
    acme.advance(301);
    let renewed = call(headers.clone(), "contractors").await;
    let cookie = renewed.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("stytch_session_jwt=ey"), "{}", cookie.len());
    assert!(!headers[COOKIE].to_str().unwrap().contains(cookie.split(['=', ';']).nth(1).unwrap()));
}
