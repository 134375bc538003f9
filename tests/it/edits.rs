//! Edits: what an edit would send, what is sent, and concurrent edits.

use std::{pin::pin, time::Duration};

use futures_util::{FutureExt, future::join_all};
use serde_json::{Value, json};
use stytch_sso_external::{
    ConnectionEdit, ErrorKind, MemberClient, Operation, Outcome, Session,
    testing::{Connection, Fault, LoggedIn, Organization, Response, Stytch, responses},
    types::{
        ConnectionImplicitRoleAssignment, ExternalConnection, GroupImplicitRoleAssignment,
        UpdateExternalConnectionRequest,
    },
};

use crate::support::{fast_time::accelerate, wait::until};

fn connection(roles: &[&str], groups: &[(&str, &str)]) -> ExternalConnection {
    let mut connection = responses::connection();
    let role = |role_id: &&str| ConnectionImplicitRoleAssignment { role_id: (*role_id).into() };
    connection.external_connection_implicit_role_assignments =
        Some(roles.iter().map(role).collect());
    let group = |(group, role_id): &(&str, &str)| GroupImplicitRoleAssignment {
        group: (*group).into(),
        role_id: (*role_id).into(),
    };
    connection.external_group_implicit_role_assignments = Some(groups.iter().map(group).collect());
    connection
}

fn request() -> UpdateExternalConnectionRequest {
    UpdateExternalConnectionRequest::default()
}

/// Returns what an edit of the connection sends.
fn sent(
    current: &ExternalConnection,
    change: impl FnOnce(&mut ConnectionEdit),
) -> UpdateExternalConnectionRequest {
    let mut edit = ConnectionEdit::new(current.clone());
    change(&mut edit);
    assert_eq!(edit.current(), current);
    edit.into_update().unwrap()
}

#[test]
fn an_edit_sets_the_whole_new_list() {
    let current = connection(&["a", "b"], &[("g", "a"), ("h", "b")]);
    let granted = request().connection_roles(["a", "b", "c"]);
    assert_eq!(sent(&current, |edit| edit.grant_role("c")), granted);
    let revoked = request().connection_roles(["b"]);
    assert_eq!(sent(&current, |edit| edit.revoke_role("a")), revoked);
    let granted = request().group_roles([("g", "a"), ("h", "b"), ("g", "c")]);
    assert_eq!(sent(&current, |edit| edit.grant_group_role("g", "c")), granted);
    let revoked = request().group_roles([("h", "b")]);
    assert_eq!(sent(&current, |edit| edit.revoke_group_role("g", "a")), revoked);

    assert_eq!(sent(&current, |_| {}), request());
    assert_eq!(sent(&current, |edit| edit.grant_role("b")), request());
    assert_eq!(sent(&current, |edit| edit.revoke_role("c")), request());
    assert_eq!(sent(&current, |edit| edit.grant_group_role("g", "a")), request());
    assert_eq!(sent(&current, |edit| edit.revoke_group_role("g", "b")), request());
    assert_eq!(sent(&current, |edit| edit.revoke_group_role("h", "a")), request());

    let last = connection(&["a"], &[]);
    let cleared = request().clear_connection_roles();
    assert_eq!(sent(&last, |edit| edit.revoke_role("a")), cleared);
}

#[test]
fn changes_of_one_edit_add_up() {
    let current = connection(&["a"], &[("g", "a")]);
    let update = sent(&current, |edit| {
        edit.grant_role("b");
        edit.grant_role("c");
        edit.revoke_group_role("g", "a");
        edit.grant_group_role("h", "a");
        edit.display_name("First");
        edit.display_name("New");
    });
    let expected = request().connection_roles(["a", "b", "c"]).group_roles([("h", "a")]);
    assert_eq!(update, expected.display_name("New"));
    // Changed and changed back: nothing is left to send.
    let back = sent(&current, |edit| {
        edit.grant_role("b");
        edit.revoke_role("b");
        edit.revoke_group_role("g", "a");
        edit.grant_group_role("g", "a");
        edit.display_name("New");
        edit.display_name(current.display_name.clone());
    });
    assert_eq!(back, request());
}

#[test]
fn duplicates_are_left_out_and_the_order_is_kept() {
    let current = connection(&["b", "a", "b"], &[]);
    let granted = request().connection_roles(["b", "a", "c"]);
    assert_eq!(sent(&current, |edit| edit.grant_role("c")), granted);
    assert_eq!(sent(&current, |edit| edit.grant_role("a")), request());
    assert_eq!(sent(&current, |edit| edit.revoke_role("b")), request().connection_roles(["a"]));
    // A role that is revoked and granted again is the last one.
    let again = sent(&current, |edit| {
        edit.revoke_role("b");
        edit.grant_role("b");
    });
    assert_eq!(again, request().connection_roles(["a", "b"]));
}

#[test]
fn edit_has_the_roles_of_the_edits_so_far() {
    let current = connection(&["a"], &[("g", "a")]);
    assert!(current.has_role("a") && current.has_group_role("g", "a"));
    assert!(!current.has_role("b") && !current.has_role("g"));
    assert!(!current.has_group_role("g", "b") && !current.has_group_role("a", "g"));
    let mut edit = ConnectionEdit::new(current);
    assert!(edit.has_role("a") && edit.has_group_role("g", "a"));
    edit.revoke_role("a");
    edit.grant_role("b");
    edit.revoke_group_role("g", "a");
    edit.grant_group_role("g", "b");
    assert!(!edit.has_role("a") && edit.has_role("b"));
    assert!(!edit.has_group_role("g", "a") && edit.has_group_role("g", "b"));
    assert!(edit.current().has_role("a"), "the connection before the edit");
}

#[test]
fn edit_of_a_missing_list_is_an_error() {
    const ROLES: &str = "external_connection_implicit_role_assignments";
    const GROUPS: &str = "external_group_implicit_role_assignments";
    let mut current = connection(&[], &[]);
    current.external_connection_implicit_role_assignments = None;
    current.external_group_implicit_role_assignments = None;
    assert!(!current.has_role("a") && !current.has_group_role("g", "a"));
    let edits: [(fn(&mut ConnectionEdit), _); 5] = [
        (|edit| edit.grant_role("a"), ROLES),
        (|edit| edit.revoke_role("a"), ROLES),
        (|edit| edit.grant_group_role("g", "a"), GROUPS),
        (|edit| edit.revoke_group_role("g", "a"), GROUPS),
        (
            |edit| {
                edit.grant_role("a");
                edit.revoke_role("a");
            },
            ROLES,
        ),
    ];
    for (change, field) in edits {
        let mut edit = ConnectionEdit::new(current.clone());
        edit.display_name("New");
        change(&mut edit);
        let error = edit.into_update().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error:?}");
        assert!(error.reason().contains(field), "{error:?}");
        assert_eq!(error.operation(), Operation::UpdateExternalConnection);
        assert_eq!((error.outcome(), error.attempts()), (Outcome::NotApplied, 0));
        assert!(!error.is_retryable());
    }
    // The other list, and the name, can be changed.
    current.external_connection_implicit_role_assignments = Some(vec![]);
    let update = sent(&current, |edit| {
        edit.display_name("New");
        edit.grant_role("a");
    });
    assert_eq!(update, request().display_name("New").connection_roles(["a"]));
}

/// Takes minutes if each step looks at the whole list.
#[test]
fn hundreds_of_thousands_of_roles_can_be_edited() {
    const ROLES: usize = 200_000;
    let role = |number: usize| format!("role-{number}");
    let mut current = connection(&[], &[]);
    let assignment = |number| ConnectionImplicitRoleAssignment { role_id: role(number) };
    // Each of them twice.
    current.external_connection_implicit_role_assignments =
        Some((0..ROLES).chain(0..ROLES).map(assignment).collect());
    let update = sent(&current, |edit| {
        for number in 0..ROLES {
            edit.grant_group_role(role(number), "editor");
            edit.grant_role(role(number));
            assert!(edit.has_role(&role(number)));
        }
        for number in 0..ROLES / 2 {
            edit.revoke_role(&role(number));
            edit.revoke_group_role(&role(number), "editor");
        }
    });
    let left = || (ROLES / 2..ROLES).map(role);
    let expected = request().connection_roles(left());
    assert_eq!(update, expected.group_roles(left().map(|group| (group, "editor"))));
}

struct Fixture {
    stytch: Stytch,
    acme: Organization,
    okta: Connection,
    ada: LoggedIn,
    member: MemberClient,
}

fn fixture() -> Fixture {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let okta = acme.connection("Acme Okta");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let member = stytch.client().as_member(Session::jwt(ada.jwt()));
    Fixture { stytch, acme, okta, ada, member }
}

fn groups(connection: &ExternalConnection) -> Vec<&str> {
    let roles = connection.external_group_implicit_role_assignments.as_ref().unwrap();
    roles.iter().map(|role| &*role.group).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_edits_lose_nothing() {
    for _ in 0..100 {
        let Fixture { stytch: _stytch, okta, member, .. } = fixture();
        let edits = ["left", "right"].map(|group| {
            let (member, id) = (member.clone(), okta.id().to_owned());
            tokio::spawn(async move {
                let grant = |edit: &mut ConnectionEdit| edit.grant_group_role(group, ADMIN);
                member.edit_connection(&id, grant).await.unwrap()
            })
        });
        join_all(edits).await;
        let mut found = groups(&okta.state()).into_iter().map(str::to_owned).collect::<Vec<_>>();
        found.sort();
        assert_eq!(found, ["left", "right"]);
    }
}

#[tokio::test]
async fn edit_returns_the_connection_as_it_is_afterwards() {
    let Fixture { stytch, okta, member, .. } = fixture();
    let edit = |edit: &mut ConnectionEdit| edit.grant_group_role("it", ADMIN);
    let edited = member.edit_connection(okta.id(), edit).await.unwrap();
    assert_eq!((groups(&edited), &edited), (vec!["it"], &okta.state()));
    let updates = stytch.updates();
    assert_eq!(updates.len(), 1);
    let role = json!({"group": "it", "role_id": ADMIN});
    assert_eq!(updates[0].body, json!({"external_group_implicit_role_assignments": [role]}));
    // Granted already: it is read, and nothing is sent.
    assert_eq!(member.edit_connection(okta.id(), edit).await.unwrap(), okta.state());
    assert_eq!(stytch.count(Operation::GetConnections), 2);
    assert_eq!(stytch.count(Operation::UpdateExternalConnection), 1);
    let error = member.edit_connection("nope", edit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert_eq!(error.operation(), Operation::GetConnections);
}

/// Moves the role editor from a group to another.
async fn move_role(member: &MemberClient, id: &str, from: &str, to: &str) -> ExternalConnection {
    let edited = member.edit_connection(id, |edit| {
        if edit.has_group_role(from, "editor") {
            edit.revoke_group_role(from, "editor");
            edit.grant_group_role(to, "editor");
        }
    });
    edited.await.unwrap()
}

#[tokio::test]
async fn move_of_a_role_that_the_source_lacks_sends_nothing() {
    let Fixture { stytch, acme, member, .. } = fixture();
    stytch.role("editor", &[]);
    for roles in [&[][..], &[("contractors", "stytch_member"), ("sales", "editor")]] {
        let okta = acme.connection_builder("Acme Okta").group_roles(roles).create();
        let before = okta.state();
        let edited = move_role(&member, okta.id(), "contractors", "engineering").await;
        assert_eq!((&edited, &okta.state()), (&before, &before));
    }
    assert_eq!(stytch.updates(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_moves_of_a_role_one_changes_nothing() {
    let Fixture { stytch, acme, member, .. } = fixture();
    stytch.role("editor", &[]);
    for round in 1..=20 {
        let okta = acme.connection_builder("Acme Okta");
        let okta = okta.group_roles(&[("contractors", "editor")]).create();
        let moves = ["engineering", "sales"].map(|to| {
            let (member, id) = (member.clone(), okta.id().to_owned());
            tokio::spawn(async move { move_role(&member, &id, "contractors", to).await })
        });
        let results = join_all(moves).await;
        let state = okta.state();
        let [granted] = groups(&state)[..] else { panic!("one group has it: {state:?}") };
        assert!(["engineering", "sales"].contains(&granted), "{granted}");
        for edited in results {
            assert_eq!(edited.unwrap(), state);
        }
        assert_eq!(stytch.updates().len(), round);
    }
}

/// Responds to the read of connections with these role lists.
fn with_lists(connection: &Connection, lists: &Value) -> Fault {
    let mut shown = serde_json::to_value(connection.state()).unwrap();
    let shown_fields = shown.as_object_mut().unwrap();
    shown_fields.retain(|field, _| !field.ends_with("_role_assignments"));
    shown_fields.extend(lists.as_object().unwrap().clone());
    let body = json!({"status_code": 200, "request_id": "r", "external_connections": [shown]});
    Fault::response(Response::json(200, &body))
}

#[tokio::test]
async fn connection_without_lists_is_read_and_only_renamed() {
    let Fixture { stytch, okta, member, .. } = fixture();
    let _ = stytch.fault(Operation::GetConnections, with_lists(&okta, &json!({})));
    let listed = member.connections().await.unwrap().external_connections;
    assert_eq!(listed, [member.connection(okta.id()).await.unwrap()]);
    assert_eq!(listed[0].external_connection_implicit_role_assignments, None);
    assert_eq!(listed[0].external_group_implicit_role_assignments, None);

    let error = member.edit_connection(okta.id(), |edit| edit.grant_role(ADMIN)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.reason().contains("external_connection_implicit_role_assignments"), "{error}");
    assert_eq!(stytch.updates(), []);

    member.edit_connection(okta.id(), |edit| edit.display_name("Renamed")).await.unwrap();
    assert_eq!(stytch.updates().pop().unwrap().body, json!({"display_name": "Renamed"}));
}

/// A server in Go writes an empty list as null.
#[tokio::test]
async fn connection_with_null_lists_is_listed_read_and_granted_to() {
    let Fixture { stytch, okta, member, .. } = fixture();
    let lists = json!({
        "external_connection_implicit_role_assignments": null,
        "external_group_implicit_role_assignments": null,
    });
    let _ = stytch.fault(Operation::GetConnections, with_lists(&okta, &lists));
    let listed = member.connections().await.unwrap().external_connections;
    assert_eq!(listed, [member.connection(okta.id()).await.unwrap()]);
    assert_eq!(listed[0].external_connection_implicit_role_assignments, Some(vec![]));
    assert_eq!(listed[0].external_group_implicit_role_assignments, Some(vec![]));

    let edited = member.edit_connection(okta.id(), |edit| {
        edit.grant_role(ADMIN);
        edit.grant_group_role("it", ADMIN);
    });
    assert_eq!(edited.await.unwrap(), okta.state());
    assert!(okta.state().has_role(ADMIN) && okta.state().has_group_role("it", ADMIN));
    let nothing = |edit: &mut ConnectionEdit| edit.revoke_role(ADMIN);
    member.edit_connection(okta.id(), nothing).await.unwrap();
    assert_eq!(stytch.updates().len(), 1);
}

#[tokio::test]
async fn edit_delays_no_other_connection_and_no_update() {
    let Fixture { stytch, acme, okta, ada, .. } = fixture();
    let entra = acme.connection("Acme Entra");
    let client =
        stytch.client_builder().operation_timeout(Duration::from_secs(20)).build().unwrap();
    let member = client.as_member(Session::jwt(ada.jwt()));
    member.organization_id().await.unwrap();
    // The first edit's update hangs, so it holds its lock.
    let delay = Fault::delay(Duration::from_secs(20));
    let hang = stytch.fault(Operation::UpdateExternalConnection, delay).times(1);
    let holder = tokio::spawn({
        let (member, id) = (member.clone(), okta.id().to_owned());
        async move { member.edit_connection(&id, |edit| edit.grant_role(ADMIN)).await }
    });
    until(|| hang.hits() > 0).await;
    member.edit_connection(entra.id(), |edit| edit.grant_role(ADMIN)).await.unwrap();
    member.update_connection(okta.id(), &request().display_name("Renamed")).await.unwrap();

    // Another one waits for the lock, and gets it when the holder is dropped.
    let reads = stytch.count(Operation::GetConnections);
    let waiting = tokio::spawn({
        let (member, id) = (member.clone(), okta.id().to_owned());
        async move { member.edit_connection(&id, |edit| edit.grant_role("stytch_member")).await }
    });
    // An edit of another connection takes a round trip, in which the waiting one would have read
    // if it had the lock.
    member.edit_connection(entra.id(), |edit| edit.grant_role("stytch_member")).await.unwrap();
    assert_eq!(stytch.count(Operation::GetConnections), reads + 1);
    holder.abort();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn third_waiting_edit_of_a_session_fails_at_once() {
    let Fixture { stytch, acme, okta, ada, .. } = fixture();
    let (client, id) = (stytch.client(), okta.id());
    let ada = client.as_member(Session::jwt(ada.jwt()));
    let bob = acme.member("bob", &[ADMIN]).log_in();
    let bob = client.as_member(Session::token(bob.token()));
    for member in [&ada, &bob] {
        member.organization_id().await.unwrap();
    }
    let edit = |member: &MemberClient, group: &'static str| {
        let (member, id) = (member.clone(), id.to_owned());
        async move { member.edit_connection(&id, |edit| edit.grant_group_role(group, ADMIN)).await }
    };
    // Ada's edit holds the lock.
    let delay = Fault::delay(Duration::from_secs(20));
    let hang = stytch.fault(Operation::GetConnections, delay).times(1);
    let holder = tokio::spawn(edit(&ada, "held"));
    until(|| hang.hits() > 0).await;

    let mut waiting = Vec::new();
    for (member, group) in [(&ada, "a"), (&bob, "b"), (&ada, "c"), (&bob, "d")] {
        let mut edit = Box::pin(edit(member, group));
        assert!((&mut edit).now_or_never().is_none(), "{group} waits");
        waiting.push(edit);
    }
    let requests = stytch.requests().len();
    for member in [&ada, &bob] {
        let error = edit(member, "e").now_or_never().expect("fails at once").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
        assert_eq!(error.operation(), Operation::UpdateExternalConnection);
        assert_eq!((error.outcome(), error.attempts()), (Outcome::NotApplied, 0));
        assert!(error.is_retryable() && error.reason().contains("waiting"), "{error:?}");
    }
    assert_eq!(stytch.requests().len(), requests);
    // One that gives up makes room.
    drop(waiting.pop());
    let mut last = pin!(edit(&bob, "last"));
    assert!((&mut last).now_or_never().is_none());

    holder.abort();
    for result in join_all(waiting).await {
        result.unwrap();
    }
    assert_eq!(groups(&last.await.unwrap()), ["a", "b", "c", "last"]);
}

/// One holds the lock and two wait, also while the lock passes to the next one.
#[tokio::test(flavor = "multi_thread")]
async fn three_callers_of_a_session_edit_without_a_failure() {
    let Fixture { stytch: _stytch, okta, member, .. } = fixture();
    member.organization_id().await.unwrap();
    let callers = (0..3).map(|caller| {
        let (member, id) = (member.clone(), okta.id().to_owned());
        tokio::spawn(async move {
            for round in 0..30 {
                let name = format!("{caller}-{round}");
                member.edit_connection(&id, |edit| edit.display_name(name)).await.unwrap();
            }
        })
    });
    for caller in join_all(callers).await {
        caller.unwrap();
    }
}

#[tokio::test]
async fn timeout_while_queued_for_the_edit_lock_sends_nothing() {
    let Fixture { stytch, okta, ada, .. } = fixture();
    let client = stytch.client_builder().operation_timeout(Duration::from_secs(5));
    let member = client.build().unwrap().as_member(Session::jwt(ada.jwt()));
    member.organization_id().await.unwrap();
    let hang = stytch.fault(Operation::GetConnections, Fault::delay(Duration::from_secs(600)));
    let edit = || member.edit_connection(okta.id(), |edit| edit.grant_role(ADMIN));
    let mut first = pin!(edit());
    tokio::select! {
        _ = &mut first => panic!("the first edit was to be held"),
        () = until(|| hang.hits() > 0) => {}
    }
    // As long as nobody polls it, the first one keeps the lock.
    accelerate();
    let (second, first) = (edit().await, first.await);
    let first = first.unwrap_err();
    assert_eq!(
        (first.operation(), first.outcome()),
        (Operation::GetConnections, Outcome::NotApplied)
    );
    let second = second.unwrap_err();
    assert_eq!(second.operation(), Operation::UpdateExternalConnection);
    assert!(second.reason().starts_with("operation_timeout elapsed while "), "{second:?}");
    assert!(second.is_retryable());
    assert_eq!(stytch.count(Operation::GetConnections), 1);
}

const ADMIN: &str = "stytch_admin";
