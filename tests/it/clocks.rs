//! A machine's clock that differs from Stytch's logs no member out.

use crate::support::prelude::*;

/// A client whose clock is so many seconds ahead of Stytch's.
fn client_ahead_by(acme: &Acme, seconds: i64) -> (Client, Clock) {
    let (now, difference) =
        (acme.stytch.clock().now(), Duration::from_secs(seconds.unsigned_abs()));
    let clock = Clock::stopped_at(if seconds < 0 { now - difference } else { now + difference });
    (acme.client_with(|it| it.clock(clock.clone())), clock)
}

fn advance(acme: &Acme, clock: &Clock, seconds: u64) {
    for clock in [clock, acme.stytch.clock()] {
        clock.advance(Duration::from_secs(seconds));
    }
}

async fn assert_invalid_session(acme: &Acme, member: &MemberClient, attempts: u32) {
    let error = acme.rename(member).await.unwrap_err();
    assert_eq!(error.kind(), InvalidSession, "{error:?}");
    assert_eq!(error.attempts(), attempts);
}

#[tokio::test]
async fn members_stay_logged_in_whatever_the_clock_shows() {
    for seconds in [-30, -600, 30, 600] {
        let acme = Acme::new();
        let (client, clock) = client_ahead_by(&acme, seconds);
        // The browser keeps the same cookie for 20 minutes, four lifetimes of a JWT.
        let (session, lifetimes) = (acme.jwt(), 4);
        for minute in 0..20 {
            let updated = acme.rename(&client.as_member(session.clone())).await;
            updated.unwrap_or_else(|error| panic!("{seconds} s, minute {minute}: {error:?}"));
            advance(&acme, &clock, 60);
        }
        let authenticated = acme.stytch.count(AuthenticateSession);
        assert!((1..=lifetimes).contains(&authenticated), "{seconds} s: {authenticated}");
    }
}

#[tokio::test]
async fn jwt_that_expired_by_stytchs_clock_only_is_renewed() {
    for seconds in [30, 200] {
        let acme = Acme::new();
        let (client, clock) = client_ahead_by(&acme, -seconds);
        let seconds = seconds.unsigned_abs();
        let session = acme.jwt();
        let member = client.as_member(session.clone());
        // Valid by both clocks, then only by the machine's, with and without the renewed JWT.
        for (seconds, authenticated) in [(seconds, 0), (310 - seconds, 1), (1, 1)] {
            advance(&acme, &clock, seconds);
            acme.rename(&member).await.unwrap_or_else(|error| panic!("{seconds} s: {error:?}"));
            assert_eq!(acme.stytch.count(AuthenticateSession), authenticated);
        }
        assert!(member.session() != session);
        assert_eq!(acme.stytch.accepted(), 3);

        acme.ada.revoke();
        assert_invalid_session(&acme, &client.as_member(session), 1).await;
        assert_eq!(acme.stytch.count(AuthenticateSession), 1, "{seconds} s");
    }
}

/// By Stytch's clock it expired a moment ago.
#[tokio::test]
async fn jwt_that_many_callers_share_is_renewed_once() {
    let acme = Acme::new();
    let (client, _) = client_ahead_by(&acme, 0);
    client.as_member(acme.jwt()).organization_id().await.unwrap();
    acme.stytch.clock().advance(Duration::from_secs(301));
    acme.rename_all(&client, (0..100).map(|_| acme.jwt())).await;
    assert_eq!(acme.stytch.count(AuthenticateSession), 1);
}

#[tokio::test]
async fn either_rejection_of_a_jwt_renews_it() {
    let rejections = [responses::unable_to_parse_session_jwt(), responses::jwt_invalid_claims()];
    for rejection in rejections {
        let acme = Acme::new();
        let jwt = acme.ada.jwt();
        acme.stytch.clock().advance(Duration::from_secs(60));
        acme.fault(UPDATE, Fault::response(Response::error(&rejection)));
        let member = acme.stytch.client().as_member(Session::jwt(&jwt));
        acme.rename(&member).await.unwrap();
        acme.assert_counts(1, 1, 2);
        let sent = acme.stytch.requests();
        let sent: Vec<_> = sent.iter().filter(|it| it.operation == Some(UPDATE)).collect();
        assert!(sent[0].carries(&jwt) && !sent[1].carries(&jwt));
        assert!(sent[1].carries(member.session().expose_secret()));
    }
}

#[tokio::test]
async fn rejected_jwt_is_renewed_once_for_each_call_whatever_its_age() {
    let acme = Acme::new();
    let (stytch, client) = (&acme.stytch, acme.stytch.client());
    let rejection = Response::error(&responses::unable_to_parse_session_jwt());
    let fault = stytch.fault(UPDATE, Fault::response(rejection));
    for (age, calls) in [(0, 1), (60, 2)] {
        stytch.clock().advance(Duration::from_secs(age));
        assert_invalid_session(&acme, &client.as_member(acme.jwt()), 2).await;
        acme.assert_counts(1, calls, 2 * calls);
    }
    fault.clear();

    // A token can't be renewed, and a session that has ended isn't.
    let not_found = Response::error(&responses::session_not_found());
    let parse = Response::error(&responses::unable_to_parse_session_jwt());
    for (session, rejection) in [(acme.fresh_jwt(), not_found), (acme.token(), parse)] {
        let member = client.as_member(session);
        member.organization_id().await.unwrap();
        let before = stytch.count(AuthenticateSession);
        acme.fault(UPDATE, Fault::response(rejection));
        assert_invalid_session(&acme, &member, 1).await;
        assert_eq!(stytch.count(AuthenticateSession), before);
    }
}
