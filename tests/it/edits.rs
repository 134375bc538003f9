//! Edits of role lists: request bodies and concurrent edits.

use std::time::Duration;

use futures_util::future::join_all;
use stytch_sso_external::{
    ErrorKind, MemberClient, Operation, Outcome, Session,
    testing::{Connection, Fault, LoggedIn, Organization, Stytch, responses},
    types::{
        ConnectionImplicitRoleAssignment, ExternalConnection, GroupImplicitRoleAssignment,
        UpdateExternalConnectionRequest,
    },
};

use crate::support::wait::until;

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

#[test]
fn an_edit_sets_the_whole_new_list() {
    let current = connection(&["a", "b"], &[("g", "a"), ("h", "b")]);
    let unchanged = request();
    assert_eq!(current.grant_role("c").unwrap(), request().connection_roles(["a", "b", "c"]));
    assert_eq!(current.revoke_role("a").unwrap(), request().connection_roles(["b"]));
    let granted = request().group_roles([("g", "a"), ("h", "b"), ("g", "c")]);
    assert_eq!(current.grant_group_role("g", "c").unwrap(), granted);
    let revoked = request().group_roles([("h", "b")]);
    assert_eq!(current.revoke_group_role("g", "a").unwrap(), revoked);

    assert_eq!(current.grant_role("b").unwrap(), unchanged);
    assert_eq!(current.revoke_role("c").unwrap(), unchanged);
    assert_eq!(current.grant_group_role("g", "a").unwrap(), unchanged);
    assert_eq!(current.revoke_group_role("g", "b").unwrap(), unchanged);

    let last = connection(&["a"], &[]);
    assert_eq!(last.revoke_role("a").unwrap(), request().clear_connection_roles());
}

#[test]
fn changes_of_one_edit_add_up() {
    let current = connection(&["a"], &[("g", "a")]);
    let two = current.grant_role("b").unwrap().and_grant_role(&current, "c").unwrap();
    assert_eq!(two, request().connection_roles(["a", "b", "c"]));
    let moved = current.grant_group_role("h", "a").unwrap();
    let moved = moved.and_revoke_group_role(&current, "g", "a").unwrap();
    let moved = moved.and_grant_role(&current, "b").unwrap().display_name("New");
    let expected = request().group_roles([("h", "a")]).connection_roles(["a", "b"]);
    assert_eq!(moved, expected.display_name("New"));
    // Changed and changed back: nothing is left to send.
    let back = current.grant_role("b").unwrap().and_revoke_role(&current, "b").unwrap();
    assert_eq!(back, request());
    // A list that the request sets itself is where it starts from.
    let own = request().connection_roles(["x"]).and_grant_role(&current, "y").unwrap();
    assert_eq!(own, request().connection_roles(["x", "y"]));
}

#[test]
fn duplicates_are_left_out_and_the_order_is_kept() {
    let current = connection(&["b", "a", "b"], &[]);
    assert_eq!(current.grant_role("c").unwrap(), request().connection_roles(["b", "a", "c"]));
    assert_eq!(current.grant_role("a").unwrap(), request());
    assert_eq!(current.revoke_role("b").unwrap(), request().connection_roles(["a"]));
}

#[test]
fn edit_of_an_unknown_list_is_an_error() {
    let mut current = connection(&[], &[]);
    current.external_connection_implicit_role_assignments = None;
    current.external_group_implicit_role_assignments = None;
    let edits = [
        current.grant_role("a"),
        current.revoke_role("a"),
        current.grant_group_role("g", "a"),
        current.revoke_group_role("g", "a"),
        request().connection_roles(["a"]).and_grant_group_role(&current, "g", "a"),
    ];
    for edit in edits {
        let error = edit.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        assert_eq!(error.operation(), Operation::UpdateExternalConnection);
        assert_eq!((error.outcome(), error.attempts()), (Outcome::NotApplied, 0));
    }
    let own = request().connection_roles(["a"]).and_grant_role(&current, "b").unwrap();
    assert_eq!(own, request().connection_roles(["a", "b"]));
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
                let grant =
                    |current: &ExternalConnection| current.grant_group_role(group, "stytch_admin");
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
async fn edit_returns_the_updated_connection() {
    let Fixture { stytch, okta, member, .. } = fixture();
    let edit = |current: &ExternalConnection| current.grant_group_role("it", "stytch_admin");
    let edited = member.edit_connection(okta.id(), edit).await.unwrap();
    assert_eq!((groups(&edited), &edited), (vec!["it"], &okta.state()));
    assert_eq!(stytch.updates().len(), 1);
    // Granted already: it is read, and nothing is sent.
    assert_eq!(member.edit_connection(okta.id(), edit).await.unwrap(), okta.state());
    assert_eq!(stytch.count(Operation::GetConnections), 2);
    assert_eq!(stytch.count(Operation::UpdateExternalConnection), 1);
    // What the closure returns is returned.
    let failed = member.edit_connection(okta.id(), |current| {
        let mut unknown = current.clone();
        unknown.external_group_implicit_role_assignments = None;
        unknown.grant_group_role("it", "editor")
    });
    assert!(failed.await.is_err_and(|error| error.kind() == ErrorKind::InvalidRequest));
    let error = member.edit_connection("nope", edit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert_eq!(error.operation(), Operation::GetConnections);
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
        async move { member.edit_connection(&id, |current| current.grant_role("stytch_admin")).await }
    });
    until(|| hang.hits() > 0).await;
    let edit = |current: &ExternalConnection| current.grant_role("stytch_admin");
    member.edit_connection(entra.id(), edit).await.unwrap();
    member.update_connection(okta.id(), &request().display_name("Renamed")).await.unwrap();

    // Another one waits for the lock, and gets it when the holder is dropped.
    let reads = stytch.count(Operation::GetConnections);
    let waiting = tokio::spawn({
        let (member, id) = (member.clone(), okta.id().to_owned());
        async move { member.edit_connection(&id, |current| current.grant_role("stytch_member")).await }
    });
    // An edit of another connection takes a round trip, in which the waiting one would have read
    // if it had the lock.
    member
        .edit_connection(entra.id(), |current| current.grant_role("stytch_member"))
        .await
        .unwrap();
    assert_eq!(stytch.count(Operation::GetConnections), reads + 1);
    holder.abort();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn timeout_while_queued_for_the_edit_lock_sends_nothing() {
    let Fixture { stytch, okta, ada, .. } = fixture();
    let client = stytch.client_builder().operation_timeout(Duration::from_secs(1));
    let member = client.build().unwrap().as_member(Session::jwt(ada.jwt()));
    member.organization_id().await.unwrap();
    let delay = Fault::delay(Duration::from_secs(20));
    let _ = stytch.fault(Operation::GetConnections, delay).times(1);
    let edit = || member.edit_connection(okta.id(), |current| current.grant_role("stytch_admin"));
    let (first, second) = tokio::join!(edit(), edit());
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
