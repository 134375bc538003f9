//! Errors: which operation failed and why, what they hold, and what they show.

use std::collections::HashSet;

use crate::support::prelude::*;

#[tokio::test]
async fn local_rejection_names_the_operation_that_the_caller_called() {
    let (acme, client) = Acme::with_client(|it| it.retry(RetryPolicy::disabled()));
    let ada = client.as_member(acme.jwt());
    let nothing = UpdateExternalConnectionRequest::default();
    let malformed = client.as_member(Session::jwt("not a JWT"));
    let unsendable = client.as_member(Session::token("a\nb"));
    let invalid_id = ada.update_connection("..", &rename("Renamed")).await.unwrap_err();
    let no_change = ada.update_connection("id", &nothing).await.unwrap_err();
    let read = malformed.organization_id().await.unwrap_err();
    let sets_nothing = "the update sets nothing: set a display name or a list of roles";
    for (error, operation, kind, reason) in [
        (invalid_id, UPDATE, InvalidRequest, "the connection id "),
        (no_change, UPDATE, InvalidRequest, sets_nothing),
        (acme.rename(&malformed).await.unwrap_err(), UPDATE, InvalidSession, "the session "),
        (
            acme.rename(&unsendable).await.unwrap_err(),
            UPDATE,
            InvalidSession,
            "the session credential ",
        ),
        (read, AuthenticateSession, InvalidSession, "the session "),
    ] {
        assert_eq!(error.operation(), operation, "{error}");
        assert!(error.reason().starts_with(reason), "{error}");
        assert!(error.to_string().starts_with(&format!("{operation}: {reason}")), "{error}");
        assert_eq!(facts(&error), (kind, None, NotApplied), "{error}");
        assert_eq!(error.attempts(), 0, "{error}");
        assert_eq!((error.error_type(), error.request_id()), (None, None), "{error}");
    }
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn elapsed_wait_names_the_operation_that_the_caller_called() {
    let (acme, client) = Acme::with_client(|it| {
        it.retry(RetryPolicy::disabled()).max_in_flight(1).operation_timeout(Duration::from_secs(2))
    });
    for operation in [UPDATE, AuthenticateSession] {
        let _ = acme.stytch.fault(operation, Fault::delay(Duration::from_secs(60 * 60)));
    }
    let member = client.as_member(acme.jwt());
    member.organization_id().await.unwrap();
    accelerate();
    // Both start at once, so the second one is queued until the operation timeout.
    let (sent, queued) = tokio::join!(acme.rename(&member), acme.rename(&member));
    let organization_id = client.as_member(acme.token()).organization_id().await;
    acme.assert_counts(1, 1, 1);
    let queued = queued.unwrap_err();
    assert!(queued.reason().starts_with("operation_timeout elapsed while "), "{queued}");
    assert_eq!(queued.reason().matches("operation_timeout").count(), 1, "{queued}");
    for (error, operation, outcome, attempts) in [
        (sent.unwrap_err(), UPDATE, Unknown, 1),
        (queued, UPDATE, NotApplied, 0),
        (organization_id.unwrap_err(), AuthenticateSession, NotApplied, 1),
    ] {
        assert_eq!(facts(&error), (Transport, None, outcome), "{error:?}");
        assert_eq!((error.operation(), error.attempts()), (operation, attempts), "{error}");
        assert!(error.is_retryable(), "{error}");
    }
}

/// One of each kind; the fields of Stytch's error survive.
#[test]
fn each_kind_has_a_response_status_and_clones_share_the_body() {
    let documented = responses::documented().into_iter().map(|body| {
        let status = u16::try_from(body.status_code.unwrap()).unwrap();
        testing::error(UPDATE, status, &body)
    });
    let others = [testing::error(UPDATE, 502, ""), testing::transport_error(UPDATE, Unknown)];
    let errors: Vec<_> = documented.chain(others).collect();
    for error in &errors {
        assert!(!error.reason().is_empty(), "{error:?}");
        let expected = match error.kind() {
            PermissionDenied { .. } => 403,
            OrganizationMismatch | NotFound => 404,
            InvalidSession => 401,
            InvalidProjectCredentials => 500,
            RateLimited => 429,
            InvalidRequest => 422,
            Api | UnexpectedResponse => 502,
            Transport => 504,
            other => panic!("{other:?} has no status here: add it"),
        };
        assert_eq!(error.kind().response_status(), expected, "{error:?}");
        let text = |error: &Error| error.error_message().map(str::as_ptr);
        assert_eq!(text(&error.clone()), text(error), "{error:?}");
    }
    let kinds: HashSet<_> = errors.iter().map(Error::kind).collect();
    assert_eq!(kinds.len(), 10, "an error of each kind: {kinds:?}");
}

/// A web service shows these to its members.
#[test]
fn reason_of_a_rejected_update_names_the_cause() {
    let error = |error_type| {
        let body = format!(r#"{{"error_type": "{error_type}", "error_message": "A secret."}}"#);
        testing::error(UPDATE, 400, body)
    };
    let rows = [
        ("invalid_role", "a role is unknown"),
        ("invalid_rbac_role_id", "a role is unknown"),
        ("invalid_rbac_role_assignment", "an OIDC connection assigns none"),
        ("cannot_assign_default_rbac_role_id", "a default role can't be assigned"),
        ("external_connection_not_active", "the connection is not active"),
        ("saml_connection_attribute_mapping_missing_groups_key", "the key `groups`"),
        ("invalid_display_name", "the display name is invalid"),
        ("new_in_2027", "as invalid"),
    ];
    // Stytch's error type is that of an OIDC connection, but the details of an unknown role name it.
    let role = responses::invalid_role_assignment("secret", "roles", 0);
    let role = (testing::error(UPDATE, 400, &role), "a role is unknown");
    for (error, expected) in
        rows.map(|(error_type, it)| (error(error_type), it)).into_iter().chain([role])
    {
        let reason = error.reason();
        assert!(reason.contains(expected) && !reason.contains("secret"), "{error}: {reason}");
        assert_eq!(error.kind(), InvalidRequest, "{error}");
    }
}

/// As a value, JSON takes many times its length in memory.
#[test]
fn error_details_are_kept_up_to_16_kib() {
    let error = |details: &str| {
        let body = format!(
            r#"{{"error_type":"invalid_role","request_id":"request-1","error_details":{details}}}"#
        );
        testing::error(UPDATE, 400, body)
    };
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert!(error(&text(16 * 1024)).error_details().is_some());
    let nested = format!("[{}]", vec!["[[]]"; 250_000].join(","));
    for details in [text(16 * 1024 + 1), nested, format!("{}{}", "[".repeat(200), "]".repeat(200))]
    {
        let error = error(&details);
        assert_eq!(error.error_details(), None);
        assert_eq!(error.error_type(), Some("invalid_role"));
        assert_eq!(error.request_id(), Some("request-1"));
    }
}

/// A server may send anything in place of a type or an id, a credential too.
#[test]
fn text_that_looks_like_a_secret_is_not_shown() {
    for text in [
        "secret-test-PVdqyv2NW-a_b",
        "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFhhT8ds245v7Q",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJzdHl0Y2gifQ.c2ln",
        "wjrkbvxnq7ehd2t",
        &"a_b".repeat(50),
    ] {
        let body = format!(r#"{{"error_type": "{text}", "request_id": "{text}"}}"#);
        for status in [200, 400, 500] {
            let error = testing::error(UPDATE, status, body.clone());
            assert_eq!(error.error_type(), Some(text));
            assert!(!format!("{error} {error:?} {}", error.reason()).contains(text), "{error}");
        }
    }
}
