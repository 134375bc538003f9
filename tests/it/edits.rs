//! Edits: what an edit would send, what is sent, and concurrent edits.

use crate::support::prelude::*;

const ADMIN: &str = "stytch_admin";

fn connection(roles: &[&str], groups: &[(&str, &str)]) -> ExternalConnection {
    with_lists(request().connection_roles(roles.to_vec()).group_roles(groups.to_vec()))
}

fn with_lists(lists: UpdateExternalConnectionRequest) -> ExternalConnection {
    let mut connection = responses::connection();
    connection.external_connection_implicit_role_assignments =
        lists.external_connection_implicit_role_assignments;
    connection.external_group_implicit_role_assignments =
        lists.external_group_implicit_role_assignments;
    connection
}

fn request() -> UpdateExternalConnectionRequest {
    UpdateExternalConnectionRequest::default()
}

/// Checks what an edit of the connection sends.
#[track_caller]
fn assert_sent(
    current: &ExternalConnection,
    change: impl FnOnce(&mut ConnectionEdit),
    expected: &UpdateExternalConnectionRequest,
) {
    let mut edit = ConnectionEdit::new(current.clone());
    change(&mut edit);
    assert_eq!(edit.current(), current);
    assert_eq!(edit.into_update().unwrap(), *expected);
}

#[test]
fn an_edit_sets_the_whole_new_list_in_order_and_without_duplicates() {
    let current = connection(&["b", "a", "b"], &[("g", "a"), ("h", "b")]);
    let again = |edit: &mut ConnectionEdit| {
        edit.revoke_role("b");
        edit.grant_role("b");
    };
    let groups = |groups: &[_]| request().group_roles(groups.to_vec());
    let edits: [(fn(&mut ConnectionEdit), _); 11] = [
        (|edit| edit.grant_role("c"), request().connection_roles(["b", "a", "c"])),
        (|edit| edit.revoke_role("b"), request().connection_roles(["a"])),
        // A role that is revoked and granted again is the last one.
        (again, request().connection_roles(["a", "b"])),
        (|edit| edit.grant_group_role("g", "c"), groups(&[("g", "a"), ("h", "b"), ("g", "c")])),
        (|edit| edit.revoke_group_role("g", "a"), groups(&[("h", "b")])),
        (|_| {}, request()),
        (|edit| edit.grant_role("a"), request()),
        (|edit| edit.revoke_role("c"), request()),
        (|edit| edit.grant_group_role("g", "a"), request()),
        (|edit| edit.revoke_group_role("g", "b"), request()),
        (|edit| edit.revoke_group_role("h", "a"), request()),
    ];
    for (change, expected) in edits {
        assert_sent(&current, change, &expected);
    }
    let last = connection(&["a"], &[]);
    assert_sent(&last, |edit| edit.revoke_role("a"), &request().clear_connection_roles());
}

#[test]
fn changes_of_one_edit_add_up() {
    let current = connection(&["a"], &[("g", "a")]);
    let change = |edit: &mut ConnectionEdit| {
        edit.grant_role("b");
        edit.grant_role("c");
        edit.revoke_group_role("g", "a");
        edit.grant_group_role("h", "a");
        edit.display_name("First");
        edit.display_name("New");
    };
    let expected = request().connection_roles(["a", "b", "c"]).group_roles([("h", "a")]);
    assert_sent(&current, change, &expected.display_name("New"));
    // Changed and changed back: nothing is left to send.
    let change = |edit: &mut ConnectionEdit| {
        edit.grant_role("b");
        edit.revoke_role("b");
        edit.revoke_group_role("g", "a");
        edit.grant_group_role("g", "a");
        edit.display_name("New");
        edit.display_name(current.display_name.clone());
    };
    assert_sent(&current, change, &request());
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
    let mut current = with_lists(request());
    assert!(!current.has_role("a") && !current.has_group_role("g", "a"));
    let grant_and_revoke = |edit: &mut ConnectionEdit| {
        edit.grant_role("a");
        edit.revoke_role("a");
    };
    let edits: [(fn(&mut ConnectionEdit), _); 5] = [
        (|edit| edit.grant_role("a"), ROLES),
        (|edit| edit.revoke_role("a"), ROLES),
        (|edit| edit.grant_group_role("g", "a"), GROUP_ROLES),
        (|edit| edit.revoke_group_role("g", "a"), GROUP_ROLES),
        (grant_and_revoke, ROLES),
    ];
    for (change, field) in edits {
        let mut edit = ConnectionEdit::new(current.clone());
        edit.display_name("New");
        change(&mut edit);
        assert_unknown_list(&edit.into_update().unwrap_err(), field);
    }
    // The other list, and the name, can be changed.
    current.external_connection_implicit_role_assignments = Some(vec![]);
    let change = |edit: &mut ConnectionEdit| {
        edit.display_name("New");
        edit.grant_role("a");
    };
    assert_sent(&current, change, &request().display_name("New").connection_roles(["a"]));
}

#[track_caller]
fn assert_unknown_list(error: &Error, field: &str) {
    assert_eq!(facts(error), (UnexpectedResponse, None, NotApplied), "{error:?}");
    assert!(error.reason().contains(field), "{error:?}");
    assert_eq!(error.operation(), UPDATE);
    assert_eq!((error.attempts(), error.is_retryable()), (0, false));
}

/// Takes minutes if each step looks at the whole list.
#[test]
fn tens_of_thousands_of_roles_can_be_edited() {
    const COUNT: usize = 50_000;
    let role = |number: usize| format!("role-{number}");
    // Each of them twice.
    let twice = request().connection_roles((0..COUNT).chain(0..COUNT).map(role));
    let current = with_lists(twice.clear_group_roles());
    let left = || (COUNT / 2..COUNT).map(role);
    let expected = request().connection_roles(left());
    let change = |edit: &mut ConnectionEdit| {
        for number in 0..COUNT {
            edit.grant_group_role(role(number), "editor");
            edit.grant_role(role(number));
            assert!(edit.has_role(&role(number)));
        }
        for number in 0..COUNT / 2 {
            edit.revoke_role(&role(number));
            edit.revoke_group_role(&role(number), "editor");
        }
    };
    assert_sent(&current, change, &expected.group_roles(left().map(|group| (group, "editor"))));
}

fn groups(connection: &ExternalConnection) -> Vec<&str> {
    let roles = connection.external_group_implicit_role_assignments.as_ref().unwrap();
    roles.iter().map(|role| &*role.group).collect()
}

/// An organization, and its admin.
fn fixture() -> (Acme, MemberClient) {
    let acme = Acme::new();
    let ada = acme.stytch.client().as_member(acme.jwt());
    (acme, ada)
}

/// Edits a connection, in the background or whenever it is polled.
fn editing<E: FnOnce(&mut ConnectionEdit) + Send + 'static>(
    member: &MemberClient,
    connection: &Connection,
    edit: E,
) -> impl Future<Output = Result<ExternalConnection, Error>> + use<E> {
    let (member, id) = (member.clone(), connection.id().to_owned());
    async move { member.edit_connection(&id, edit).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_edits_lose_nothing() {
    let (acme, ada) = fixture();
    for _ in 0..40 {
        let okta = acme.organization.connection("Acme Okta");
        let edits = ["left", "right"].map(|group| {
            tokio::spawn(editing(&ada, &okta, move |edit| edit.grant_group_role(group, ADMIN)))
        });
        for edited in join_all(edits).await {
            edited.unwrap().unwrap();
        }
        let state = okta.state();
        let mut found = groups(&state);
        found.sort_unstable();
        assert_eq!(found, ["left", "right"]);
    }
}

#[tokio::test]
async fn edit_returns_the_connection_as_it_is_afterwards() {
    let (Acme { stytch, connection: okta, .. }, ada) = fixture();
    let edit = |edit: &mut ConnectionEdit| edit.grant_group_role("it", ADMIN);
    let edited = ada.edit_connection(okta.id(), edit).await.unwrap();
    assert_eq!((groups(&edited), &edited), (vec!["it"], &okta.state()));
    let updates = stytch.updates();
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].body, json!({GROUP_ROLES: [{"group": "it", "role_id": ADMIN}]}));
    // Granted already: it is read, and nothing is sent.
    assert_eq!(ada.edit_connection(okta.id(), edit).await.unwrap(), okta.state());
    assert_eq!(stytch.count(GetConnections), 2);
    assert_eq!(stytch.count(UPDATE), 1);
    let error = ada.edit_connection("nope", edit).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (NotFound, GetConnections), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_moves_of_a_role_one_changes_nothing() {
    let (Acme { stytch, organization, .. }, ada) = fixture();
    stytch.role("editor", &[]);
    for round in 1..=20 {
        let okta = organization.connection_builder("Acme Okta");
        let okta = okta.group_roles(&[("contractors", "editor")]).create();
        let moves = ["engineering", "sales"].map(|group| {
            tokio::spawn(editing(&ada, &okta, move |edit| {
                if edit.has_group_role("contractors", "editor") {
                    edit.revoke_group_role("contractors", "editor");
                    edit.grant_group_role(group, "editor");
                }
            }))
        });
        let results = join_all(moves).await;
        let state = okta.state();
        let [granted] = groups(&state)[..] else { panic!("one group has it: {state:?}") };
        assert!(["engineering", "sales"].contains(&granted), "{granted}");
        for edited in results {
            assert_eq!(edited.unwrap().unwrap(), state);
        }
        assert_eq!(stytch.updates().len(), round);
    }
}

/// Responds to the read of connections with both role lists missing or null. Returns it as read.
async fn read_without_lists(acme: &Acme, ada: &MemberClient, are_null: bool) -> ExternalConnection {
    let okta = &acme.connection;
    let lists = [ROLES, GROUP_ROLES].map(|list| format!("/{list}"));
    let shown = missing_or_null(&json!(okta.state()), &lists.each_ref().map(|list| &**list));
    let shown = &shown[usize::from(are_null)];
    let body = json!({"status_code": 200, "request_id": "r", "external_connections": [shown]});
    let _ = acme.stytch.fault(GetConnections, Fault::response(Response::json(200, &body)));
    let mut listed = ada.connections().await.unwrap().external_connections;
    assert_eq!(listed, [ada.connection(okta.id()).await.unwrap()]);
    listed.remove(0)
}

#[tokio::test]
async fn connection_without_lists_is_read_and_only_renamed() {
    let (acme, ada) = fixture();
    let listed = read_without_lists(&acme, &ada, false).await;
    assert_eq!(listed.external_connection_implicit_role_assignments, None);
    assert_eq!(listed.external_group_implicit_role_assignments, None);

    let id = acme.connection.id();
    let error = ada.edit_connection(id, |edit| edit.grant_role(ADMIN)).await.unwrap_err();
    assert_unknown_list(&error, ROLES);
    assert_eq!(acme.stytch.updates(), []);

    ada.edit_connection(id, |edit| edit.display_name("Renamed")).await.unwrap();
    assert_eq!(acme.stytch.updates().pop().unwrap().body, json!({"display_name": "Renamed"}));
}

/// A server in Go writes an empty list as null.
#[tokio::test]
async fn connection_with_null_lists_is_listed_read_and_granted_to() {
    let (acme, ada) = fixture();
    let listed = read_without_lists(&acme, &ada, true).await;
    assert_eq!(listed.external_connection_implicit_role_assignments, Some(vec![]));
    assert_eq!(listed.external_group_implicit_role_assignments, Some(vec![]));

    let okta = &acme.connection;
    let edited = ada.edit_connection(okta.id(), |edit| {
        edit.grant_role(ADMIN);
        edit.grant_group_role("it", ADMIN);
    });
    assert_eq!(edited.await.unwrap(), okta.state());
    assert!(okta.state().has_role(ADMIN) && okta.state().has_group_role("it", ADMIN));
    ada.edit_connection(okta.id(), |edit| edit.revoke_role(ADMIN)).await.unwrap();
    assert_eq!(acme.stytch.updates().len(), 1);
}

#[tokio::test]
async fn edit_delays_no_other_connection_and_no_update() {
    let (acme, ada) = fixture();
    let (okta, entra) = (&acme.connection, acme.organization.connection("Acme Entra"));
    ada.organization_id().await.unwrap();
    // The first edit's update hangs, so it holds its lock.
    let hang = acme.stytch.fault(UPDATE, Fault::delay(LONG)).times(1);
    let holder = tokio::spawn(editing(&ada, okta, |edit| edit.grant_role(ADMIN)));
    until(|| hang.hits() > 0).await;
    ada.edit_connection(entra.id(), |edit| edit.grant_role(ADMIN)).await.unwrap();
    acme.rename(&ada).await.unwrap();

    // Another one waits for the lock, and gets it when the holder is dropped.
    let reads = acme.stytch.count(GetConnections);
    let waiting = tokio::spawn(editing(&ada, okta, |edit| edit.revoke_role("stytch_member")));
    // An edit of another connection takes a round trip, in which the waiting one would have read
    // if it had the lock.
    ada.edit_connection(entra.id(), |edit| edit.grant_role("stytch_member")).await.unwrap();
    assert_eq!(acme.stytch.count(GetConnections), reads + 1);
    holder.abort();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn third_waiting_edit_of_a_session_fails_at_once() {
    let (acme, client) = Acme::with_client(|it| it);
    let (ada, bob) = (client.as_member(acme.jwt()), client.as_member(acme.another_token()));
    // Another credential of the same session.
    let ada_by_token = client.as_member(acme.token());
    for member in [&ada, &ada_by_token, &bob] {
        member.organization_id().await.unwrap();
    }
    let edit = |member: &MemberClient, group: &'static str| {
        editing(member, &acme.connection, move |edit| edit.grant_group_role(group, ADMIN))
    };
    // Ada's edit holds the lock.
    let hang = acme.stytch.fault(GetConnections, Fault::delay(LONG)).times(1);
    let holder = tokio::spawn(edit(&ada, "held"));
    until(|| hang.hits() > 0).await;

    let mut waiting = Vec::new();
    for (member, group) in [(&ada, "a"), (&bob, "b"), (&ada_by_token, "c"), (&bob, "d")] {
        let mut edit = Box::pin(edit(member, group));
        assert!((&mut edit).now_or_never().is_none(), "{group} waits");
        waiting.push(edit);
    }
    let requests = acme.stytch.requests().len();
    for member in [&ada, &ada_by_token, &bob] {
        let error = edit(member, "e").now_or_never().expect("fails at once").unwrap_err();
        assert_eq!(facts(&error), (Transport, None, NotApplied), "{error:?}");
        assert_eq!((error.operation(), error.attempts()), (UPDATE, 0));
        assert!(error.is_retryable() && error.reason().contains("waiting"), "{error:?}");
    }
    assert_eq!(acme.stytch.requests().len(), requests);
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
    let (acme, ada) = fixture();
    ada.organization_id().await.unwrap();
    let callers = (0..3).map(|caller| {
        let (member, id) = (ada.clone(), acme.connection.id().to_owned());
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
    let (acme, client) = Acme::with_client(|it| it.operation_timeout(Duration::from_secs(5)));
    let ada = client.as_member(acme.jwt());
    ada.organization_id().await.unwrap();
    let hang = acme.stytch.fault(GetConnections, Fault::delay(LONG));
    let edit = || ada.edit_connection(acme.connection.id(), |edit| edit.grant_role(ADMIN));
    let mut first = pin!(edit());
    tokio::select! {
        _ = &mut first => panic!("the first edit was to be held"),
        () = until(|| hang.hits() > 0) => {}
    }
    // As long as nobody polls it, the first one keeps the lock.
    accelerate();
    let (second, first) = (edit().await.unwrap_err(), first.await.unwrap_err());
    assert_eq!((first.operation(), first.outcome()), (GetConnections, NotApplied));
    assert_eq!(second.operation(), UPDATE);
    assert!(second.reason().starts_with("operation_timeout elapsed while "), "{second:?}");
    assert!(second.is_retryable());
    assert_eq!(acme.stytch.count(GetConnections), 1);
}
