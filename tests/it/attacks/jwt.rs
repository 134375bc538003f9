//! Forged, malformed and odd session JWTs: rejected here, with nothing sent but at most one
//! fetch of the project's keys.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stytch_sso_external::{
    Client, Outcome, Session,
    testing::jwt::{self, Key},
};

use crate::support::{
    capture, raw,
    scripted_project::{self, KEY, ScriptedProject, claims, header, variant},
    steps,
};

/// A project that accepts any update and any session, so that only the client rejects.
async fn project() -> ScriptedProject {
    ScriptedProject::responding(steps::json(200, &scripted_project::updated())).await
}

/// That project, and a client of it that fetches the keys for each unknown `kid`.
struct Gate {
    project: ScriptedProject,
    client: Client,
}

impl Gate {
    async fn new() -> Self {
        let project = project().await;
        let client = project.builder().jwks_min_refetch_interval(Duration::ZERO).build().unwrap();
        Self { project, client }
    }

    /// Checks that a JWT is rejected, and by how many fetches at most.
    async fn rejects(&self, name: &str, jwt: &str, fetches: usize) {
        capture::register(jwt);
        let Self { project, client } = self;
        let before = project.jwks_requests();
        let error = scripted_project::update_as(client, Session::jwt(jwt)).await.expect_err(name);
        assert_eq!(variant(&error), "InvalidSession", "{name}: {error:?}");
        assert_eq!((error.status(), error.outcome()), (None, Outcome::NotApplied), "{name}");
        assert!(!error.is_retryable(), "{name}");
        assert_eq!((project.authenticate_requests(), project.updates()), (0, 0), "{name}");
        let times = project.jwks_requests() - before;
        assert!(times <= fetches, "{name}: fetched {times} times");
    }
}

#[tokio::test]
async fn jwt_of_another_algorithm_is_rejected_before_decoding() {
    let gate = Gate::new().await;
    let public = KEY.public_key_pem();
    let secrets = [public.as_bytes(), KEY.jwk().n.unwrap().as_bytes(), b""].map(<[u8]>::to_vec);
    let algorithms = [
        json!("none"),
        json!("None"),
        json!("HS256"),
        json!("HS512"),
        json!("RS384"),
        json!("RS512"),
        json!("PS256"),
        json!("ES256"),
        json!("EdDSA"),
        json!("rs256"),
        json!(""),
        json!(null),
        json!(["RS256"]),
    ];
    for algorithm in algorithms {
        let mut header = header();
        header["alg"] = algorithm.clone();
        let name = algorithm.to_string();
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
    let good = scripted_project::sign(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = jwt::unsigned(&header(), &json!({"sub": "mallory"}));
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut flipped = bytes.clone();
    flipped[100] ^= 1;
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let cases = [
        ("another key", jwt::sign(&header(), &claims(), &foreign)),
        ("HMAC with the public key", {
            jwt::sign_hmac(&header(), &claims(), KEY.public_key_pem().as_bytes())
        }),
        ("no signature", jwt::unsigned(&header(), &claims())),
        ("one bit", format!("{signed}.{}", encode(&flipped))),
        ("half of it", format!("{signed}.{}", encode(&bytes[..128]))),
        ("a zero in front", format!("{signed}.{}", encode(&[&[0], &bytes[..]].concat()))),
        ("only zeros", format!("{signed}.{}", encode(&[0; 256]))),
        ("of other claims", format!("{other}{signature}")),
    ];
    for (name, jwt) in cases {
        gate.rejects(name, &jwt, 1).await;
    }
}

#[tokio::test]
async fn malformed_jwt_is_rejected_before_sending() {
    let gate = Gate::new().await;
    let good = scripted_project::sign(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let padded = format!("{}=.{}.{}", parts[0], parts[1], parts[2]);
    let cases = [
        ("two segments", parts[..2].join(".")),
        ("four segments", format!("{good}.{}", parts[2])),
        ("a dot in front", format!(".{good}")),
        ("truncated in the header", good[..20].to_owned()),
        ("three empty segments", "..".to_owned()),
        ("plain text", "not-a-jwt".to_owned()),
        ("bad base64", format!("!{}.{}.{}", parts[0], parts[1], parts[2])),
        ("padding", padded),
        ("standard base64", good.replace(['-', '_'], "+")),
        ("a quote in the header", raw::sign("\"", "{}")),
        ("10,000 arrays in the header", raw::sign(&"[".repeat(10_000), "{}")),
        ("1 MiB", format!("{good}{}", "A".repeat(1 << 20))),
        ("critical extensions", {
            let mut header = header();
            header["crit"] = json!(["b64"]);
            jwt::sign(&header, &claims(), &KEY)
        }),
    ];
    for (name, jwt) in cases {
        let is_unchanged = name == "standard base64" && !good.contains(['-', '_']);
        if !is_unchanged {
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
        let mut header = header();
        header["kid"] = kid.clone();
        // Where the attacker's key would be, if anybody looked.
        header["jku"] = json!("https://does-not-exist.invalid/jwks");
        header["jwk"] = serde_json::to_value(KEY.jwk()).unwrap();
        gate.rejects(&kid.to_string(), &jwt::sign(&header, &claims(), &KEY), fetches).await;
    }
}

#[tokio::test]
async fn unknown_kids_share_one_fetch_per_interval() {
    let project = project().await;
    let interval = Duration::from_millis(300);
    let client = project.builder().jwks_min_refetch_interval(interval).build().unwrap();
    client.warm_up().await.unwrap();
    let calls = (0..100).map(|n| {
        let mut header = header();
        header["kid"] = json!(format!("kid-{n}"));
        let forged = Session::jwt(jwt::unsigned(&header, &claims()));
        scripted_project::update_as(&client, forged)
    });
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(variant(&result.unwrap_err()), "InvalidSession");
    }
    // One for the first of them, and one after the interval for the others.
    assert_eq!(
        (project.jwks_requests(), project.authenticate_requests(), project.updates()),
        (3, 0, 0)
    );
    scripted_project::update(&client).await.unwrap();
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[tokio::test]
async fn missing_wrong_or_duplicate_claims_are_rejected() {
    let gate = Gate::new().await;
    let organization = "https://stytch.com/organization";
    let session = "https://stytch.com/session";
    for claim in ["aud", "iss", "iat", "nbf", "exp", organization, session] {
        let wrong = [json!({}), json!([]), json!(-1), json!(-0.5), json!("x")];
        let mut without = claims();
        without.as_object_mut().unwrap().remove(claim);
        let mut cases = vec![without];
        cases.extend(wrong.into_iter().chain([json!(null)]).map(|wrong| {
            let mut claims = claims();
            claims[claim] = wrong;
            claims
        }));
        for claims in cases {
            let value = &claims[claim];
            // Stytch decides about a claim that is missing, and about another issuer.
            let is_decided_by_stytch = value.is_null()
                || (claim == "iss" && value.is_string())
                || ([organization, session].contains(&claim) && value.is_object());
            if claim == "aud" || !is_decided_by_stytch {
                let name = format!("{claim}: {value}");
                gate.rejects(&name, &scripted_project::sign(&claims), 1).await;
            }
        }
    }
    let audiences =
        [json!("project-test-other"), json!(1), json!([[scripted_project::PROJECT]]), json!("")];
    for aud in audiences {
        let mut claims = claims();
        claims["aud"] = aud.clone();
        gate.rejects(&format!("aud {aud}"), &scripted_project::sign(&claims), 1).await;
    }
    let ids = ["", ".", "..", "..\\..\\x", "a\r\nb", "a\0b", &"x".repeat(1025)];
    for id in ids.map(|id| json!(id)).into_iter().chain([json!(7), json!(["a"])]) {
        let mut claims = claims();
        claims[organization]["organization_id"] = id.clone();
        gate.rejects(&format!("organization {id}"), &scripted_project::sign(&claims), 1).await;
    }
    for exp in [json!(u64::MAX), json!(1e300)] {
        let mut claims = claims();
        claims["exp"] = exp.clone();
        gate.rejects(&format!("exp {exp}"), &scripted_project::sign(&claims), 1).await;
    }
}

#[tokio::test]
async fn duplicate_name_is_rejected() {
    let good_header = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, raw::KID);
    let good = claims().to_string();
    let twice = |text: &str, name: &str, value: &str| {
        [format!(r#"{{"{name}":{value},{}"#, &text[1..]), {
            format!(r#"{},"{name}":{value}}}"#, &text[..text.len() - 1])
        }]
    };
    let mallory = r#"{"organization_id":"organization-test-mallory"}"#;
    let organization = "https://stytch.com/organization";
    let nested = format!(r#""{organization}":{{"organization_id":"x","#);
    let nested = good.replace(&format!(r#""{organization}":{{"#), &nested);
    let mut cases = vec![(good_header.clone(), good.clone(), true)];
    for header in twice(&good_header, "alg", r#""none""#) {
        cases.push((header, good.clone(), false));
    }
    let names =
        [("aud", r#""x""#), ("iss", r#""x""#), ("exp", "1"), ("nbf", "1"), (organization, mallory)];
    for claims in names.iter().flat_map(|(name, value)| twice(&good, name, value)) {
        cases.push((good_header.clone(), claims, false));
    }
    cases.push((good_header, nested, false));
    for (header, claims, is_good) in cases {
        let keys = steps::json(200, &json!({"keys": [raw::jwk()]}));
        let project = ScriptedProject::scripted(
            move |_, _| keys.clone(),
            scripted_project::successful_authenticate,
            |_, _| steps::json(200, &scripted_project::updated()),
        );
        let project = project.await;
        let jwt = Session::jwt(raw::sign(&header, &claims));
        let result = scripted_project::update_as(&project.client(), jwt).await;
        assert_eq!(result.is_ok(), is_good, "{header} {claims}");
        assert_eq!(
            (project.authenticate_requests(), project.updates()),
            (0, usize::from(is_good)),
            "{header} {claims}"
        );
    }
}

#[tokio::test]
async fn exp_at_the_maximum_does_not_panic() {
    let mut claims = claims();
    claims["exp"] = json!(i64::MAX);
    let project = project().await;
    let client = project.client();
    for _ in 0..2 {
        scripted_project::update_as(&client, Session::jwt(scripted_project::sign(&claims)))
            .await
            .unwrap();
    }
    assert_eq!((project.authenticate_requests(), project.updates()), (0, 2));
}

#[tokio::test]
async fn audience_may_be_an_array_or_a_string() {
    for aud in [
        json!(scripted_project::PROJECT),
        json!([scripted_project::PROJECT]),
        json!(["x", scripted_project::PROJECT]),
    ] {
        let mut claims = claims();
        claims["aud"] = aud;
        let project = project().await;
        scripted_project::update_as(
            &project.client(),
            Session::jwt(scripted_project::sign(&claims)),
        )
        .await
        .unwrap();
        assert_eq!((project.authenticate_requests(), project.updates()), (0, 1));
    }
}
