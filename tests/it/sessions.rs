//! The caches of sessions: what they are keyed by, and which renewal a member keeps; and JWT
//! times with fractions.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::json;
use stytch_sso_external::{
    ErrorKind, Operation, Session, SessionKind,
    testing::{Clock, LoggedIn, Stytch, jwt},
};

use crate::support::{
    scripted_project::{self, ScriptedProject},
    scripted_server::Request,
    steps,
};

#[tokio::test]
async fn forged_payload_with_a_cached_signature_is_rejected() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let other = stytch.organization("other");
    let client = stytch.client();
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let expired = ada.mint(times(&ada, -600.0, -300.0));
    // The second one is cached with its renewal, which supplies the session header.
    for genuine in [ada.jwt(), expired] {
        let resolved = client.as_member(Session::jwt(&genuine)).organization_id().await;
        assert_eq!(resolved.unwrap(), acme.id());

        let mut claims = jwt::claims(&genuine);
        claims["https://stytch.com/organization"]["organization_id"] = json!(other.id());
        let forged_payload = jwt::unsigned(&jwt::header(&genuine), &claims);
        let (_, signature) = genuine.rsplit_once('.').unwrap();
        let forged = client.as_member(Session::jwt(forged_payload + signature));
        let error = forged.organization_id().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
        assert_eq!(error.reason(), "the session JWT has an invalid signature");
    }
}

#[tokio::test]
async fn token_and_jwt_of_the_same_text_share_no_cache_entry() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &[]).log_in();
    let client = stytch.client();
    client.as_member(Session::token(ada.token())).organization_id().await.unwrap();
    let error = client.as_member(Session::jwt(ada.token())).organization_id().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
}

#[tokio::test]
async fn older_renewal_never_replaces_a_newer_one() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &[]).log_in();
    let client = stytch.client();
    client.warm_up().await.unwrap();
    let session = Session::jwt(ada.jwt());
    let member = client.as_member(session.clone());
    stytch.clock().advance(JWT_LIFETIME);

    // Starts the first renewal, and doesn't receive its result yet.
    let mut first = pin!(member.organization_id());
    let is_pending = poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending()));
    assert!(is_pending.await);
    // Completes with that renewal.
    let other = client.as_member(session);
    other.organization_id().await.unwrap();
    let older = other.session();
    assert_eq!(stytch.count(Operation::AuthenticateSession), 1);

    stytch.clock().advance(JWT_LIFETIME);
    member.clone().organization_id().await.unwrap();
    let newer = member.session();
    assert_eq!(newer.kind(), SessionKind::Jwt);
    assert!(newer != older);
    assert_eq!(stytch.count(Operation::AuthenticateSession), 2);

    first.await.unwrap();
    assert!(member.session() == newer, "the older renewal replaced the newer one");
}

#[tokio::test]
async fn renewed_jwt_is_renewed_again_the_margin_before_its_end() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &[]);
    let ada = ada.log_in_for(Duration::from_secs(60 * 60));
    for margin in [0, 5, 100] {
        let settings = stytch.client_builder().expiry_margin(margin * SECOND);
        let client = settings.build().unwrap();
        let member = client.as_member(Session::jwt(ada.fresh_jwt()));
        stytch.clock().advance(JWT_LIFETIME);
        member.organization_id().await.unwrap();
        let renewed = member.session();
        // A JWT lives for five minutes.
        let margin = u64::from(margin);
        for (advance, is_renewed) in [(299 - margin, false), (1, true)] {
            stytch.clock().advance(Duration::from_secs(advance));
            // Neither the member who renewed it nor one whose browser has the new cookie.
            let other = client.as_member(renewed.clone());
            for member in [&member, &other] {
                member.organization_id().await.unwrap();
                assert_eq!(member.session() != renewed, is_renewed, "{margin} s, {advance} s");
            }
        }
    }
}

/// What a gateway does that mixes responses up.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[tokio::test]
async fn response_about_another_session_is_an_error_and_leaves_no_trace() {
    let claims = || {
        let mut claims = scripted_project::claims();
        for claim in ["iat", "nbf", "exp"] {
            claims[claim] = json!(claims[claim].as_u64().unwrap() - 600);
        }
        claims
    };
    // A verified JWT that has expired, and one that another issuer signed for the project.
    let expired = Session::jwt(scripted_project::sign(&claims()));
    let mut foreign = scripted_project::claims();
    foreign["iss"] = json!("https://login.acme.example");
    let foreign = Session::jwt(scripted_project::sign(&foreign));
    let token = || Session::token(scripted_project::TOKEN);
    let patches = [
        (&expired, json!({"member_session": {"organization_id": "organization-test-other"}})),
        (&expired, json!({"member_session": {"member_session_id": "session-test-other"}})),
        (&expired, json!({"member_session": {"member_session_id": null}})),
        (&foreign, json!({"member_session": {"organization_id": "organization-test-other"}})),
        (&foreign, json!({"member_session": {"member_session_id": "session-test-other"}})),
        (&token(), json!({"session_token": "tOkEnOfAnOtHeRmEmBeR"})),
    ];
    for (session, patch) in patches {
        let fresh = scripted_project::sign(&scripted_project::claims());
        let right = scripted_project::authenticated(&fresh);
        let mut mixed_up = right.clone();
        merge(&mut mixed_up, &patch);
        let script = move |_: &Request, before: usize| {
            steps::json(200, if before == 0 { &mixed_up } else { &right })
        };
        let update = |_: &Request, _: usize| steps::json(200, &scripted_project::updated());
        let project =
            ScriptedProject::scripted(scripted_project::successful_jwks, script, update).await;
        let client = project.client();
        let member = client.as_member((*session).clone());
        let rename = scripted_project::rename("Acme");
        let updated = member.update_connection(scripted_project::CONNECTION, &rename).await;
        let error = updated.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{patch}: {error:?}");
        assert_eq!(error.reason(), "the response is about another session", "{patch}");
        assert_eq!(error.operation(), Operation::AuthenticateSession, "{patch}");
        assert_eq!((project.updates(), &member.session() == session), (0, true), "{patch}");
        // Nothing is cached: the next call asks again.
        member.update_connection(scripted_project::CONNECTION, &rename).await.unwrap();
        assert_eq!((project.authenticate_requests(), project.updates()), (2, 1), "{patch}");
    }
    // A token's response may lack it.
    let absent = |_: &Request, _: usize| {
        let mut response = scripted_project::authenticated("a.b.c");
        response.as_object_mut().unwrap().remove("session_token");
        steps::json(200, &response)
    };
    let update = |_: &Request, _: usize| steps::json(200, &scripted_project::updated());
    let project =
        ScriptedProject::scripted(scripted_project::successful_jwks, absent, update).await;
    scripted_project::update_as(&project.client(), token()).await.unwrap();
}

/// A merge patch of objects: `null` removes.
fn merge(target: &mut serde_json::Value, patch: &serde_json::Value) {
    for (name, value) in patch.as_object().unwrap() {
        if value.is_object() {
            merge(&mut target[name], value);
        } else if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            target[name] = value.clone();
        }
    }
}

#[tokio::test]
async fn jwt_times_may_have_fractions() {
    // A whole second, as the times below are relative to `iat`, which is one.
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let stytch = Stytch::builder().clock(&Clock::stopped_at(now)).start();
    let acme = stytch.organization("acme");
    let ada = acme.member("ada", &["stytch_admin"]).log_in();
    let connection = acme.connection("Acme Okta");
    let client = stytch.client_builder();
    let client = client.expiry_margin(SECOND).leeway(SECOND).build().unwrap();
    // Seconds from now of `iat` and `nbf`, and of `exp`.
    let verified = [(-0.5, 300.25), (0.9, 1.1), (0.0, 1.001)];
    for (begin, end) in verified {
        let member = client.as_member(Session::jwt(ada.mint(times(&ada, begin, end))));
        let update = stytch_sso_external::types::UpdateExternalConnectionRequest::default();
        let update = update.display_name(format!("{begin} {end}"));
        member.update_connection(connection.id(), &update).await.unwrap();
    }
    assert_eq!(stytch.count(Operation::AuthenticateSession), 0);
    for (begin, end) in [(-1.0, 0.999), (-600.5, -300.5)] {
        let member = client.as_member(Session::jwt(ada.mint(times(&ada, begin, end))));
        assert_eq!(member.organization_id().await.unwrap(), acme.id());
        assert!(member.session() != Session::jwt(ada.mint(times(&ada, begin, end))));
    }
    assert_eq!(stytch.count(Operation::AuthenticateSession), 2);
}

#[tokio::test]
async fn jwt_times_out_of_range_are_rejected() {
    let stytch = Stytch::start();
    let ada = stytch.organization("acme").member("ada", &[]).log_in();
    let client = stytch.client();
    for claim in ["iat", "nbf", "exp"] {
        for time in [json!(1e300), json!(-1.5), json!(u64::MAX), json!("1"), json!(true)] {
            let forged = ada.mint(json!({claim: time}));
            let error = client.as_member(Session::jwt(forged)).organization_id().await;
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSession, "{claim} {time}: {error:?}");
        }
    }
    assert_eq!(stytch.count(Operation::AuthenticateSession), 0);
}

/// A patch of the times of a JWT, in seconds from now.
fn times(session: &LoggedIn, begin: f64, end: f64) -> serde_json::Value {
    let now = session.claims()["iat"].as_f64().unwrap();
    json!({"iat": now + begin, "nbf": now + begin, "exp": now + end})
}

const SECOND: Duration = Duration::from_secs(1);
const JWT_LIFETIME: Duration = Duration::from_secs(301);
