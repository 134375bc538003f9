//! The size of the futures that a service keeps for each call in flight or queued, in bytes.

use std::mem::size_of_val;

use stytch_sso_external::ConnectionEdit;

use crate::support::prelude::*;

#[test]
fn futures_stay_small() {
    let client = Client::builder("project-test-1", "secret-test-1").build().unwrap();
    let member = client.as_member(Session::jwt("a.b.c"));
    let update = UpdateExternalConnectionRequest::default();
    let edit = |_: &mut ConnectionEdit| {};
    let sizes = [
        ("update_connection", size_of_val(&member.update_connection("id", &update)), 2200),
        ("connections", size_of_val(&member.connections()), 2050),
        ("connection", size_of_val(&member.connection("id")), 2350),
        ("edit_connection", size_of_val(&member.edit_connection("id", edit)), 2600),
        ("check_permissions", size_of_val(&member.check_permissions([UPDATE])), 2250),
        ("organization_id", size_of_val(&member.organization_id()), 200),
    ];
    let too_large: Vec<_> = sizes.into_iter().filter(|(_, size, limit)| size > limit).collect();
    assert!(too_large.is_empty(), "future, bytes, limit: {too_large:?}");
}
