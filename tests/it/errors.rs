//! The accessors of errors: which operation failed and why, and that `Details` has the same.

use std::time::Duration;

use stytch_sso_external::{
    Details, Error, MemberClient, Operation, Outcome, RetryPolicy, Session,
    testing::{Fault, Response, responses},
    types::UpdateExternalConnectionRequest,
};

use crate::support::{acme::Acme, scripted_project::rename, scripted_server};

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
    let client = builder.operation_timeout(Duration::from_secs(1)).build().unwrap();
    let hour = Duration::from_secs(60 * 60);
    let _ = acme.stytch.fault(Operation::UpdateExternalConnection, Fault::delay(hour));
    let member = client.as_member(Session::jwt(acme.ada.jwt()));
    member.organization_id().await.unwrap();
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
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
        assert_eq!(error.operation(), operation, "{error}");
        assert!(error.is_retryable(), "{error}");
    }
}

fn details(error: &Error) -> &Details {
    match error {
        Error::PermissionDenied { details, .. }
        | Error::OrganizationMismatch(details)
        | Error::SessionInvalid(details)
        | Error::CredentialsRejected(details)
        | Error::NotFound(details)
        | Error::RateLimited(details)
        | Error::InvalidUpdate(details)
        | Error::Api(details)
        | Error::UnexpectedResponse(details)
        | Error::Transport(details) => details,
        other => panic!("a new variant: {other:?}"),
    }
}

macro_rules! assert_same {
    ($error:expr, $($accessor:ident),* $(,)?) => {
        $(assert_eq!(
            $error.$accessor(),
            details($error).$accessor(),
            concat!(stringify!($accessor), " of {:?}"),
            $error
        );)*
    };
}

#[tokio::test]
async fn details_have_the_accessors_of_the_error() {
    let acme = Acme::new();
    let ada = acme.member(Session::jwt(acme.ada.jwt()));
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
        assert_same!(
            error,
            operation,
            reason,
            status,
            request_id,
            error_type,
            error_message,
            error_url,
            error_details,
            retry_after,
            body_snippet,
            is_retryable,
            outcome,
            attempts,
        );
        assert!(!error.reason().is_empty(), "{error:?}");
    }
    let variants: std::collections::HashSet<_> =
        errors.iter().map(std::mem::discriminant).collect();
    assert_eq!(variants.len(), 10, "an error of each variant");
}
