//! Errors: which operation failed and why, what they hold, and what they show.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
use stytch_sso_external::{
    Error, ErrorKind, MemberClient, Operation, Outcome, RetryPolicy, Session,
    testing::{self, Fault, Response, responses},
    types::UpdateExternalConnectionRequest,
};

use crate::support::{
    acme::Acme,
    fast_time::accelerate,
    scripted_project::{rename, variant},
    scripted_server,
};

impl Acme {
    fn member(&self, session: Session) -> MemberClient {
        let builder = self.stytch.client_builder().retry(RetryPolicy::disabled());
        builder.build().unwrap().as_member(session)
    }

    async fn update_as(&self, member: &MemberClient) -> Error {
        member.update_connection(self.connection.id(), &rename("Renamed")).await.unwrap_err()
    }
}

#[tokio::test]
async fn local_rejection_names_the_operation_that_the_caller_called() {
    let acme = Acme::new();
    let ada = acme.member(Session::jwt(acme.ada.jwt()));
    let invalid_id = ada.update_connection("..", &rename("Renamed")).await.unwrap_err();
    let nothing = UpdateExternalConnectionRequest::default();
    let no_change = ada.update_connection("id", &nothing).await.unwrap_err();
    let malformed = acme.member(Session::jwt("not a JWT"));
    let unsendable = acme.member(Session::token("a\nb"));
    let update = Operation::UpdateExternalConnection;
    let rejections = [
        (&invalid_id, update, "the connection id "),
        (&no_change, update, "the update sets nothing"),
        (&acme.update_as(&malformed).await, update, "the session "),
        (&acme.update_as(&unsendable).await, update, "the session credential "),
        (
            &malformed.organization_id().await.unwrap_err(),
            Operation::AuthenticateSession,
            "the session ",
        ),
    ];
    for (error, operation, reason) in rejections {
        assert_eq!(error.operation(), operation, "{error}");
        assert!(error.reason().starts_with(reason), "{error}");
        assert!(error.to_string().starts_with(&format!("{operation}: {reason}")), "{error}");
        assert_eq!((error.status(), error.attempts()), (None, 0), "{error}");
        assert_eq!((error.error_type(), error.request_id()), (None, None), "{error}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
    }
    assert_eq!(acme.stytch.count(update), 0);
}

#[tokio::test]
async fn failed_request_names_its_own_operation() {
    let acme = Acme::new();
    let token = acme.member(Session::token(acme.ada.token()));
    acme.fault(Operation::AuthenticateSession, Fault::html(500));
    let in_update = acme.update_as(&token).await;
    acme.fault(Operation::AuthenticateSession, Fault::status(500));
    let in_organization_id = token.organization_id().await.unwrap_err();
    let unknown = acme.update_as(&acme.member(Session::token("unknown"))).await;
    for error in [&in_update, &in_organization_id, &unknown] {
        assert_eq!(error.operation(), Operation::AuthenticateSession, "{error}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
        assert!(error.status().is_some() && !error.reason().is_empty(), "{error}");
    }
    assert_eq!(acme.stytch.count(Operation::UpdateExternalConnection), 0);

    let bob = acme.organization.member("bob", &[]).log_in();
    let denied = acme.update_as(&acme.member(Session::jwt(bob.jwt()))).await;
    assert_eq!(denied.operation(), Operation::UpdateExternalConnection);

    acme.fault(Operation::GetJwks, Fault::status(503));
    let policy = RetryPolicy::disabled();
    let client = acme.stytch.client_builder().retry(policy).build().unwrap();
    let warm_up = client.warm_up().await.unwrap_err();
    assert_eq!(warm_up.operation(), Operation::GetJwks);
    assert_eq!(warm_up.outcome(), Outcome::NotApplied);
}

#[tokio::test]
async fn elapsed_wait_names_the_operation_that_the_caller_called() {
    let acme = Acme::new();
    let builder = acme.stytch.client_builder().retry(RetryPolicy::disabled()).max_in_flight(1);
    let client = builder.operation_timeout(Duration::from_secs(5)).build().unwrap();
    let hour = Duration::from_secs(60 * 60);
    let _ = acme.stytch.fault(Operation::UpdateExternalConnection, Fault::delay(hour));
    let member = client.as_member(Session::jwt(acme.ada.jwt()));
    member.organization_id().await.unwrap();
    accelerate();
    // Both start at once, so the second one is queued until the operation timeout.
    let (sent, queued) = tokio::join!(acme.update_as(&member), acme.update_as(&member));
    assert_eq!((sent.outcome(), queued.outcome()), (Outcome::Unknown, Outcome::NotApplied));
    assert_eq!((sent.attempts(), queued.attempts()), (1, 0));
    let _ = acme.stytch.fault(Operation::AuthenticateSession, Fault::delay(hour));
    let other = client.as_member(Session::token(acme.ada.token()));
    let organization_id = other.organization_id().await.unwrap_err();
    for (error, operation) in [
        (&sent, Operation::UpdateExternalConnection),
        (&queued, Operation::UpdateExternalConnection),
        (&organization_id, Operation::AuthenticateSession),
    ] {
        assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
        assert_eq!(error.operation(), operation, "{error}");
        assert!(error.is_retryable(), "{error}");
    }
}

/// One of each kind; the fields of Stytch's error survive.
#[tokio::test]
async fn each_kind_has_a_response_status_and_clones_share_the_body() {
    let acme = Acme::new();
    // A JWT that Stytch rejects would be renewed first.
    let ada = acme.member(Session::token(acme.ada.token()));
    let mut errors = vec![acme.update_as(&acme.member(Session::jwt("malformed"))).await];
    for body in responses::documented() {
        let response = Response::error(&body).header("retry-after", "7");
        acme.fault(Operation::UpdateExternalConnection, Fault::response(response));
        errors.push(acme.update_as(&ada).await);
    }
    acme.fault(Operation::UpdateExternalConnection, Fault::html(502));
    errors.push(acme.update_as(&ada).await);
    let nowhere = acme.stytch.client_builder().base_url(scripted_server::nobody().await);
    let nowhere = nowhere.retry(RetryPolicy::disabled()).build().unwrap();
    errors.push(nowhere.warm_up().await.unwrap_err());

    for error in &errors {
        assert!(!error.reason().is_empty(), "{error:?}");
        let statuses = [
            ("PermissionDenied", 403),
            ("OrganizationMismatch", 404),
            ("InvalidSession", 401),
            ("InvalidProjectCredentials", 500),
            ("NotFound", 404),
            ("RateLimited", 429),
            ("InvalidRequest", 422),
            ("Api", 502),
            ("UnexpectedResponse", 502),
            ("Transport", 504),
        ];
        let expected = statuses.iter().find(|(kind, _)| *kind == variant(error)).unwrap().1;
        assert_eq!(error.kind().response_status(), expected, "{error:?}");
        let clone = error.clone();
        let text = |error: &Error| error.error_message().map(str::as_ptr);
        assert_eq!(text(&clone), text(error), "{error:?}");
    }
    let kinds: std::collections::HashSet<_> = errors.iter().map(variant).collect();
    assert_eq!(kinds.len(), 10, "an error of each kind: {kinds:?}");
}

/// A web service shows these to its members.
#[test]
fn reason_of_a_rejected_update_names_the_cause() {
    let update = Operation::UpdateExternalConnection;
    let reason = |error_type: &str| {
        let body = format!(r#"{{"error_type": "{error_type}", "error_message": "A secret."}}"#);
        testing::error(update, 400, body).reason().to_owned()
    };
    for (error_type, expected) in [
        ("invalid_role", "a role is unknown"),
        ("invalid_rbac_role_id", "a role is unknown"),
        ("invalid_rbac_role_assignment", "an OIDC connection assigns none"),
        ("cannot_assign_default_rbac_role_id", "a default role can't be assigned"),
        ("external_connection_not_active", "the connection is not active"),
        ("saml_connection_attribute_mapping_missing_groups_key", "the key `groups`"),
        ("invalid_display_name", "the display name is invalid"),
        ("new_in_2027", "as invalid"),
    ] {
        let reason = reason(error_type);
        assert!(reason.contains(expected) && !reason.contains("secret"), "{error_type}: {reason}");
    }
}

/// Stytch's error type is the same, but the details of an unknown role name it.
#[test]
fn unknown_role_and_oidc_connection_have_different_reasons() {
    let update = Operation::UpdateExternalConnection;
    let role = responses::invalid_role_assignment("editr", "roles", 0);
    let oidc = responses::error(400, "invalid_rbac_role_assignment", "Not for OIDC.");
    let [role, oidc] = [&role, &oidc].map(|body| testing::error(update, 400, body));
    assert!(role.reason().contains("a role is unknown"), "{role}");
    assert!(oidc.reason().contains("an OIDC connection"), "{oidc}");
    assert_eq!(role.kind(), oidc.kind());
}

#[test]
fn retry_after_is_a_day_at_most() {
    for value in ["99999999999999999999999", "86401", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        let error = testing::error_with_headers(Operation::GetJwks, 429, &headers, "");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(24 * 60 * 60)), "{value}");
    }
}

/// As a value, JSON takes many times its length in memory.
#[test]
fn error_details_are_kept_up_to_16_kib() {
    let error = |details: &str| {
        let body = format!(
            r#"{{"error_type":"invalid_role","request_id":"request-id-test-1","error_details":{details}}}"#
        );
        testing::error(Operation::UpdateExternalConnection, 400, body)
    };
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert!(error(&text(16 * 1024)).error_details().is_some());
    let nested = format!("[{}]", vec!["[[]]"; 250_000].join(","));
    for details in [text(16 * 1024 + 1), nested, format!("{}{}", "[".repeat(200), "]".repeat(200))]
    {
        let error = error(&details);
        assert_eq!(error.error_details(), None);
        assert_eq!(error.error_type(), Some("invalid_role"));
        assert_eq!(error.request_id(), Some("request-id-test-1"));
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
            let error = testing::error(Operation::UpdateExternalConnection, status, body.clone());
            assert_eq!(error.error_type(), Some(text));
            assert!(!format!("{error} {error:?} {}", error.reason()).contains(text), "{error}");
        }
    }
}

/// It is as wide as a pointer, and shares what is large.
#[test]
fn error_is_one_pointer_wide() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
}
