//! Forged, malformed and odd session JWTs: rejected here, with nothing sent but at most one
//! fetch of the project's keys.

use super::ids::IMPOSSIBLE;
use crate::support::prelude::*;

/// A project that accepts any update and any session, so that only the client rejects, and a
/// client of it that fetches the keys for each unknown `kid`.
struct Gate {
    project: ScriptedProject,
    client: Client,
}

impl Gate {
    async fn new() -> Self {
        let project = ScriptedProject::successful().await;
        let client = project.builder().jwks_min_refetch_interval(Duration::ZERO).build().unwrap();
        Self { project, client }
    }

    /// Checks that a JWT is rejected, and by how many fetches at most.
    async fn rejects(&self, name: &str, jwt: &str, fetches: usize) {
        capture::register(jwt);
        let before = self.project.jwks_requests();
        let error = update_as(&self.client, Session::jwt(jwt)).await.expect_err(name);
        assert_eq!(facts(&error), (InvalidSession, None, NotApplied), "{name}: {error:?}");
        assert!(!error.is_retryable(), "{name}");
        assert_eq!(self.project.counts()[1..], [0, 0], "{name}");
        let times = self.project.jwks_requests() - before;
        assert!(times <= fetches, "{name}: fetched {times} times");
    }
}

#[tokio::test]
async fn jwt_of_another_algorithm_is_rejected_before_decoding() {
    let gate = Gate::new().await;
    let public = KEY.public_key_pem();
    let secrets = [public.as_bytes(), KEY.jwk().n.unwrap().as_bytes(), b""].map(<[u8]>::to_vec);
    let names = ["none", "None", "HS256", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA"];
    let algorithms = names.map(|name| json!(name)).into_iter();
    let odd = [json!("rs256"), json!(""), json!(null), json!(["RS256"])];
    for algorithm in algorithms.chain(odd) {
        let name = algorithm.to_string();
        let header = with(header(), "/alg", algorithm);
        gate.rejects(&name, &jwt::unsigned(&header, &claims()), 0).await;
        gate.rejects(&name, &jwt::sign(&header, &claims(), &KEY), 0).await;
        for secret in &secrets {
            gate.rejects(&name, &jwt::sign_hmac(&header, &claims(), secret), 0).await;
        }
    }
}

#[tokio::test]
async fn invalid_signature_is_rejected() {
    let gate = Gate::new().await;
    let foreign = Key::generate().with_kid(KEY.kid());
    let good = sign(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = jwt::unsigned(&header(), &json!({"sub": "mallory"}));
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut flipped = bytes.clone();
    flipped[100] ^= 1;
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let pem = KEY.public_key_pem();
    for (name, jwt) in [
        ("another key", jwt::sign(&header(), &claims(), &foreign)),
        ("HMAC with the public key", jwt::sign_hmac(&header(), &claims(), pem.as_bytes())),
        ("no signature", jwt::unsigned(&header(), &claims())),
        ("one bit", format!("{signed}.{}", encode(&flipped))),
        ("half of it", format!("{signed}.{}", encode(&bytes[..128]))),
        ("a zero in front", format!("{signed}.{}", encode(&[&[0], &bytes[..]].concat()))),
        ("only zeros", format!("{signed}.{}", encode(&[0; 256]))),
        ("of other claims", format!("{other}{signature}")),
    ] {
        gate.rejects(name, &jwt, 1).await;
    }
}

#[tokio::test]
async fn malformed_jwt_is_rejected_before_sending() {
    let gate = Gate::new().await;
    let good = sign(&claims());
    let [header_part, claims_part, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("a JWT has three parts");
    };
    let crit = with(header(), "/crit", json!(["b64"]));
    for (name, jwt) in [
        ("two segments", format!("{header_part}.{claims_part}")),
        ("four segments", format!("{good}.{signature}")),
        ("a dot in front", format!(".{good}")),
        ("truncated in the header", good[..20].to_owned()),
        ("three empty segments", "..".to_owned()),
        ("plain text", "not-a-jwt".to_owned()),
        ("bad base64", format!("!{good}")),
        ("padding", format!("{header_part}=.{claims_part}.{signature}")),
        ("standard base64", good.replace(['-', '_'], "+")),
        ("a quote in the header", raw::sign("\"", "{}")),
        ("10,000 arrays in the header", raw::sign(&"[".repeat(10_000), "{}")),
        ("1 MiB", format!("{good}{}", "A".repeat(1 << 20))),
        ("critical extensions", jwt::sign(&crit, &claims(), &KEY)),
    ] {
        // By chance, a signature may have neither of the two characters.
        if jwt != good {
            gate.rejects(name, &jwt, 0).await;
        }
    }
    for length in [1, 10] {
        gate.rejects("truncated in the signature", &good[..good.len() - length], 1).await;
    }
}

#[tokio::test]
async fn kid_is_never_interpreted() {
    let gate = Gate::new().await;
    let kids = ["", "..", "../../jwks", "a/b", "\"", "' or 1=1 --", "a\r\nb", "\0", "https://x/y"];
    let mut cases: Vec<(Value, usize)> = kids.map(|kid| (json!(kid), 1)).into();
    cases.push((json!("k".repeat(5_000)), 1));
    cases.extend([json!(null), json!(1), json!([KEY.kid()])].map(|kid| (kid, 0)));
    for (kid, fetches) in cases {
        let name = kid.to_string();
        // Where the attacker's key would be, if anybody looked.
        let header = with(header(), "/jku", "https://does-not-exist.invalid/jwks");
        let header = with(with(header, "/jwk", json!(KEY.jwk())), "/kid", kid);
        gate.rejects(&name, &jwt::sign(&header, &claims(), &KEY), fetches).await;
    }
}

#[tokio::test]
async fn unknown_kids_share_one_fetch_per_interval() {
    let (project, client, clock) =
        scripted(successful, successful, |it| it.jwks_min_refetch_interval(Duration::from_secs(1)))
            .await;
    client.warm_up().await.unwrap();
    accelerate_with(clock);
    let calls = (0..100).map(|n| {
        let header = with(header(), "/kid", format!("kid-{n}"));
        update_as(&client, Session::jwt(jwt::unsigned(&header, &claims())))
    });
    for result in join_all(calls).await {
        assert_eq!(result.unwrap_err().kind(), InvalidSession);
    }
    // One for the first of them, and one after the interval for the others.
    assert_eq!(project.counts(), [3, 0, 0]);
    update(&client).await.unwrap();
}

/// Claims with one thing wrong, named.
fn wrong_claims() -> Vec<(String, Value)> {
    const SESSION_CLAIM: &str = "/https:~1~1stytch.com~1session";
    let mut cases = Vec::new();
    let mut add = |pointer: &str, value: Value| {
        cases.push((format!("{pointer}: {value}"), with(claims(), pointer, value)));
    };
    for claim in ["/aud", "/iss", "/iat", "/nbf", "/exp", ORGANIZATION_CLAIM, SESSION_CLAIM] {
        for value in [json!({}), json!([]), json!(-1), json!(-0.5), json!("x")] {
            // Stytch decides about another issuer, and about a claim that is missing or empty.
            let is_decided_by_stytch = (claim == "/iss" && value.is_string())
                || ([ORGANIZATION_CLAIM, SESSION_CLAIM].contains(&claim) && value.is_object());
            if !is_decided_by_stytch {
                add(claim, value);
            }
        }
    }
    let other = json!("project-test-other");
    for value in [Value::Null, other.clone(), json!(1), json!([[PROJECT]]), json!("")] {
        add("/aud", value);
    }
    for id in IMPOSSIBLE.iter().copied().chain([&*"x".repeat(1025)]) {
        add(ORGANIZATION_ID, json!(id));
    }
    for (pointer, value) in [
        ("/iat", json!(1e300)),
        ("/nbf", json!(1e300)),
        ("/iat", json!(u64::MAX)),
        ("/nbf", json!(u64::MAX)),
        (ORGANIZATION_ID, json!(7)),
        (ORGANIZATION_ID, json!(["a"])),
        ("/exp", json!(u64::MAX)),
        ("/exp", json!(1e300)),
    ] {
        add(pointer, value);
    }
    cases.push(("no aud".to_owned(), without(claims(), "/aud")));
    let expired = with(with(claims(), "/aud", json!([other])), "/exp", 1);
    cases.push(("another project, expired".to_owned(), expired));
    cases
}

#[tokio::test]
async fn missing_or_wrong_claims_are_rejected() {
    let gate = Gate::new().await;
    for (name, claims) in wrong_claims() {
        gate.rejects(&name, &sign(&claims), 1).await;
    }
}

#[tokio::test]
async fn duplicate_name_is_rejected() {
    let good_header = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, raw::KID);
    let good = claims().to_string();
    let twice = |text: &str, name: &str, value: &str| {
        [
            format!(r#"{{"{name}":{value},{}"#, &text[1..]),
            format!(r#"{},"{name}":{value}}}"#, &text[..text.len() - 1]),
        ]
    };
    let mallory = r#"{"organization_id":"organization-test-mallory"}"#;
    let organization = "https://stytch.com/organization";
    let nested = format!(r#""{organization}":{{"organization_id":"x","#);
    let nested = good.replace(&format!(r#""{organization}":{{"#), &nested);
    let mut cases = vec![(good_header.clone(), good.clone()), (good_header.clone(), nested)];
    cases.extend(twice(&good_header, "alg", r#""none""#).map(|header| (header, good.clone())));
    let names =
        [("aud", r#""x""#), ("iss", r#""x""#), ("exp", "1"), ("nbf", "1"), (organization, mallory)];
    let claims = names.iter().flat_map(|(name, value)| twice(&good, name, value));
    cases.extend(claims.map(|claims| (good_header.clone(), claims)));
    for (number, (header, claims)) in cases.iter().enumerate() {
        let project = ScriptedProject::successful().await;
        let keys = json!({"keys": [raw::jwk()]});
        project.respond(GetJwks, steps::json(200, &keys));
        let jwt = Session::jwt(raw::sign(header, claims));
        let is_good = number == 0;
        let result = update_as(&project.client(), jwt).await;
        assert_eq!(result.is_ok(), is_good, "{header} {claims}");
        assert_eq!(project.counts()[1..], [0, usize::from(is_good)], "{header} {claims}");
    }
}

#[tokio::test]
async fn audience_may_be_an_array_or_a_string_and_exp_the_maximum() {
    for (pointer, value) in [
        ("/aud", json!(PROJECT)),
        ("/aud", json!([PROJECT])),
        ("/aud", json!(["x", PROJECT])),
        ("/exp", json!(i64::MAX)),
    ] {
        let project = ScriptedProject::successful().await;
        let (client, session) = (project.client(), jwt(&with(claims(), pointer, value)));
        for _ in 0..2 {
            update_as(&client, session.clone()).await.unwrap();
        }
        assert_eq!(project.counts(), [1, 0, 2]);
    }
}
