//! The caches of sessions: what they are keyed by, and which renewal a member keeps; and JWT
//! times with fractions.

use crate::support::prelude::*;

#[tokio::test]
async fn forged_payload_with_a_cached_signature_is_rejected() {
    let acme = Acme::new();
    let other = acme.stytch.organization("other");
    let client = acme.stytch.client();
    // The second one is cached with its renewal, which supplies the session header.
    for genuine in [acme.ada.jwt(), expired_jwt(&acme.ada)] {
        acme.resolve(&client, Session::jwt(&genuine)).await;
        let mut claims = jwt::claims(&genuine);
        claims["https://stytch.com/organization"]["organization_id"] = json!(other.id());
        let forged_payload = jwt::unsigned(&jwt::header(&genuine), &claims);
        let (_, signature) = genuine.rsplit_once('.').unwrap();
        let forged = client.as_member(Session::jwt(forged_payload + signature));
        let error = forged.organization_id().await.unwrap_err();
        assert_not_applied("forged", &error, InvalidSession);
        assert_eq!(error.reason(), "the session JWT has an invalid signature");
    }
}

#[tokio::test]
async fn token_and_jwt_of_the_same_text_share_no_cache_entry() {
    let (acme, client) = Acme::with_client(|it| it);
    acme.resolve(&client, acme.token()).await;
    let as_jwt = client.as_member(Session::jwt(acme.ada.token()));
    let error = as_jwt.organization_id().await.unwrap_err();
    assert_not_applied("token as JWT", &error, InvalidSession);
}

#[tokio::test]
async fn older_renewal_never_replaces_a_newer_one() {
    let acme = Acme::new();
    let (stytch, client) = (&acme.stytch, acme.stytch.client());
    client.warm_up().await.unwrap();
    let member = client.as_member(acme.jwt());
    acme.advance(301);

    // Starts the first renewal, and doesn't receive its result yet.
    let mut first = pin!(member.organization_id());
    assert!(first.as_mut().now_or_never().is_none());
    // Completes with that renewal.
    let older = acme.resolve(&client, acme.jwt()).await.session();
    assert_eq!(stytch.count(AUTHENTICATE), 1);

    acme.advance(301);
    member.clone().organization_id().await.unwrap();
    let newer = member.session();
    assert_eq!(newer.kind(), SessionKind::Jwt);
    assert!(newer != older);
    assert_eq!(stytch.count(AUTHENTICATE), 2);

    first.await.unwrap();
    assert!(member.session() == newer, "the older renewal replaced the newer one");
}

#[tokio::test]
async fn renewed_jwt_is_renewed_again_the_margin_before_its_end() {
    let acme = Acme::new();
    for margin in [0, 5, 100] {
        let client = acme.client_with(|it| it.expiry_margin(Duration::from_secs(margin)));
        let member = client.as_member(Session::jwt(acme.ada.fresh_jwt()));
        acme.advance(301);
        member.organization_id().await.unwrap();
        let renewed = member.session();
        // A JWT lives for five minutes.
        for (advance, is_renewed) in [(299 - margin, false), (1, true)] {
            acme.stytch.clock().advance(Duration::from_secs(advance));
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
#[tokio::test]
async fn response_about_another_session_is_an_error_and_leaves_no_trace() {
    let mut claims = claims();
    claims["iss"] = json!("https://login.acme.example");
    // Verified JWTs: one that another issuer signed for the project, and one that has expired.
    let foreign = || Session::jwt(sign(&claims));
    let expired = || Session::jwt(sign(&claims_since(600)));
    let (organization, session) =
        ("/member_session/organization_id", "/member_session/member_session_id");
    for (of, pointer, value) in [
        (expired(), organization, json!("organization-test-other")),
        (expired(), session, json!("session-test-other")),
        (expired(), session, json!(null)),
        (foreign(), organization, json!("organization-test-other")),
        (foreign(), session, json!("session-test-other")),
        (token(), "/session_token", json!("tOkEnOfAnOtHeRmEmBeR")),
    ] {
        let what = format!("{of:?}: {pointer}, {value}");
        let right = authenticated(&sign(&scripted_project::claims()));
        let mixed_up = with(right.clone(), pointer, value);
        let authenticate = first([steps::json(200, &mixed_up)], always(steps::json(200, &right)));
        let (project, client, _) = scripted(successful, authenticate, |it| it).await;
        let member = client.as_member(of.clone());
        let update = async || member.update_connection(CONNECTION, &rename("Acme")).await;
        let error = update().await.unwrap_err();
        assert_not_applied(&what, &error, UnexpectedResponse);
        assert_eq!(error.reason(), "the response is about another session", "{what}");
        assert_eq!(error.operation(), AUTHENTICATE, "{what}");
        assert_eq!((project.updates(), member.session() == of), (0, true), "{what}");
        // Nothing is cached: the next call asks again.
        update().await.unwrap();
        assert_eq!((project.authenticate_requests(), project.updates()), (2, 1), "{what}");
    }
}

/// The cache knows which session a token is of, also when it has to be authenticated again.
#[tokio::test]
async fn token_never_becomes_another_session() {
    let right = authenticated("a.b.c");
    let id = "/member_session/member_session_id";
    let mixed_up = with(right.clone(), id, json!("session-test-other"));
    let authenticate = first([steps::json(200, &right)], always(steps::json(200, &mixed_up)));
    let (project, client, clock) = scripted(successful, authenticate, |it| it).await;
    update_as(&client, token()).await.unwrap();
    clock.advance(Duration::from_secs(60 * 60));
    let error = update_as(&client, token()).await.unwrap_err();
    assert_not_applied("another session", &error, UnexpectedResponse);
    assert_eq!(project.updates(), 1);
}

#[tokio::test]
async fn jwt_times_may_have_fractions() {
    // A whole second, as the times below are relative to `iat`, which is one.
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let acme = Acme::on(Stytch::builder().clock(&Clock::stopped_at(now)).start());
    let second = Duration::from_secs(1);
    let client = acme.client_with(|it| it.expiry_margin(second).leeway(second));
    // Seconds from now of `iat` and `nbf`, and of `exp`; and how many were renewed by then.
    for (begin, end, renewed) in
        [(-0.5, 300.25, 0), (0.9, 1.1, 0), (0.0, 1.001, 0), (-1.0, 0.999, 1), (-600.5, -300.5, 2)]
    {
        let now = acme.ada.claims()["iat"].as_f64().unwrap();
        let times = json!({"iat": now + begin, "nbf": now + begin, "exp": now + end});
        let session = Session::jwt(acme.ada.mint(times));
        let before = acme.stytch.count(AUTHENTICATE);
        let member = acme.resolve(&client, session.clone()).await;
        assert_eq!(member.session() == session, before == renewed, "{begin} {end}");
        assert_eq!(acme.stytch.count(AUTHENTICATE), renewed, "{begin} {end}");
        acme.rename(&member).await.unwrap();
    }
}
