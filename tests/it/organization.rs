//! Whose organization: from a JWT without a round trip, from a token with one, from an
//! expired JWT by renewing it, and from anything else not at all.

use crate::support::prelude::*;

#[tokio::test]
async fn jwt_needs_the_keys_once_and_no_authenticate() {
    let (acme, client) = Acme::with_client(|it| it);
    for _ in 0..3 {
        acme.resolve(&acme.stytch.client(), acme.jwt()).await;
        acme.resolve(&client, Session::jwt(acme.ada.fresh_jwt())).await;
    }
    // Three clients, and one more for three JWTs.
    acme.assert_counts(4, 0, 0);
}

#[tokio::test]
async fn token_is_authenticated_once_in_an_hour_or_in_the_cache_ttl() {
    let acme = Acme::new();
    let by_default = acme.stytch.client();
    let minute = acme.client_with(|it| it.session_cache_ttl(Duration::from_secs(60)));
    let rows = [(0, 1), (3_599, 1), (1, 2), (3_599, 2), (1, 3)].map(|row| (&by_default, row));
    for (client, (advance, authenticated)) in
        rows.into_iter().chain([(0, 4), (59, 4), (1, 5)].map(|row| (&minute, row)))
    {
        acme.stytch.clock().advance(Duration::from_secs(advance));
        acme.resolve(client, acme.token()).await;
        acme.assert_counts(0, authenticated, 0);
    }
    let sent = acme.stytch.requests().pop().unwrap().body.unwrap();
    assert_eq!(sent.as_object().unwrap().keys().collect::<Vec<_>>(), ["session_token"]);
}

#[tokio::test]
async fn expired_jwt_is_renewed_once_for_all_its_callers_whose_updates_carry_the_new_one() {
    for callers in [1, 100] {
        let acme = Acme::new();
        let old = acme.ada.jwt();
        acme.advance(301);
        let client = acme.stytch.client();
        let member = client.as_member(Session::jwt(&old));
        let clone = member.clone();
        let others = (1..callers).map(|_| Session::jwt(&old));
        let (updated, ()) = tokio::join!(acme.rename(&member), acme.rename_all(&client, others));
        updated.unwrap();

        let renewed = clone.session();
        assert_eq!(renewed.kind(), SessionKind::Jwt);
        let mut sent = acme.stytch.requests();
        sent.retain(|request| request.operation == Some(UPDATE));
        let all = sent.iter().all(|it| it.carries(renewed.expose_secret()) && !it.carries(&old));
        assert!(all, "{callers} callers");
        acme.assert_counts(1, 1, callers);

        // The renewed one is remembered: no member authenticates again.
        for member in [clone, client.as_member(Session::jwt(&old))] {
            acme.rename(&member).await.unwrap();
        }
        acme.assert_counts(1, 1, callers + 2);
    }
}

#[tokio::test]
async fn jwt_counts_as_expired_a_few_seconds_early() {
    let (acme, client) = Acme::with_client(|it| it);
    for (advance, authenticated) in [(294, 0), (1, 1)] {
        acme.stytch.clock().advance(Duration::from_secs(advance));
        acme.resolve(&client, acme.jwt()).await;
        acme.assert_counts(1, authenticated, 0);
    }
    let exact = acme.stytch.client_builder().expiry_margin(Duration::ZERO).build().unwrap();
    acme.resolve(&exact, acme.jwt()).await;
    acme.assert_counts(2, 1, 0);
}

#[tokio::test]
async fn jwt_beyond_the_leeway_is_renewed_and_one_within_is_not() {
    let acme = Acme::new();
    let iat = acme.ada.claims()["iat"].as_u64().unwrap();
    let client = acme.stytch.client();
    let strict = acme.stytch.client_builder().leeway(Duration::ZERO).build().unwrap();
    let mut renewed = 0;
    for claim in ["iat", "nbf"] {
        for (client, ahead, is_renewed) in [(&client, 5, 0), (&client, 7, 1), (&strict, 5, 1)] {
            let session = Session::jwt(acme.ada.mint(json!({claim: iat + ahead})));
            let member = acme.resolve(client, session.clone()).await;
            renewed += is_renewed;
            let about = (u64::from(member.session() != session), acme.stytch.count(AUTHENTICATE));
            assert_eq!(about, (is_renewed, renewed), "{claim}, {ahead} s");
        }
    }
}

/// Stytch's SDKs ask it too.
#[tokio::test]
async fn signed_jwt_whose_claims_do_not_hold_here_is_decided_by_stytch() {
    let acme = Acme::new();
    let (organization, session) = ("https://stytch.com/organization", "https://stytch.com/session");
    let with_a_slash = format!("stytch.com/{}/", acme.stytch.project_id());
    let accepted = [
        json!({"iss": "https://login.acme.example"}),
        json!({"iss": "stytch.com"}),
        json!({"iss": with_a_slash}),
        json!({"iss": null}),
        json!({"nbf": null}),
        json!({"iat": null}),
        json!({organization: null}),
        json!({organization: {"organization_id": null}}),
    ];
    for (number, claims) in (1..).zip(accepted) {
        let jwt = acme.ada.mint(claims.clone());
        acme.rename(&acme.as_member(Session::jwt(&jwt))).await.unwrap();
        let sent = acme.stytch.requests().pop().unwrap();
        assert!(sent.path.contains(acme.organization.id()) && !sent.carries(&jwt), "{claims}");
        assert_eq!(acme.stytch.count(AUTHENTICATE), number, "{claims}");
    }
    // The fake finds no session in these.
    let rejected = [json!({session: null}), json!({session: {"id": null}}), json!({"exp": null})];
    for (number, claims) in (9..).zip(rejected) {
        let member = acme.as_member(Session::jwt(acme.ada.mint(claims.clone())));
        let error = acme.rename(&member).await.unwrap_err();
        assert_not_applied(&claims, &error, InvalidSession);
        assert_eq!(error.error_type(), Some("unable_to_parse_session_jwt"), "{claims}");
        assert_eq!(acme.stytch.count(AUTHENTICATE), number, "{claims}");
    }
}

#[tokio::test]
async fn queued_requests_that_nobody_waits_for_are_not_sent() {
    let (acme, client) = Acme::with_client(|it| it.max_in_flight(1));
    let hanging =
        acme.stytch.fault(AUTHENTICATE, Fault::delay(Duration::from_secs(60 * 60))).times(1);
    let first = client.as_member(Session::token("mAdE-uP-0"));
    let first = tokio::spawn(async move { first.organization_id().await });
    until(|| hanging.hits() == 1).await;
    for n in 1..50 {
        let member = client.as_member(Session::token(format!("mAdE-uP-{n}")));
        // Polled once, as for a client that disconnects at once.
        assert!(member.organization_id().now_or_never().is_none());
    }
    let queued = acme.resolve(&client, acme.token());
    let (_, ()) = tokio::join!(queued, async { first.abort() });
    assert_eq!(acme.stytch.count(AUTHENTICATE), 2);
}
