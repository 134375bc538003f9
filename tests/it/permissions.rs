//! Permission checks: verdicts against what the fake enforces, and what is fetched for them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use stytch_sso_external::{
    ErrorKind, MemberClient, Operation, Outcome, Session, Verdict,
    testing::{Fault, LoggedIn, Response, Stytch, responses},
};

use crate::support::{
    scripted_project::{self, ScriptedProject, rename, variant},
    steps,
};

const UPDATE: Operation = Operation::UpdateExternalConnection;
const PROJECT: Operation = Operation::GetRbacPolicy;
const ORGANIZATION: Operation = Operation::GetOrganizationRbacPolicy;

type Roles = &'static [(&'static str, &'static [(&'static str, &'static [&'static str])])];

/// Each row: the member's roles, the project's roles, the organization's custom roles, the roles
/// that are sufficient to update and to read.
struct Row {
    member: &'static [&'static str],
    project: Roles,
    custom: Roles,
    update: &'static [&'static str],
    get: &'static [&'static str],
}

const SSO: &str = "stytch.sso";
const ADMIN: &str = "stytch_admin";

const ROWS: &[Row] = &[
    Row { member: &[], project: &[], custom: &[], update: &[ADMIN], get: &[ADMIN] },
    Row { member: &[ADMIN], project: &[], custom: &[], update: &[ADMIN], get: &[ADMIN] },
    Row {
        member: &["editor"],
        project: &[("editor", &[(SSO, &["update"])]), ("reader", &[(SSO, &["get"])])],
        custom: &[],
        update: &["editor", ADMIN],
        get: &["reader", ADMIN],
    },
    // Together they grant both, and each alone one.
    Row {
        member: &["editor", "reader"],
        project: &[("editor", &[(SSO, &["update"])])],
        custom: &[("reader", &[(SSO, &["get"])])],
        update: &["editor", ADMIN],
        get: &["reader", ADMIN],
    },
    Row {
        member: &["custom"],
        project: &[],
        custom: &[("custom", &[(SSO, &["get", "update"])])],
        update: &["custom", ADMIN],
        get: &["custom", ADMIN],
    },
    Row {
        member: &["star"],
        project: &[("star", &[(SSO, &["*"])])],
        custom: &[],
        update: &["star", ADMIN],
        get: &["star", ADMIN],
    },
    // Compared exactly: no wildcard of resources, no prefix, no case.
    Row {
        member: &["a", "b", "c", "d"],
        project: &[
            ("a", &[("*", &["update", "get"])]),
            ("b", &[("stytch.sso.x", &["update"]), ("stytch", &["*"])]),
            ("c", &[(SSO, &["Update", "updat", "upd*", "create"])]),
            ("d", &[("STYTCH.SSO", &["*"]), (SSO, &[])]),
        ],
        custom: &[],
        update: &[ADMIN],
        get: &[ADMIN],
    },
    // An id in both policies is the union of both.
    Row {
        member: &["both"],
        project: &[("both", &[(SSO, &["get"])])],
        custom: &[("both", &[(SSO, &["update"])])],
        update: &["both", ADMIN],
        get: &["both", ADMIN],
    },
    Row {
        member: &["unknown", "Stytch_Admin", ""],
        project: &[],
        custom: &[],
        update: &[ADMIN],
        get: &[ADMIN],
    },
];

#[tokio::test]
async fn verdicts_agree_with_what_is_enforced() {
    for (number, row) in ROWS.iter().enumerate() {
        let stytch = Stytch::start();
        let acme = stytch.organization("acme");
        for (role, permissions) in row.project {
            stytch.role(role, permissions);
        }
        for (role, permissions) in row.custom {
            acme.role(role, permissions);
        }
        let okta = acme.connection("Acme Okta");
        // Roles that the fake doesn't know come with a JWT only.
        let known = |role: &&&str| {
            **role == ADMIN || row.project.iter().chain(row.custom).any(|(id, _)| id == *role)
        };
        let roles: Vec<_> = row.member.iter().filter(known).copied().collect();
        let ada = acme.member("ada", &roles).log_in();
        let minted = ada.mint(json!({"https://stytch.com/session": {"roles": row.member}}));
        let client = stytch.client();
        for session in [Session::jwt(minted), Session::token(ada.token())] {
            let member = client.as_member(session);
            let update = member.check_permissions([UPDATE]).await.unwrap();
            let get = member.check_permissions([Operation::GetConnections]).await.unwrap();
            for (verdict, sufficient) in [(&update, row.update), (&get, row.get)] {
                assert_eq!(verdict.sufficient_roles, sufficient, "row {number}");
                let mut granting = sufficient.to_vec();
                granting.retain(|role| row.member.contains(role));
                assert_eq!(verdict.granting_roles, granting, "row {number}");
            }
            let updated = member.update_connection(okta.id(), &rename("Renamed")).await;
            assert_eq!(updated.is_ok(), update.authorized, "row {number}: {updated:?}");
            let read = member.connections().await;
            assert_eq!(read.is_ok(), get.authorized, "row {number}: {read:?}");
            check_both(row, &member, okta.id(), [update, get]).await;
            for error in [updated.err(), read.err()].into_iter().flatten() {
                assert!(
                    matches!(error.kind(), ErrorKind::PermissionDenied { .. }),
                    "row {number}: {error:?}"
                );
            }
        }
    }
}

/// Checks both operations at once, and whether an edit, which sends both, agrees.
async fn check_both(row: &Row, member: &MemberClient, id: &str, [update, get]: [Verdict; 2]) {
    let both = member.check_permissions([Operation::GetConnections, UPDATE, UPDATE]).await.unwrap();
    let mut sufficient = row.update.to_vec();
    sufficient.retain(|role| row.get.contains(role));
    assert_eq!(both.sufficient_roles, sufficient, "{:?}", row.member);
    let mut granting = [update.granting_roles, get.granting_roles].concat();
    granting.sort();
    granting.dedup();
    assert_eq!(both.granting_roles, granting, "{:?}", row.member);
    assert_eq!(both.authorized, update.authorized && get.authorized, "{:?}", row.member);
    let edited = member.edit_connection(id, |edit| edit.display_name("Edited")).await;
    assert_eq!(edited.is_ok(), both.authorized, "{:?}: {edited:?}", row.member);
}

#[tokio::test]
async fn an_operation_without_a_permission_is_authorized_and_sends_nothing() {
    let stytch = Stytch::start();
    let member = stytch.client().as_member(Session::token("no session"));
    for operation in [Operation::GetJwks, Operation::AuthenticateSession, PROJECT, ORGANIZATION] {
        let verdict = member.check_permissions([operation]).await.unwrap();
        assert!(verdict.authorized && verdict.granting_roles.is_empty(), "{verdict:?}");
    }
    assert_eq!(stytch.requests(), []);
}

#[tokio::test]
async fn operations_without_a_permission_are_granted_beside_others() {
    let Fixture { stytch: _stytch, member, .. } = fixture(jwt);
    for operations in [[UPDATE, PROJECT], [PROJECT, UPDATE]] {
        let verdict = member.check_permissions(operations).await.unwrap();
        assert!(!verdict.authorized);
        assert_eq!(verdict.sufficient_roles, [ADMIN]);
    }
}

#[tokio::test]
async fn check_of_no_operation_is_rejected_before_sending() {
    let Fixture { stytch, member, .. } = fixture(jwt);
    let error = member.check_permissions([]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
    assert_eq!((error.outcome(), error.attempts()), (Outcome::NotApplied, 0));
    assert_eq!(stytch.requests(), []);
}

#[tokio::test]
async fn role_ids_are_those_of_the_project_and_the_organization() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    stytch.organization("globex").role("theirs", &[]);
    let member = stytch.client().as_member(jwt(&acme.member("bob", &[]).log_in()));
    for role in ["viewer", "both", "Editor"] {
        stytch.role(role, &[]);
    }
    for role in ["custom", "both"] {
        acme.role(role, &[(SSO, &["get"])]);
    }
    let expected = ["Editor", "both", "custom", ADMIN, "stytch_member", "viewer"];
    assert_eq!(member.role_ids().await.unwrap(), expected);
    // The policies are those of the checks.
    member.check_permissions([UPDATE]).await.unwrap();
    assert_eq!((stytch.count(PROJECT), stytch.count(ORGANIZATION)), (1, 1));
}

#[tokio::test]
async fn role_ids_need_both_policies() {
    for operation in [PROJECT, ORGANIZATION] {
        let stytch = Stytch::start();
        let ada = stytch.organization("acme").member("ada", &[ADMIN]).log_in();
        let _ = stytch.fault(operation, Fault::status(503));
        let error = stytch.client().as_member(jwt(&ada)).role_ids().await.unwrap_err();
        assert_eq!((error.operation(), error.outcome()), (operation, Outcome::NotApplied));
    }
}

#[tokio::test]
async fn policies_are_fetched_once_for_all_members() {
    let stytch = Stytch::start();
    let client = stytch.client();
    let members: Vec<_> = (0..50)
        .flat_map(|organization| {
            let organization = stytch.organization(&format!("org-{organization}"));
            (0..5)
                .map(move |n| organization.member(&format!("m{n}"), &[]).log_in())
                .collect::<Vec<_>>()
        })
        .map(|member| client.as_member(Session::jwt(member.jwt())))
        .collect();
    for _ in 0..2 {
        let checks =
            (0..10).flat_map(|_| members.iter().map(|member| member.check_permissions([UPDATE])));
        for verdict in join_all(checks).await {
            assert!(!verdict.unwrap().authorized);
        }
        assert_eq!((stytch.count(PROJECT), stytch.count(ORGANIZATION)), (1, 50));
        assert_eq!(stytch.count(Operation::AuthenticateSession), 0);
    }
}

struct Fixture {
    stytch: Stytch,
    bob: LoggedIn,
    okta: String,
    member: MemberClient,
}

fn fixture(session: fn(&LoggedIn) -> Session) -> Fixture {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let okta = acme.connection("Acme Okta").id().to_owned();
    let bob = acme.member("bob", &["stytch_member"]).log_in();
    let member = stytch.client().as_member(session(&bob));
    Fixture { stytch, bob, okta, member }
}

fn jwt(member: &LoggedIn) -> Session {
    Session::jwt(member.jwt())
}

fn token(member: &LoggedIn) -> Session {
    Session::token(member.token())
}

#[tokio::test]
async fn check_after_a_denial_refetches_at_most_once_in_five_seconds() {
    let Fixture { stytch, okta, member, bob } = fixture(token);
    assert!(!member.check_permissions([UPDATE]).await.unwrap().authorized);
    stytch.clock().advance(Duration::from_secs(10));
    // Granted meanwhile; the cached roles and policies don't show it.
    stytch.role("stytch_member", &[("stytch.sso", &["get"])]);
    assert!(!member.check_permissions([Operation::GetConnections]).await.unwrap().authorized);
    assert_eq!((stytch.count(PROJECT), stytch.count(ORGANIZATION)), (1, 1));

    member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
    assert!(member.check_permissions([Operation::GetConnections]).await.unwrap().authorized);
    let counts = || {
        let authenticated = stytch.count(Operation::AuthenticateSession);
        (stytch.count(PROJECT), stytch.count(ORGANIZATION), authenticated)
    };
    assert_eq!(counts(), (2, 2, 2));
    for _ in 0..20 {
        member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
        member.check_permissions([UPDATE]).await.unwrap();
        stytch.clock().advance(Duration::from_millis(200));
    }
    assert_eq!(counts(), (2, 2, 2));
    stytch.clock().advance(Duration::from_secs(5));
    member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
    member.check_permissions([UPDATE]).await.unwrap();
    assert_eq!(counts(), (3, 3, 3));
    // Where fetching anew fails, so does the check.
    let outage = stytch.fault(PROJECT, Fault::status(503));
    stytch.clock().advance(Duration::from_secs(10));
    member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
    for _ in 0..2 {
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!((error.operation(), error.status().unwrap().as_u16()), (PROJECT, 503));
    }
    assert_eq!(outage.hits(), 1);
    drop(bob);
}

#[tokio::test]
async fn check_after_a_denial_uses_the_current_roles_and_policies() {
    for advance in [0, 100, 10_000] {
        let stytch = Stytch::start();
        let acme = stytch.organization("acme");
        let okta = acme.connection("Acme Okta");
        let ada = acme.member("ada", &["stytch_admin"]);
        let member = stytch.client().as_member(token(&ada.log_in()));
        assert!(member.check_permissions([UPDATE]).await.unwrap().authorized);
        ada.set_roles(&[]);
        stytch.role("editor", &[("stytch.sso", &["update"])]);
        stytch.clock().advance(Duration::from_millis(advance));
        member.update_connection(okta.id(), &rename("Renamed")).await.unwrap_err();
        // Two checks at once: both see the new roles and policy.
        let checks = (member.check_permissions([UPDATE]), member.check_permissions([UPDATE]));
        let (first, second) = tokio::join!(checks.0, checks.1);
        for verdict in [first.unwrap(), second.unwrap()] {
            assert!(!verdict.authorized, "{advance} ms: {verdict:?}");
            assert_eq!(verdict.sufficient_roles, ["editor", ADMIN], "{advance} ms");
        }
        assert_eq!(stytch.count(Operation::AuthenticateSession), 2, "{advance} ms");
        assert_eq!((stytch.count(PROJECT), stytch.count(ORGANIZATION)), (2, 2), "{advance} ms");
    }
}

#[tokio::test]
async fn roles_that_cannot_be_read_after_a_denial_fail_the_check() {
    let Fixture { stytch, okta, member, .. } = fixture(token);
    member.check_permissions([UPDATE]).await.unwrap();
    member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
    let outage = stytch.fault(Operation::AuthenticateSession, Fault::status(500));
    for _ in 0..3 {
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!(error.operation(), Operation::AuthenticateSession);
        assert_eq!(error.status().unwrap(), 500);
    }
    // The organization of the session is known all the same.
    member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
    assert_eq!(outage.hits(), 3);
    outage.clear();
    assert!(!member.check_permissions([UPDATE]).await.unwrap().authorized);
    let _ = stytch.fault(
        Operation::AuthenticateSession,
        Fault::response(Response::error(&responses::session_not_found())),
    );
    stytch.clock().advance(Duration::from_secs(5));
    member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
    let error = member.check_permissions([UPDATE]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
}

#[tokio::test]
async fn session_that_a_check_finds_revoked_is_not_served_from_the_cache() {
    for is_denied in [true, false] {
        let Fixture { stytch, okta, member, bob } = fixture(token);
        member.check_permissions([UPDATE]).await.unwrap();
        if is_denied {
            member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
        } else {
            // The cached roles are too old for a check.
            stytch.clock().advance(Duration::from_secs(301));
        }
        bob.revoke();
        for _ in 0..2 {
            let error = member.check_permissions([UPDATE]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSession, "denied: {is_denied}, {error:?}");
        }
        let error = member.organization_id().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "denied: {is_denied}, {error:?}");
    }
}

#[tokio::test]
async fn a_policy_endpoint_that_hangs_delays_one_check_and_no_update() {
    let cases = [vec![PROJECT], vec![ORGANIZATION], vec![PROJECT, ORGANIZATION]];
    let cases = cases.map(|hanging| async move {
        let Fixture { stytch, okta, member, .. } = fixture(jwt);
        for operation in &hanging {
            let _ = stytch.fault(*operation, Fault::delay(Duration::from_secs(60)));
        }
        let began = Instant::now();
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        // Two seconds, and a generous margin.
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!((variant(&error), error.operation()), ("Transport".into(), hanging[0]));
        assert!(error.is_retryable());
        // Nothing waits for them again.
        member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
        member.check_permissions([UPDATE]).await.unwrap_err();
        assert!(hanging.iter().all(|operation| stytch.count(*operation) == 1));
    });
    join_all(cases).await;
}

#[tokio::test]
async fn roles_of_a_token_are_used_for_five_minutes_and_those_of_a_jwt_for_its_lifetime() {
    let Fixture { stytch, member, bob, .. } = fixture(token);
    member.check_permissions([UPDATE]).await.unwrap();
    stytch.clock().advance(Duration::from_secs(4 * 60));
    member.check_permissions([UPDATE]).await.unwrap();
    assert_eq!(stytch.count(Operation::AuthenticateSession), 1);
    stytch.clock().advance(Duration::from_secs(61));
    member.check_permissions([UPDATE]).await.unwrap();
    assert_eq!(stytch.count(Operation::AuthenticateSession), 2);
    drop(bob);

    let Fixture { stytch, member, .. } = fixture(jwt);
    member.check_permissions([UPDATE]).await.unwrap();
    assert_eq!(stytch.count(Operation::AuthenticateSession), 0);
    stytch.clock().advance(Duration::from_secs(5 * 60));
    member.check_permissions([UPDATE]).await.unwrap();
    assert_eq!(stytch.count(Operation::AuthenticateSession), 1);
}

#[tokio::test]
async fn a_policy_endpoint_that_is_down_fails_checks_only() {
    for (operation, other) in [(PROJECT, ORGANIZATION), (ORGANIZATION, PROJECT)] {
        let Fixture { stytch, member, okta, .. } = fixture(jwt);
        let _ = stytch.fault(operation, Fault::status(503));
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!((error.operation(), error.outcome()), (operation, Outcome::NotApplied));
        assert_eq!(error.status().unwrap(), 503);
        assert!(error.is_retryable());
        // The failure is remembered, and an update is as it was.
        member.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!((stytch.count(operation), stytch.count(other)), (1, 1));
        let denied = member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
        assert!(matches!(denied.kind(), ErrorKind::PermissionDenied { .. }), "{denied:?}");
    }
}

#[tokio::test]
async fn a_project_that_grants_needs_no_policy_of_the_organization() {
    let Fixture { stytch, .. } = fixture(jwt);
    let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
    let _ = stytch.fault(ORGANIZATION, Fault::status(503));
    let member = stytch.client().as_member(jwt(&ada));
    assert!(member.check_permissions([UPDATE]).await.unwrap().authorized);
}

#[tokio::test]
async fn missing_project_policy_is_an_error_and_missing_organization_policy_is_empty() {
    let respond = |body: Value| Fault::response(Response::json(200, &body));
    for body in [json!({}), json!({"policy": null}), json!({"policy": {}}), json!({"policy": []})] {
        let Fixture { stytch, member, .. } = fixture(jwt);
        let _ = stytch.fault(PROJECT, respond(body.clone()));
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!((variant(&error), error.operation()), ("UnexpectedResponse".into(), PROJECT));
        assert_eq!(error.status().unwrap(), 200, "{body}");
    }
    let empty = [
        json!({}),
        json!({"org_policy": null}),
        json!({"org_policy": {}}),
        json!({"org_policy": {"roles": null}, "status_code": 200}),
    ];
    for body in empty {
        let Fixture { stytch, member, .. } = fixture(jwt);
        let _ = stytch.fault(ORGANIZATION, respond(body.clone()));
        assert_eq!(
            member.check_permissions([UPDATE]).await.unwrap().sufficient_roles,
            [ADMIN],
            "{body}"
        );
    }
    for error in responses::documented() {
        let Fixture { stytch, member, .. } = fixture(jwt);
        let _ = stytch.fault(ORGANIZATION, respond(json!(error)));
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        let about = (error.operation(), error.outcome(), error.status().unwrap().as_u16());
        assert_eq!(about, (ORGANIZATION, Outcome::NotApplied, 200), "{error:?}");
        assert_eq!(variant(&error), "UnexpectedResponse", "{error:?}");
    }
}

#[tokio::test]
async fn actions_of_another_type_are_an_error_and_never_a_grant() {
    let policy = |actions: Value| {
        let permissions = json!([{"resource_id": "stytch.sso", "actions": actions}]);
        json!({"policy": {"roles": [{"role_id": "stytch_member", "permissions": permissions}]}})
    };
    for actions in [json!("update"), json!(["update", 1]), json!({"update": true}), json!(null)] {
        let Fixture { stytch, member, .. } = fixture(jwt);
        let fault = Fault::response(Response::json(200, &policy(actions.clone())));
        let _ = stytch.fault(PROJECT, fault);
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!(variant(&error), "UnexpectedResponse", "{actions}");
    }
}

#[tokio::test]
async fn roles_of_another_type_fail_the_check_and_nothing_else() {
    for roles in [json!("stytch_admin"), json!([1]), json!({"stytch_admin": 1}), json!(null)] {
        let Fixture { stytch, okta, .. } = fixture(jwt);
        let ada = stytch.organization("acme").member("ada", &["stytch_admin"]).log_in();
        let claims = json!({"https://stytch.com/session": {"roles": roles}});
        // In a merge patch `null` removes the claim: then there are none.
        let is_removed = roles.is_null();
        let member = stytch.client().as_member(Session::jwt(ada.mint(claims)));
        member.organization_id().await.unwrap();
        let checked = member.check_permissions([UPDATE]).await;
        match checked {
            Ok(verdict) => assert!(is_removed && !verdict.authorized, "{roles}: {verdict:?}"),
            Err(error) => {
                assert!(!is_removed, "{roles}");
                assert_eq!(variant(&error), "UnexpectedResponse", "{error:?}");
                assert_eq!(error.outcome(), Outcome::NotApplied);
            }
        }
        // The fake grants nothing to such roles; the update reaches it all the same.
        let error = member.update_connection(&okta, &rename("Renamed")).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::PermissionDenied { .. }), "{roles}: {error:?}");
        assert_eq!(stytch.count(UPDATE), 1, "{roles}");
    }
    // In the response of `sessions/authenticate`.
    for roles in [json!("stytch_admin"), json!(null), json!([1])] {
        let mut authenticated = scripted_project::authenticated("a.b.c");
        authenticated["member_session"]["roles"] = roles.clone();
        let authenticated = steps::json(200, &authenticated);
        let project = ScriptedProject::scripted(
            scripted_project::successful_jwks,
            move |_, _| authenticated.clone(),
            |_, _| steps::json(200, &scripted_project::updated()),
        );
        let project = project.await;
        let client = project.client();
        scripted_project::update_as(&client, Session::token(scripted_project::TOKEN))
            .await
            .unwrap();
        let member = client.as_member(Session::token(scripted_project::TOKEN));
        let error = member.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!(variant(&error), "UnexpectedResponse", "{roles}: {error:?}");
        assert_eq!(error.operation(), Operation::AuthenticateSession);
    }
}

#[tokio::test]
async fn a_jwt_keeps_its_roles_and_a_renewed_one_has_the_live_ones() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let okta = acme.connection("Acme Okta");
    let ada = acme.member("ada", &["stytch_admin"]);
    let session = ada.log_in();
    let member = stytch.client().as_member(jwt(&session));
    ada.set_roles(&[]);
    assert!(member.check_permissions([UPDATE]).await.unwrap().authorized);
    member.update_connection(okta.id(), &rename("Renamed")).await.unwrap();
    stytch.clock().advance(Duration::from_secs(5 * 60));
    assert!(!member.check_permissions([UPDATE]).await.unwrap().authorized);
    member.update_connection(okta.id(), &rename("Renamed")).await.unwrap_err();
}
