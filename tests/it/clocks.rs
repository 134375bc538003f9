//! A machine's clock that differs from Stytch's logs no member out.

use std::time::Duration;

use stytch_sso_external::{
    ErrorKind, Operation, Session,
    testing::{Clock, Fault, Response, responses},
    types::UpdateExternalConnectionRequest,
};

use crate::support::{acme::Acme, scripted_project::rename};

#[tokio::test]
async fn members_stay_logged_in_whatever_the_clock_shows() {
    for (seconds, is_behind) in [(30, true), (600, true), (30, false), (600, false)] {
        let Acme { stytch, connection, ada, .. } = Acme::new();
        let difference = Duration::from_secs(seconds);
        let now = stytch.clock().now();
        let clock = Clock::stopped_at(if is_behind { now - difference } else { now + difference });
        let client = stytch.client_builder().clock(clock.clone()).build().unwrap();
        let update = UpdateExternalConnectionRequest::default().display_name("Renamed");
        let what = format!("{seconds} s, behind: {is_behind}");

        // The browser keeps the same cookie for 20 minutes, four lifetimes of a JWT.
        let (jwt, lifetimes) = (ada.jwt(), 4);
        for minute in 0..20 {
            let member = client.as_member(Session::jwt(&jwt));
            let updated = member.update_connection(connection.id(), &update).await;
            updated.unwrap_or_else(|error| panic!("{what}, minute {minute}: {error:?}"));
            for clock in [&clock, stytch.clock()] {
                clock.advance(Duration::from_secs(60));
            }
        }
        let authenticated = stytch.count(Operation::AuthenticateSession);
        assert!((1..=lifetimes).contains(&authenticated), "{what}: {authenticated}");
    }
}

#[tokio::test]
async fn jwt_that_expired_by_stytchs_clock_only_is_renewed() {
    for seconds in [30, 200] {
        let Acme { stytch, connection, ada, .. } = Acme::new();
        let difference = Duration::from_secs(seconds);
        let clock = Clock::stopped_at(stytch.clock().now() - difference);
        let client = stytch.client_builder().clock(clock.clone()).build().unwrap();
        let jwt = ada.jwt();
        let member = client.as_member(Session::jwt(&jwt));
        // Valid by both clocks, then only by the machine's, with and without the renewed JWT.
        for (advance, authenticated) in [(seconds, 0), (310 - seconds, 1), (1, 1)] {
            for clock in [&clock, stytch.clock()] {
                clock.advance(Duration::from_secs(advance));
            }
            let update = rename(&format!("After {advance} s"));
            let updated = member.update_connection(connection.id(), &update).await;
            updated.unwrap_or_else(|error| panic!("{seconds} s: {error:?}"));
            assert_eq!(stytch.count(Operation::AuthenticateSession), authenticated, "{seconds} s");
        }
        assert_ne!(member.session().expose_secret(), jwt);

        ada.revoke();
        let revoked = client.as_member(Session::jwt(&jwt));
        let error = revoked.update_connection(connection.id(), &rename("No")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
        assert_eq!(stytch.count(Operation::AuthenticateSession), 1, "{seconds} s");
    }
}

/// By Stytch's clock it expired a moment ago.
#[tokio::test]
async fn jwt_that_many_callers_share_is_renewed_once() {
    let Acme { stytch, connection, ada, .. } = Acme::new();
    let clock = Clock::stopped_at(stytch.clock().now());
    let client = stytch.client_builder().clock(clock).build().unwrap();
    client.as_member(Session::jwt(ada.jwt())).organization_id().await.unwrap();
    stytch.clock().advance(Duration::from_secs(301));
    let calls = (0..100).map(|_| {
        let member = client.as_member(Session::jwt(ada.jwt()));
        let id = connection.id();
        async move { member.update_connection(id, &rename("Renamed")).await }
    });
    for updated in futures_util::future::join_all(calls).await {
        updated.unwrap();
    }
    assert_eq!(stytch.count(Operation::AuthenticateSession), 1);
}

#[tokio::test]
async fn either_rejection_of_a_jwt_renews_it() {
    let rejections = [responses::unable_to_parse_session_jwt(), responses::jwt_invalid_claims()];
    for rejection in rejections {
        let Acme { stytch, connection, ada, .. } = Acme::new();
        let update = Operation::UpdateExternalConnection;
        let client = stytch.client();
        let jwt = ada.jwt();
        stytch.clock().advance(Duration::from_secs(60));
        let _ = stytch.fault(update, Fault::response(Response::error(&rejection))).times(1);
        let member = client.as_member(Session::jwt(&jwt));
        member.update_connection(connection.id(), &rename("Renewed")).await.unwrap();
        assert_eq!(stytch.count(Operation::AuthenticateSession), 1, "{:?}", rejection.error_type);
        let sent = stytch.requests();
        let sent: Vec<_> = sent.iter().filter(|it| it.operation == Some(update)).collect();
        assert!(sent[0].carries(&jwt) && !sent[1].carries(&jwt));
        assert!(sent[1].carries(member.session().expose_secret()));
    }
}

#[tokio::test]
async fn rejected_jwt_is_renewed_once_for_each_call_whatever_its_age() {
    let Acme { stytch, connection, ada, .. } = Acme::new();
    let client = stytch.client();
    let update = Operation::UpdateExternalConnection;
    let rejection = Response::error(&responses::unable_to_parse_session_jwt());
    let fault = stytch.fault(update, Fault::response(rejection));
    for (age, calls) in [(0, 1), (60, 2)] {
        stytch.clock().advance(Duration::from_secs(age));
        let member = client.as_member(Session::jwt(ada.jwt()));
        let error = member.update_connection(connection.id(), &rename("No")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
        assert_eq!(error.attempts(), 2);
        assert_eq!(stytch.count(update), 2 * calls);
        assert_eq!(stytch.count(Operation::AuthenticateSession), calls);
    }
    fault.clear();

    // A token can't be renewed, and a session that has ended isn't.
    let not_found = Response::error(&responses::session_not_found());
    let parse = Response::error(&responses::unable_to_parse_session_jwt());
    let cases = [(Session::jwt(ada.fresh_jwt()), not_found), (Session::token(ada.token()), parse)];
    for (session, rejection) in cases {
        let member = client.as_member(session);
        member.organization_id().await.unwrap();
        let before = stytch.count(Operation::AuthenticateSession);
        let _ = stytch.fault(update, Fault::response(rejection)).times(1);
        let error = member.update_connection(connection.id(), &rename("No")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
        assert_eq!(error.attempts(), 1);
        assert_eq!(stytch.count(Operation::AuthenticateSession), before);
    }
}
