//! Whose organization: from a JWT without a round trip, from a token with one, from an
//! expired JWT by renewing it, and from anything else not at all.

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;
use stytch_sso_external::{
    ErrorKind, Operation, Outcome, Session, SessionKind,
    testing::{
        Fault,
        jwt::{self, Key},
    },
};

use crate::support::{acme::Acme, scripted_project::rename, wait::until};

#[tokio::test]
async fn jwt_needs_the_keys_once_and_no_authenticate() {
    let acme = Acme::captured();
    for _ in 0..3 {
        let member = acme.stytch.client().as_member(Session::jwt(acme.ada.jwt()));
        assert_eq!(member.organization_id().await.unwrap(), acme.organization.id());
    }
    let client = acme.stytch.client();
    for _ in 0..3 {
        let member = client.as_member(Session::jwt(acme.ada.fresh_jwt()));
        assert_eq!(member.organization_id().await.unwrap(), acme.organization.id());
    }
    // Three clients, then one more for three JWTs.
    acme.assert_counts(4, 0, 0);
}

#[tokio::test]
async fn token_is_authenticated_once() {
    let acme = Acme::captured();
    let client = acme.stytch.client();
    for _ in 0..3 {
        let member = client.as_member(Session::token(acme.ada.token()));
        assert_eq!(member.organization_id().await.unwrap(), acme.organization.id());
    }
    acme.assert_counts(0, 1, 0);
    let sent = acme.stytch.requests().pop().unwrap();
    assert_eq!(
        sent.body.unwrap().as_object().unwrap().keys().collect::<Vec<_>>(),
        ["session_token"]
    );
}

#[tokio::test]
async fn organization_of_a_token_is_cached_for_an_hour() {
    let acme = Acme::captured();
    let member = acme.stytch.client().as_member(Session::token(acme.ada.token()));
    for (advance, authenticated) in [(0, 1), (3_599, 1), (1, 2), (3_599, 2), (1, 3)] {
        acme.stytch.clock().advance(Duration::from_secs(advance));
        assert_eq!(member.organization_id().await.unwrap(), acme.organization.id());
        acme.assert_counts(0, authenticated, 0);
    }
}

#[tokio::test]
async fn expired_jwt_is_renewed_and_the_update_carries_the_new_one() {
    let acme = Acme::captured();
    let old = acme.ada.jwt();
    acme.stytch.clock().advance(Duration::from_secs(301));
    let member = acme.stytch.client().as_member(Session::jwt(&old));
    let clone = member.clone();
    member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap();

    let renewed = clone.session();
    assert_eq!(renewed.kind(), SessionKind::Jwt);
    assert!(renewed != Session::jwt(&old));
    let sent = acme.stytch.requests().pop().unwrap();
    assert!(sent.carries(renewed.expose_secret()));
    assert!(!sent.carries(&old));
    acme.assert_counts(1, 1, 1);

    // The renewed one is remembered: neither member authenticates again.
    clone.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap();
    acme.assert_counts(1, 1, 2);
}

#[tokio::test]
async fn jwt_counts_as_expired_a_few_seconds_early() {
    let acme = Acme::captured();
    let jwt = acme.ada.jwt();
    acme.stytch.clock().advance(Duration::from_secs(294));
    let client = acme.stytch.client();
    client.as_member(Session::jwt(&jwt)).organization_id().await.unwrap();
    acme.assert_counts(1, 0, 0);
    acme.stytch.clock().advance(Duration::from_secs(1));
    client.as_member(Session::jwt(&jwt)).organization_id().await.unwrap();
    acme.assert_counts(1, 1, 0);

    let exact = acme.stytch.client_builder().expiry_margin(Duration::ZERO).build().unwrap();
    exact.as_member(Session::jwt(&jwt)).organization_id().await.unwrap();
    acme.assert_counts(2, 1, 0);
}

#[tokio::test]
async fn jwt_beyond_the_leeway_is_renewed_and_one_within_is_not() {
    let acme = Acme::captured();
    let iat = acme.ada.claims()["iat"].as_u64().unwrap();
    let client = acme.stytch.client();
    let strict = acme.stytch.client_builder().leeway(Duration::ZERO).build().unwrap();
    let mut renewed = 0;
    for claim in ["iat", "nbf"] {
        let near = acme.ada.mint(json!({claim: iat + 5}));
        client.as_member(Session::jwt(&near)).organization_id().await.unwrap();
        let far = acme.ada.mint(json!({claim: iat + 7}));
        for (client, jwt) in [(&client, &far), (&strict, &near)] {
            let member = client.as_member(Session::jwt(jwt));
            assert_eq!(member.organization_id().await.unwrap(), acme.organization.id(), "{claim}");
            assert!(member.session() != Session::jwt(jwt), "{claim}");
            renewed += 1;
            assert_eq!(acme.stytch.count(Operation::AuthenticateSession), renewed);
        }
    }
}

#[tokio::test]
async fn forged_jwt_causes_no_request_but_for_the_keys() {
    let acme = Acme::captured();
    for (what, jwt) in forgeries(&acme) {
        let (stytch, connection_id) = (&acme.stytch, acme.connection.id());
        let before = stytch.count(Operation::GetJwks);
        let member = stytch.client().as_member(Session::jwt(jwt));
        let error = member.update_connection(connection_id, &rename("Renamed")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{what}: {error:?}");
        assert_eq!((error.outcome(), error.status()), (Outcome::NotApplied, None), "{what}");
        assert!(stytch.count(Operation::GetJwks) - before <= 1, "{what}");
    }
    assert_eq!(acme.stytch.count(Operation::AuthenticateSession), 0);
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 0);
}

/// JWTs that somebody could make without the project's private key, or for another project.
fn forgeries(Acme { stytch, ada, .. }: &Acme) -> [(&'static str, String); 9] {
    let (header, claims) = (jwt::header(&ada.jwt()), ada.claims());
    let key = stytch.key();
    let foreign = Key::generate().with_kid(key.kid());
    let with_alg = |alg: &str| json!({"alg": alg, "kid": key.kid(), "typ": "JWT"});
    [
        ("another key", jwt::sign(&header, &claims, &foreign)),
        ("unsigned", jwt::unsigned(&with_alg("none"), &claims)),
        ("unsigned, with `alg` RS256", jwt::unsigned(&header, &claims)),
        (
            "HS256 with the public key",
            jwt::sign_hmac(&with_alg("HS256"), &claims, key.public_key_pem().as_bytes()),
        ),
        (
            "HMAC, with `alg` RS256",
            jwt::sign_hmac(&header, &claims, key.public_key_pem().as_bytes()),
        ),
        ("right key, with `alg` RS512", jwt::sign(&with_alg("RS512"), &claims, &key)),
        ("another project's audience", ada.mint(json!({"aud": ["project-test-other"]}))),
        ("expired and for another project", {
            ada.mint(json!({"exp": 1, "aud": ["project-test-other"]}))
        }),
        ("unknown kid", jwt::sign(&header, &claims, &foreign.clone().with_kid("unknown"))),
    ]
}

/// Stytch's SDKs ask it too.
#[tokio::test]
async fn signed_jwt_whose_claims_do_not_hold_here_is_decided_by_stytch() {
    let acme = Acme::captured();
    let project = acme.stytch.project_id();
    let issuers = ["https://login.acme.example", "stytch.com", &format!("stytch.com/{project}/")];
    let issuers = issuers.map(|iss| json!({"iss": iss}));
    let without = ["iss", "nbf", "iat"].map(|claim| json!({claim: null}));
    let without_organization = [
        json!({"https://stytch.com/organization": null}),
        json!({"https://stytch.com/organization": {"organization_id": null}}),
    ];
    let connection_id = acme.connection.id();
    let update = rename("Renamed");
    for (number, claims) in
        issuers.into_iter().chain(without).chain(without_organization).enumerate()
    {
        let jwt = acme.ada.mint(claims.clone());
        let member = acme.stytch.client().as_member(Session::jwt(&jwt));
        member.update_connection(connection_id, &update).await.unwrap();
        let sent = acme.stytch.requests().pop().unwrap();
        assert!(sent.path.contains(acme.organization.id()) && !sent.carries(&jwt), "{claims}");
        assert_eq!(
            acme.stytch.count(Operation::AuthenticateSession),
            number as u64 + 1,
            "{claims}"
        );
    }
    // The fake finds no session in these.
    let session = "https://stytch.com/session";
    for claims in [json!({session: null}), json!({session: {"id": null}}), json!({"exp": null})] {
        let member = acme.stytch.client().as_member(Session::jwt(acme.ada.mint(claims)));
        let error = member.update_connection(connection_id, &update).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
        assert_eq!(error.error_type(), Some("unable_to_parse_session_jwt"));
    }
    assert_eq!(acme.stytch.count(Operation::AuthenticateSession), 8 + 3);
}

#[tokio::test]
async fn organization_that_is_no_path_segment_is_rejected() {
    let acme = Acme::captured();
    for id in ["", ".", "..", "../x\\", "a\nb"] {
        let jwt =
            acme.ada.mint(json!({"https://stytch.com/organization": {"organization_id": id}}));
        let error =
            acme.stytch.client().as_member(Session::jwt(jwt)).organization_id().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{id:?}: {error:?}");
    }
    assert_eq!(acme.stytch.count(Operation::AuthenticateSession), 0);
}

#[tokio::test]
async fn session_that_no_header_can_carry_is_rejected_before_anything_is_sent() {
    let acme = Acme::captured();
    let long = "x".repeat(16 * 1024 + 1);
    for credential in ["", "a\r\nx-evil: 1", "a\nb", "a\0b", "a b", "ü", &long] {
        for session in [Session::token(credential), Session::jwt(credential)] {
            let member = acme.stytch.client().as_member(session);
            let error = member
                .update_connection(acme.connection.id(), &rename("Renamed"))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
            assert_eq!((error.outcome(), error.attempts()), (Outcome::NotApplied, 0));
        }
    }
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn unreachable_keys_lead_to_authenticate() {
    let acme = Acme::captured();
    let _ = acme.stytch.fault(Operation::GetJwks, Fault::status(500));
    let member = acme.stytch.client().as_member(Session::jwt(acme.ada.jwt()));
    member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap();
    acme.assert_counts(1, 1, 1);

    // With both down, the error names the cause and the outcome is `NotApplied`.
    let _ = acme.stytch.fault(Operation::AuthenticateSession, Fault::status(500));
    let member = acme.stytch.client().as_member(Session::jwt(acme.ada.fresh_jwt()));
    let error =
        member.update_connection(acme.connection.id(), &rename("Renamed")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error:?}");
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::NotApplied, 500));
}

#[tokio::test]
async fn queued_requests_that_nobody_waits_for_are_not_sent() {
    let Acme { stytch, ada, .. } = Acme::captured();
    let client = stytch.client_builder().max_in_flight(1).build().unwrap();
    let slow = Fault::delay(Duration::from_secs(1));
    let slow = stytch.fault(Operation::AuthenticateSession, slow).times(1);
    let first = tokio::spawn({
        let member = client.as_member(Session::token("mAdE-uP-0"));
        async move { member.organization_id().await }
    });
    until(|| slow.hits() == 1).await;
    for n in 1..50 {
        let member = client.as_member(Session::token(format!("mAdE-uP-{n}")));
        // Polled once, as for a client that disconnects at once.
        assert!(member.organization_id().now_or_never().is_none());
    }
    client.as_member(Session::token(ada.token())).organization_id().await.unwrap();
    assert!(first.await.unwrap().is_err_and(|error| error.kind() == ErrorKind::InvalidSession));
    assert_eq!(stytch.count(Operation::AuthenticateSession), 2);
}

/// JWTs that can't be verified have a queue of their own before that of `sessions/authenticate`.
#[tokio::test]
async fn unverified_jwts_that_nobody_waits_for_delay_no_other() {
    let Acme { stytch, organization, .. } = Acme::captured();
    let _ = stytch.fault(Operation::GetJwks, Fault::status(503));
    let _ = stytch.fault(Operation::AuthenticateSession, Fault::delay(Duration::from_secs(1)));
    let client = stytch.client_builder().max_in_flight(1).build().unwrap();
    client.warm_up().await.unwrap_err();
    let log_in = |name: &str| organization.member(name, &[]).log_in();
    let resolve = |session| {
        let member = client.as_member(session);
        tokio::spawn(async move { member.organization_id().await.unwrap() })
    };
    let sent = || stytch.count(Operation::AuthenticateSession);

    let [first, second, third, fourth] = ["first", "second", "third", "fourth"].map(log_in);
    let gone: Vec<_> = (0..20).map(|n| log_in(&format!("gone-{n}")).jwt()).collect();
    let mut calls = vec![resolve(Session::jwt(first.jwt()))];
    until(|| sent() == 1).await;
    calls.push(resolve(Session::token(second.token())));
    yield_often().await;
    for jwt in gone {
        let member = client.as_member(Session::jwt(jwt));
        // Polled until it is queued, as for a client that disconnects then.
        let mut call = Box::pin(member.organization_id());
        assert!(call.as_mut().now_or_never().is_none());
        yield_often().await;
    }
    calls.push(resolve(Session::jwt(third.jwt())));
    yield_often().await;
    until(|| sent() == 2).await;
    yield_often().await;
    calls.push(resolve(Session::token(fourth.token())));
    for call in calls {
        call.await.unwrap();
    }

    let sent = stytch.requests();
    let sent = sent.iter().filter(|it| it.operation == Some(Operation::AuthenticateSession));
    let order = [first.jwt(), second.token(), third.jwt(), fourth.token()];
    let in_order: Vec<_> =
        sent.zip(&order).map(|(request, credential)| request.carries(credential)).collect();
    assert_eq!(in_order, [true; 4]);
}

/// Lets every task of the runtime run that can.
async fn yield_often() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
