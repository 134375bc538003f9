//! Permission checks: verdicts against what the fake enforces, what is fetched for them, and
//! how long policies are cached, also while their endpoints fail.

use crate::support::{
    acme::{ORGANIZATION_POLICY as ORGANIZATION, PROJECT_POLICY as PROJECT},
    prelude::*,
};

type RoleIds = &'static [&'static str];
type Permissions = &'static [(&'static str, RoleIds)];
type Roles = &'static [(&'static str, Permissions)];

const SSO: &str = "stytch.sso";
const ADMIN: &str = "stytch_admin";
const UPDATES: Permissions = &[(SSO, &["update"])];
const READS: Permissions = &[(SSO, &["get"])];
const BOTH: Permissions = &[(SSO, &["get", "update"])];

/// The member's roles, the project's roles, the organization's custom roles, the roles that are
/// sufficient to update and to read beside the admin's.
const ROWS: &[(RoleIds, Roles, Roles, RoleIds, RoleIds)] = &[
    (&[], &[], &[], &[], &[]),
    (&[ADMIN], &[], &[], &[], &[]),
    (&["editor"], &[("editor", UPDATES), ("reader", READS)], &[], &["editor"], &["reader"]),
    // Together they grant both, and each alone one.
    (&["editor", "reader"], &[("editor", UPDATES)], &[("reader", READS)], &["editor"], &["reader"]),
    (&["custom"], &[], &[("custom", BOTH)], &["custom"], &["custom"]),
    (&["star"], &[("star", &[(SSO, &["*"])])], &[], &["star"], &["star"]),
    // Compared exactly: no wildcard of resources, no prefix, no case.
    (
        &["a", "b", "c", "d"],
        &[
            ("a", &[("*", &["update", "get"])]),
            ("b", &[("stytch.sso.x", &["update"]), ("stytch", &["*"])]),
            ("c", &[(SSO, &["Update", "updat", "upd*", "create"])]),
            ("d", &[("STYTCH.SSO", &["*"]), (SSO, &[])]),
        ],
        &[],
        &[],
        &[],
    ),
    // An id in both policies is the union of both.
    (&["both"], &[("both", READS)], &[("both", UPDATES)], &["both"], &["both"]),
    (&["unknown", "Stytch_Admin", ""], &[], &[], &[], &[]),
];

#[tokio::test]
async fn verdicts_agree_with_what_is_enforced() {
    for (roles, project, custom, update, get) in ROWS {
        let acme = Acme::new();
        let [update, get] = [update, get].map(|sufficient| [sufficient, &[ADMIN][..]].concat());
        for (role, permissions) in *project {
            acme.stytch.role(role, permissions);
        }
        for (role, permissions) in *custom {
            acme.organization.role(role, permissions);
        }
        // Roles that the fake doesn't know come with a JWT only.
        let defined: Vec<_> = project.iter().chain(*custom).map(|(role, _)| *role).collect();
        let known = |role: &&str| *role == ADMIN || defined.contains(role);
        let known: Vec<_> = roles.iter().copied().filter(known).collect();
        let bob = acme.log_in("bob", &known);
        let minted = bob.mint(json!({"https://stytch.com/session": {"roles": roles}}));
        let mut both = update.clone();
        both.retain(|role| get.contains(role));
        let checks: [(&[Operation], &[&str]); 3] =
            [(&[UPDATE], &update), (&[LIST], &get), (&[LIST, UPDATE, UPDATE], &both)];
        let client = acme.stytch.client();
        for session in [Session::jwt(minted), token_of(&bob)] {
            let member = client.as_member(session);
            let mut verdicts = Vec::new();
            for (operations, sufficient) in checks {
                let verdict = member.check_permissions(operations.to_vec()).await.unwrap();
                assert_eq!(verdict.sufficient_roles, sufficient, "{roles:?}: {operations:?}");
                verdicts.push(verdict);
            }
            assert_granting(roles, &verdicts, &update, &get);
            assert_enforced(&acme, &member, &verdicts).await;
        }
    }
}

fn assert_granting(roles: &[&str], verdicts: &[Verdict], update: &[&str], get: &[&str]) {
    let mut either = [update, get].concat();
    either.sort_unstable();
    either.dedup();
    for (verdict, granting) in verdicts.iter().zip([update, get, &either]) {
        let mut granting = granting.to_vec();
        granting.retain(|role| roles.contains(role));
        assert_eq!(verdict.granting_roles, granting, "{roles:?}");
    }
}

/// An edit sends both requests.
async fn assert_enforced(acme: &Acme, member: &MemberClient, verdicts: &[Verdict]) {
    let updated = acme.rename(member).await.err();
    let read = member.connections().await.err();
    let edit = member.edit_connection(acme.connection.id(), |edit| edit.display_name("Edited"));
    let enforced = [("update", updated), ("get", read), ("edit", edit.await.err())];
    for ((action, error), verdict) in enforced.into_iter().zip(verdicts) {
        assert_eq!(error.is_none(), verdict.authorized, "{action}, {verdict:?}: {error:?}");
        if let Some(error) = error.filter(|_| action != "edit") {
            assert_denied("enforced", &error, action);
            assert!(error.request_id().is_some(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_operation_without_a_permission_is_authorized_and_sends_nothing() {
    let acme = Acme::new();
    let member = acme.as_member(Session::token("no session"));
    for operation in [JWKS, AUTHENTICATE, PROJECT, ORGANIZATION] {
        let verdict = member.check_permissions([operation]).await.unwrap();
        assert!(verdict.authorized && verdict.granting_roles.is_empty(), "{verdict:?}");
    }
    let error = member.check_permissions([]).await.unwrap_err();
    assert_not_applied("no operation", &error, InvalidRequest);
    assert_eq!(error.attempts(), 0);
    assert_eq!(acme.stytch.requests(), []);

    // Beside others, it is granted.
    let member = acme.as_member(jwt_of(&acme.log_in("bob", &[])));
    for operations in [[UPDATE, PROJECT], [PROJECT, UPDATE]] {
        let verdict = member.check_permissions(operations).await.unwrap();
        assert!(!verdict.authorized);
        assert_eq!(verdict.sufficient_roles, [ADMIN]);
    }
}

#[tokio::test]
async fn role_ids_are_those_of_the_project_and_the_organization() {
    let acme = Acme::new();
    acme.stytch.organization("globex").role("theirs", &[]);
    let member = acme.as_member(jwt_of(&acme.log_in("bob", &[])));
    for role in ["viewer", "both", "Editor"] {
        acme.stytch.role(role, &[]);
    }
    for role in ["custom", "both"] {
        acme.organization.role(role, &[(SSO, &["get"])]);
    }
    let expected = ["Editor", "both", "custom", ADMIN, "stytch_member", "viewer"];
    assert_eq!(member.role_ids().await.unwrap(), expected);
    // The policies are those of the checks.
    member.check_permissions([UPDATE]).await.unwrap();
    assert_counts(&acme, 1, 1, 0);
}

#[tokio::test]
async fn policies_are_fetched_once_for_all_members() {
    let (acme, client) = Acme::with_client(|it| it);
    let mut members = Vec::new();
    for organization in 0..20 {
        let organization = acme.stytch.organization(&format!("org-{organization}"));
        let log_in = |n| jwt_of(&organization.member(&format!("m{n}"), &[]).log_in());
        members.extend((0..5).map(log_in).map(|session| client.as_member(session)));
    }
    for _ in 0..2 {
        let checks =
            (0..10).flat_map(|_| members.iter().map(|member| member.check_permissions([UPDATE])));
        for verdict in join_all(checks).await {
            assert!(!verdict.unwrap().authorized);
        }
        assert_counts(&acme, 1, 20, 0);
    }
}

/// A member of the role `stytch_member`, who may neither update nor read.
fn bob(session: fn(&LoggedIn) -> Session) -> (Acme, LoggedIn, MemberClient) {
    let acme = Acme::new();
    let bob = acme.log_in("bob", &["stytch_member"]);
    let member = acme.as_member(session(&bob));
    (acme, bob, member)
}

/// The error of a check whether the member may update.
async fn check_error(member: &MemberClient) -> Error {
    member.check_permissions([UPDATE]).await.unwrap_err()
}

/// Asserts how often the policies were fetched and sessions were authenticated.
#[track_caller]
fn assert_counts(acme: &Acme, project: u64, organization: u64, authenticate: u64) {
    let counts = [PROJECT, ORGANIZATION, AUTHENTICATE].map(|of| acme.stytch.count(of));
    assert_eq!(counts, [project, organization, authenticate], "policies, authenticate");
}

#[tokio::test]
async fn check_after_a_denial_refetches_at_most_once_in_five_seconds() {
    let (acme, _bob, member) = bob(token_of);
    let may_read = async || member.check_permissions([LIST]).await.unwrap().authorized;
    let denied = async || acme.rename(&member).await.unwrap_err();
    assert!(!may_read().await);
    acme.stytch.clock().advance(Duration::from_secs(10));
    // Granted meanwhile; the cached roles and policies don't show it.
    acme.stytch.role("stytch_member", &[(SSO, &["get"])]);
    assert!(!may_read().await);
    assert_counts(&acme, 1, 1, 1);

    denied().await;
    assert!(may_read().await);
    assert_counts(&acme, 2, 2, 2);
    for _ in 0..20 {
        denied().await;
        may_read().await;
        acme.stytch.clock().advance(Duration::from_millis(200));
    }
    assert_counts(&acme, 2, 2, 2);
    acme.stytch.clock().advance(Duration::from_secs(5));
    denied().await;
    may_read().await;
    assert_counts(&acme, 3, 3, 3);
    // Where fetching anew fails, so does the check.
    let outage = acme.stytch.fault(PROJECT, Fault::status(503));
    acme.stytch.clock().advance(Duration::from_secs(10));
    denied().await;
    for _ in 0..2 {
        let error = check_error(&member).await;
        assert_eq!((error.operation(), error.status().unwrap().as_u16()), (PROJECT, 503));
    }
    assert_eq!(outage.hits(), 1);
}

#[tokio::test]
async fn check_after_a_denial_uses_the_current_roles_and_policies() {
    for advance in [0, 100, 10_000] {
        let acme = Acme::new();
        let cleo = acme.organization.member("cleo", &[ADMIN]);
        let member = acme.as_member(token_of(&cleo.log_in()));
        assert!(member.check_permissions([UPDATE]).await.unwrap().authorized);
        cleo.set_roles(&[]);
        acme.stytch.role("editor", &[(SSO, &["update"])]);
        acme.stytch.clock().advance(Duration::from_millis(advance));
        acme.rename(&member).await.unwrap_err();
        // Two checks at once: both see the new roles and policy.
        let checks = [(); 2].map(|()| member.check_permissions([UPDATE]));
        for verdict in join_all(checks).await {
            let verdict = verdict.unwrap();
            assert!(!verdict.authorized, "{advance} ms: {verdict:?}");
            assert_eq!(verdict.sufficient_roles, ["editor", ADMIN], "{advance} ms");
        }
        assert_counts(&acme, 2, 2, 2);
    }
}

#[tokio::test]
async fn check_after_a_denial_takes_no_roles_that_began_to_be_read_before_it() {
    let (acme, _bob, member) = bob(token_of);
    member.check_permissions([UPDATE]).await.unwrap();
    acme.rename(&member).await.unwrap_err();
    let hang = acme.stytch.fault(AUTHENTICATE, Fault::delay(Duration::from_secs(60))).times(1);
    let check = || {
        let member = member.clone();
        tokio::spawn(async move { member.check_permissions([UPDATE]).await })
    };
    let before = check();
    until(|| hang.hits() > 0).await;
    acme.rename(&member).await.unwrap_err();
    let after = check();
    // It waits for the request in flight.
    tokio::task::yield_now().await;
    // The first request has a second attempt, and then there is a request for the second check.
    accelerate();
    for check in [before, after] {
        assert!(!check.await.unwrap().unwrap().authorized);
    }
    assert_eq!(acme.stytch.count(AUTHENTICATE), 1 + 2 + 1);
}

#[tokio::test]
async fn roles_that_cannot_be_read_after_a_denial_fail_the_check() {
    let (acme, _bob, member) = bob(token_of);
    member.check_permissions([UPDATE]).await.unwrap();
    acme.rename(&member).await.unwrap_err();
    let outage = acme.stytch.fault(AUTHENTICATE, Fault::status(500));
    for _ in 0..3 {
        let error = check_error(&member).await;
        assert_eq!((error.operation(), error.status().unwrap().as_u16()), (AUTHENTICATE, 500));
    }
    // The organization of the session is known all the same.
    assert_denied("outage", &acme.rename(&member).await.unwrap_err(), "update");
    assert_eq!(outage.hits(), 3);
    outage.clear();
    assert!(!member.check_permissions([UPDATE]).await.unwrap().authorized);
    let revoked = Fault::response(Response::error(&responses::session_not_found()));
    let _ = acme.stytch.fault(AUTHENTICATE, revoked);
    acme.stytch.clock().advance(Duration::from_secs(5));
    acme.rename(&member).await.unwrap_err();
    let error = check_error(&member).await;
    assert_not_applied("revoked", &error, InvalidSession);
}

#[tokio::test]
async fn session_that_a_check_finds_revoked_is_not_served_from_the_cache() {
    for is_denied in [true, false] {
        let (acme, bob, member) = bob(token_of);
        member.check_permissions([UPDATE]).await.unwrap();
        if is_denied {
            acme.rename(&member).await.unwrap_err();
        } else {
            // The cached roles are too old for a check.
            acme.stytch.clock().advance(Duration::from_secs(301));
        }
        bob.revoke();
        let checks = [check_error(&member).await, check_error(&member).await];
        let resolved = member.organization_id().await.unwrap_err();
        for error in checks.into_iter().chain([resolved]) {
            assert_not_applied(is_denied, &error, InvalidSession);
        }
    }
}

#[tokio::test]
async fn policy_endpoints_that_are_down_or_hang_once_fail_checks_and_role_ids_only() {
    accelerate();
    let down = || Fault::status(503);
    let hanging = || Fault::delay(Duration::from_secs(60));
    for (fault, kind, status) in [(down as fn() -> _, Api, Some(503)), (hanging, Transport, None)] {
        for failing in [&[PROJECT] as &[_], &[ORGANIZATION], &[PROJECT, ORGANIZATION]] {
            // A failure shows the output, which ends with the row.
            println!("{failing:?}: {kind:?}");
            let (acme, _bob, member) = bob(jwt_of);
            for operation in failing {
                let _ = acme.stytch.fault(*operation, fault());
            }
            let began = Instant::now();
            let errors = [check_error(&member).await, check_error(&member).await];
            for error in errors.into_iter().chain([member.role_ids().await.unwrap_err()]) {
                assert_eq!(facts(&error), (kind, status, NotApplied), "{failing:?}: {error:?}");
                assert_eq!((error.operation(), error.is_retryable()), (failing[0], true));
            }
            // Two seconds, and a generous margin: the failure is remembered.
            assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
            assert_counts(&acme, 1, 1, 0);
            // An update is as it was.
            let denied = acme.rename(&member).await.unwrap_err();
            assert_denied(format!("{failing:?}"), &denied, "update");
            // A project that grants needs no policy of the organization.
            let ada = acme.as_member(acme.jwt()).check_permissions([UPDATE]).await;
            let verdict = ada.ok().filter(|verdict| verdict.authorized);
            assert_eq!(verdict.is_some(), failing[0] == ORGANIZATION, "{failing:?}");
        }
    }
}

/// The policy at hand may not be the one that Stytch decided by.
#[tokio::test]
async fn policy_endpoint_that_hangs_delays_one_check_after_a_denial() {
    let (acme, _bob, member) = bob(token_of);
    member.check_permissions([UPDATE]).await.unwrap();
    acme.stytch.clock().advance(Duration::from_secs(10));
    acme.rename(&member).await.unwrap_err();
    let outage = acme.stytch.fault(PROJECT, Fault::delay(Duration::from_secs(60)));
    accelerate();
    let mut waits = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let error = check_error(&member).await;
        assert_eq!((error.operation(), error.is_retryable()), (PROJECT, true), "{error:?}");
        waits.push(began.elapsed());
    }
    let second = Duration::from_secs(1);
    assert!(waits[0] >= second && waits[1] < second && waits[2] < second, "{waits:?}");
    assert_eq!(outage.hits(), 1);
}

#[tokio::test]
async fn roles_of_a_token_are_used_for_five_minutes_and_those_of_a_jwt_for_its_lifetime() {
    type Rows<'a> = &'a [(u64, u64)];
    let of_a_token: Rows = &[(0, 1), (240, 1), (61, 2)];
    let of_a_jwt: Rows = &[(0, 0), (300, 1)];
    for (session, rows) in [(token_of as fn(&_) -> _, of_a_token), (jwt_of, of_a_jwt)] {
        let (acme, _bob, member) = bob(session);
        for (advance, authenticated) in rows {
            acme.stytch.clock().advance(Duration::from_secs(*advance));
            member.check_permissions([UPDATE]).await.unwrap();
            assert_eq!(acme.stytch.count(AUTHENTICATE), *authenticated, "after {advance} s");
        }
    }
}

/// The result of a check while a policy endpoint responds with this body.
async fn check_with(endpoint: Operation, body: &Value) -> Result<Verdict, Error> {
    let (acme, _bob, member) = bob(jwt_of);
    let _ = acme.stytch.fault(endpoint, Fault::response(Response::json(200, body)));
    member.check_permissions([UPDATE]).await
}

#[tokio::test]
async fn unexpected_policies_are_an_error_and_never_a_grant() {
    let policy = |actions: Value| {
        let permissions = json!([{"resource_id": SSO, "actions": actions}]);
        json!({"policy": {"roles": [{"role_id": "stytch_member", "permissions": permissions}]}})
    };
    let of_the_project = [
        // A policy that is missing.
        json!({}),
        json!({"policy": null}),
        json!({"policy": {}}),
        json!({"policy": []}),
        // Actions of another type.
        policy(json!("update")),
        policy(json!(["update", 1])),
        policy(json!({"update": true})),
        policy(json!(null)),
    ];
    // Errors with the status of a success.
    let of_the_organization = responses::documented().into_iter().map(|error| json!(error));
    let of_the_project = of_the_project.into_iter().map(|body| (PROJECT, body));
    for (endpoint, body) in
        of_the_project.chain(of_the_organization.map(|body| (ORGANIZATION, body)))
    {
        let error = check_with(endpoint, &body).await.unwrap_err();
        assert_not_applied(&body, &error, UnexpectedResponse);
        assert_eq!(
            (error.operation(), error.status().unwrap().as_u16()),
            (endpoint, 200),
            "{body}"
        );
    }
    // An organization may have no policy.
    for body in [
        json!({}),
        json!({"org_policy": null}),
        json!({"org_policy": {}}),
        json!({"org_policy": {"roles": null}, "status_code": 200}),
    ] {
        let verdict = check_with(ORGANIZATION, &body).await.unwrap();
        assert_eq!(verdict.sufficient_roles, [ADMIN], "{body}");
    }
}

#[tokio::test]
async fn roles_of_another_type_fail_the_check_and_nothing_else() {
    for roles in [json!("stytch_admin"), json!([1]), json!({"stytch_admin": 1}), json!(null)] {
        let acme = Acme::new();
        let claims = json!({"https://stytch.com/session": {"roles": roles}});
        let member = acme.as_member(Session::jwt(acme.ada.mint(claims)));
        member.organization_id().await.unwrap();
        match member.check_permissions([UPDATE]).await {
            // In a merge patch `null` removes the claim: then there are none.
            Ok(verdict) => assert!(roles.is_null() && !verdict.authorized, "{roles}: {verdict:?}"),
            Err(error) => assert_not_applied(&roles, &error, UnexpectedResponse),
        }
        // The fake grants nothing to such roles; the update reaches it all the same.
        assert_denied(&roles, &acme.rename(&member).await.unwrap_err(), "update");
        assert_eq!(acme.stytch.count(UPDATE), 1, "{roles}");
    }
    // In the response of `sessions/authenticate`.
    for roles in [json!("stytch_admin"), json!(null), json!([1])] {
        let authenticated = with(authenticated("a.b.c"), "/member_session/roles", roles.clone());
        let authenticate = always(steps::json(200, &authenticated));
        let (_project, client, _) = scripted(successful, authenticate, |it| it).await;
        update_as(&client, token()).await.unwrap();
        let error = check_error(&client.as_member(token())).await;
        assert_not_applied(&roles, &error, UnexpectedResponse);
        assert_eq!(error.operation(), AUTHENTICATE);
    }
}

#[tokio::test]
async fn a_jwt_keeps_its_roles_and_a_renewed_one_has_the_live_ones() {
    let acme = Acme::new();
    let cleo = acme.organization.member("cleo", &[ADMIN]);
    let session = cleo.log_in();
    let member = acme.as_member(jwt_of(&session));
    cleo.set_roles(&[]);
    for (advance, may_update) in [(0, true), (5 * 60, false)] {
        acme.stytch.clock().advance(Duration::from_secs(advance));
        let verdict = member.check_permissions([UPDATE]).await.unwrap();
        let updated = acme.rename(&member).await;
        assert_eq!((verdict.authorized, updated.is_ok()), (may_update, may_update), "{advance} s");
    }
}

#[tokio::test]
async fn policies_are_refetched_in_the_background_after_five_minutes() {
    let (Acme { stytch, .. }, _bob, bob) = bob(token_of);
    let may_update = async || bob.check_permissions([UPDATE]).await.unwrap().authorized;
    let counts = || [PROJECT, ORGANIZATION].map(|policy| stytch.count(policy));
    assert!(!may_update().await);
    // Granted after the policies were fetched.
    stytch.role("stytch_member", &[("stytch.sso", &["update"])]);
    stytch.clock().advance(Duration::from_secs(299));
    assert!(!may_update().await);
    assert_eq!(counts(), [1, 1]);

    // This check starts the fetches and doesn't wait for them.
    stytch.clock().advance(Duration::from_secs(1));
    assert!(!may_update().await);
    until(|| counts() == [2, 2]).await;
    let is_used = async || may_update().await.then_some(());
    wait::some("the refetched policy is not used", is_used).await;
    assert_eq!(counts(), [2, 2]);
}

#[tokio::test]
async fn policies_are_used_for_an_hour_of_an_outage_and_no_longer() {
    for operation in [PROJECT, ORGANIZATION] {
        let (Acme { stytch, .. }, _bob, bob) = bob(token_of);
        bob.check_permissions([UPDATE]).await.unwrap();
        let outage = stytch.fault(operation, Fault::status(503));
        for (advance, hits) in [(Duration::from_secs(299), 0), (Duration::from_secs(3_300), 1)] {
            stytch.clock().advance(advance);
            let verdict = bob.check_permissions([UPDATE]).await.unwrap();
            assert_eq!(verdict.sufficient_roles, ["stytch_admin"], "{operation}");
            until(|| outage.hits() >= hits).await;
            assert_eq!(outage.hits(), hits, "{operation} after {advance:?}");
        }

        stytch.clock().advance(Duration::from_secs(1));
        let error = bob.check_permissions([UPDATE]).await.unwrap_err();
        assert_eq!((error.operation(), error.status().unwrap().as_u16()), (operation, 503));
        assert!(error.is_retryable(), "{error:?}");

        outage.clear();
        // Beyond the backoff after the last failure.
        stytch.clock().advance(Duration::from_secs(30));
        bob.check_permissions([UPDATE]).await.unwrap();
    }
}
