//! The samples in `tests/vectors`, captured from Stytch's official SDKs.

mod responses;

use crate::support::prelude::*;

/// The samples of a file.
pub(crate) fn samples(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    serde_json::from_slice(&std::fs::read(format!("{folder}/{name}.json")).unwrap()).unwrap()
}

/// Text that a sample has.
fn text<'a>(sample: &'a Value, name: &str) -> &'a str {
    sample[name].as_str().unwrap_or_else(|| panic!("no {name} in {sample}"))
}

/// A list that a sample has.
fn list<'a>(sample: &'a Value, name: &str) -> &'a [Value] {
    sample[name].as_array().unwrap_or_else(|| panic!("no {name} in {sample}"))
}

#[tokio::test]
async fn updates_are_sent_as_by_the_official_sdk() {
    let samples = samples("update_request");
    assert!(!list(&samples, "cases").is_empty());
    for case in list(&samples, "cases") {
        let name = text(case, "name");
        let ids = ["organization_id", "connection_id"].map(|id| text(case, id).to_owned());
        let (jwks, [organization_id, connection_id]) = (samples["jwks"].clone(), ids.clone());
        let server = ScriptedServer::start(move |seen, _| respond(seen, &jwks, &ids)).await;
        let client = Client::builder(text(&samples, "project_id"), text(&samples, "secret"));
        let client = client.base_url(server.url()).build().unwrap();
        let member = client.as_member(session(&case["session"]));
        let update = update(&case["update"]);
        let resolved = member.organization_id().await;
        let updated = member.update_connection(&connection_id, &update).await;
        let sent = server.seen("/sso/external/");
        if name == "ids_needing_percent_encoding" {
            // The SDKs encode these ids. Stytch has none such, so this crate rejects them.
            assert_eq!(updated.unwrap_err().outcome(), NotApplied);
            resolved.unwrap_err();
            assert_eq!(sent.len(), 0);
            continue;
        }
        assert_eq!(resolved.unwrap(), organization_id, "{name}");
        updated.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let [sent] = &sent[..] else { panic!("{name}: one update") };
        check(sent, name, &case["expect"]);
    }
}

fn check(sent: &Request, name: &str, expected: &Value) {
    let decode = |it| percent_encoding::percent_decode_str(it).decode_utf8().unwrap();
    let segments: Vec<_> = sent.target[1..].split('/').map(decode).collect();
    assert_eq!(json!(segments), expected["path_segments"], "{name}");
    assert_eq!((&*sent.method, &sent.json()), (text(expected, "method"), &expected["json_body"]));
    for (header, value) in expected["headers_present"].as_object().unwrap() {
        let values = sent.values(header);
        assert_eq!(values.len(), 1, "{name}: {header}");
        match header.as_str() {
            "content-type" => assert!(values[0].starts_with(value.as_str().unwrap()), "{name}"),
            _ => assert!(values[0] == *value, "{name}: {header}"),
        }
    }
    for header in list(expected, "headers_absent") {
        assert!(sent.values(header.as_str().unwrap()).is_empty(), "{name}: {header}");
    }
}

fn respond(seen: &Request, jwks: &Value, [organization_id, connection_id]: &[String; 2]) -> Steps {
    if seen.target.contains("/jwks/") {
        return steps::json(200, jwks);
    }
    if seen.target.ends_with("/authenticate") {
        let mut response = testing::responses::authenticated(organization_id, "token", "jwt");
        // Whatever token was sent.
        response.session_token = None;
        return steps::json(200, &response);
    }
    let mut connection = testing::responses::connection();
    organization_id.clone_into(&mut connection.organization_id);
    connection_id.clone_into(&mut connection.connection_id);
    steps::json(200, &testing::responses::updated(connection))
}

fn session(sample: &Value) -> Session {
    match (sample["jwt"].as_str(), sample["token"].as_str()) {
        (Some(jwt), None) => Session::jwt(jwt),
        (None, Some(token)) => Session::token(token),
        _ => panic!("a case has one session"),
    }
}

fn update(sample: &Value) -> UpdateExternalConnectionRequest {
    let mut update = UpdateExternalConnectionRequest::default();
    for field in sample.as_object().unwrap().keys() {
        update = match field.as_str() {
            "display_name" => update.display_name(text(sample, field)),
            "connection_roles" => {
                update.connection_roles(list(sample, field).iter().map(|it| it.as_str().unwrap()))
            }
            "group_roles" => {
                let roles = list(sample, field).iter();
                update.group_roles(roles.map(|role| (text(role, "group"), text(role, "role_id"))))
            }
            other => panic!("no such field: {other}"),
        };
    }
    update
}

#[tokio::test]
async fn session_jwts_are_accepted_and_rejected_as_by_the_official_sdks() {
    let samples = samples("session_claims");
    let now = UNIX_EPOCH + Duration::from_secs(samples["now"].as_u64().unwrap());
    let kid = text(&samples["cases"][0]["header"], "kid");
    let (project_key, other_key) = (Key::generate().with_kid(kid), Key::generate().with_kid(kid));
    let jwks = json!({"keys": [project_key.jwk()]});
    for case in list(&samples, "cases") {
        let jwks = jwks.clone();
        let server = ScriptedServer::start(move |seen, _| {
            if seen.target.contains("/jwks/") {
                steps::json(200, &jwks)
            } else {
                steps::json(404, &testing::responses::session_not_found())
            }
        })
        .await;
        let (header, mut claims) = (&case["header"], case["claims"].clone());
        if claims["iss"] == samples["base_url"] {
            claims["iss"] = json!(server.url());
        }
        let jwt = match text(case, "signed_by") {
            "project_key" => jwt::sign(header, &claims, &project_key),
            "other_key" => jwt::sign(header, &claims, &other_key),
            "hmac_sha256_with_public_key_pem" => {
                jwt::sign_hmac(header, &claims, project_key.public_key_pem().as_bytes())
            }
            "nothing" => jwt::unsigned(header, &claims),
            other => panic!("unknown signer {other}"),
        };
        let client = Client::builder(text(&samples, "project_id"), "secret-test-example");
        let client = client.base_url(server.url()).clock(Clock::stopped_at(now));
        let member = client.build().unwrap().as_member(Session::jwt(jwt));
        check_session(case, member.organization_id().await, &server);
    }
}

fn check_session(case: &Value, organization_id: Result<String, Error>, server: &ScriptedServer) {
    let name = text(case, "name");
    if case["valid"] == true {
        let expected = text(&case["expect"], "organization_id");
        assert_eq!(organization_id.unwrap(), expected, "{name}");
    } else {
        let error = organization_id.unwrap_err();
        assert_not_applied(name, &error, InvalidSession);
    }
    // Stytch decides about a JWT that the project signed for itself.
    let decided_by_stytch = [
        "expired",
        "not_yet_valid",
        "issuer_is_unknown",
        "issuer_is_another_project",
        "organization_claim_missing",
        "session_claim_missing",
    ];
    let authenticated = usize::from(decided_by_stytch.contains(&name));
    assert_eq!(server.seen("/authenticate").len(), authenticated, "{name}");
    assert!(server.seen("/jwks/").len() <= 1, "{name}");
}
