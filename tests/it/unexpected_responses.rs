//! Responses that contradict Stytch's reference or leave out what it documents.

use serde_json::{Value, json};
use stytch_sso_external::{Error, Outcome};

use crate::support::{
    scripted_project::{self, ScriptedProject, variant},
    steps::{self, Steps},
};

/// The error of an update with this response, and how often the update was sent.
async fn error_of(steps: Steps) -> (Error, usize) {
    let project = ScriptedProject::responding(steps).await;
    let error = scripted_project::update(&project.client()).await.unwrap_err();
    (error, project.updates())
}

/// A success with one value replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = scripted_project::updated();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn error_body_under_200_is_never_a_success() {
    let bodies = [
        scripted_project::rejected(403, "session_authorization_error"),
        json!({"status_code": 500, "error_message": "Oops.", "request_id": scripted_project::REQUEST_ID}),
        json!({"error": "access_denied", "request_id": scripted_project::REQUEST_ID}),
        json!({"status_code": 503, "request_id": scripted_project::REQUEST_ID}),
        with("/connection", Value::Null).as_object().map_or(Value::Null, |body| {
            let mut body = body.clone();
            body.insert("error_type".into(), "internal_server_error".into());
            body.into()
        }),
    ];
    for body in bodies {
        let (error, sent) = error_of(steps::json(200, &body)).await;
        assert_eq!(variant(&error), "UnexpectedResponse", "{body}");
        assert_eq!(error.status().unwrap(), 200, "{body}");
        assert_eq!(error.request_id(), Some(scripted_project::REQUEST_ID), "{body}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{body}");
        assert_eq!((error.attempts(), sent), (1, 1), "{body}");
    }
}

#[tokio::test]
async fn success_without_a_connection_is_an_error_with_outcome_applied() {
    for body in [
        json!({}),
        json!({"status_code": 200, "request_id": scripted_project::REQUEST_ID}),
        json!([]),
    ] {
        let (error, sent) = error_of(steps::json(200, &body)).await;
        assert_eq!(variant(&error), "UnexpectedResponse", "{body}");
        assert_eq!(error.status().unwrap(), 200, "{body}");
        assert_eq!(error.outcome(), Outcome::Applied, "{body}");
        assert_eq!(sent, 1, "{body}");
    }
}

#[tokio::test]
async fn http_status_wins_over_the_status_in_the_body() {
    let rejected =
        steps::json(403, &scripted_project::rejected(200, "session_authorization_error"));
    let (error, _) = error_of(rejected).await;
    assert_eq!(variant(&error), "PermissionDenied");
    assert_eq!((error.status().unwrap().as_u16(), error.outcome()), (403, Outcome::NotApplied));

    let (error, sent) =
        error_of(steps::json(500, &scripted_project::rejected(400, "new_type"))).await;
    assert_eq!(variant(&error), "Api");
    assert_eq!((error.status().unwrap().as_u16(), error.outcome()), (500, Outcome::Unknown));
    assert_eq!(sent, 1);

    let project =
        ScriptedProject::responding(steps::json(200, &with("/status_code", json!(403)))).await;
    assert_eq!(
        scripted_project::update(&project.client()).await.unwrap().connection.display_name,
        "Acme"
    );
}

#[tokio::test]
async fn response_about_another_connection_is_an_error() {
    let foreign = [
        ("/connection/connection_id", "another connection"),
        ("/connection/organization_id", "another organization"),
    ];
    for (pointer, expected) in foreign {
        for id in ["other-id", "", "..", scripted_project::PROJECT] {
            let (error, sent) = error_of(steps::json(200, &with(pointer, json!(id)))).await;
            assert_eq!(variant(&error), "UnexpectedResponse", "{pointer} {id}");
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.status().unwrap(), 200);
            assert_eq!(error.request_id(), Some(scripted_project::REQUEST_ID));
            assert_eq!(error.outcome(), Outcome::Unknown);
            assert_eq!((error.attempts(), sent), (1, 1));
        }
    }
}

#[tokio::test]
async fn response_about_another_connection_counts_earlier_attempts() {
    let foreign = with("/connection/connection_id", json!("other"));
    let project = ScriptedProject::start(move |_, before| match before {
        0 => steps::html(503),
        _ => steps::json(200, &foreign),
    });
    let project = project.await;
    let error = scripted_project::update(&project.client()).await.unwrap_err();
    assert_eq!((error.attempts(), project.updates()), (2, 2));
    assert_eq!((error.status().unwrap().as_u16(), error.outcome()), (200, Outcome::Unknown));
}

#[tokio::test]
async fn role_lists_may_be_null_or_missing() {
    let lists = [
        "external_connection_implicit_role_assignments",
        "external_group_implicit_role_assignments",
    ];
    let mut without = scripted_project::updated();
    let mut null = scripted_project::updated();
    for list in lists {
        without["connection"].as_object_mut().unwrap().remove(list);
        null["connection"][list] = Value::Null;
    }
    for body in [without, null] {
        let project = ScriptedProject::responding(steps::json(200, &body)).await;
        let response = scripted_project::update(&project.client()).await.unwrap();
        assert_eq!(response.connection.connection_id, scripted_project::CONNECTION, "{body}");
    }
}

#[tokio::test]
async fn unknown_connection_status_and_fields_are_accepted() {
    let mut body = with("/connection/status", json!("frozen"));
    body["connection"]["new_field"] = json!({"a": [1]});
    body["error_type"] = Value::Null;
    let project = ScriptedProject::responding(steps::json(200, &body)).await;
    assert_eq!(
        scripted_project::update(&project.client()).await.unwrap().connection.status,
        "frozen"
    );
}

#[tokio::test]
async fn error_body_is_decoded_without_each_of_its_fields() {
    let whole = scripted_project::rejected(403, "session_authorization_error");
    for field in ["status_code", "request_id", "error_message", "error_url"] {
        let mut absent = whole.clone();
        absent.as_object_mut().unwrap().remove(field);
        let mut null = whole.clone();
        null[field] = Value::Null;
        let mut wrong = whole.clone();
        wrong[field] = json!({"wrong": ["type"]});
        for body in [absent, null, wrong] {
            let (error, _) = error_of(steps::json(403, &body)).await;
            assert_eq!(variant(&error), "PermissionDenied", "{body}");
            assert_eq!(error.status().unwrap(), 403, "{body}");
            let request_id = (field != "request_id").then_some(scripted_project::REQUEST_ID);
            assert_eq!(error.request_id(), request_id, "{body}");
            assert_eq!(error.outcome(), Outcome::NotApplied, "{body}");
        }
    }
}

#[tokio::test]
async fn error_body_with_oauth_fields_is_decoded() {
    let body = json!({
        "status_code": 401,
        "request_id": scripted_project::REQUEST_ID,
        "error": "unauthorized_credentials",
        "error_description": "Wrong secret.",
        "error_uri": "https://stytch.com/docs",
    });
    let (error, _) = error_of(steps::json(401, &body)).await;
    assert_eq!(variant(&error), "InvalidProjectCredentials");
    assert_eq!(error.error_type(), Some("unauthorized_credentials"));
    assert_eq!(error.error_message(), Some("Wrong secret."));
    assert_eq!(error.error_url(), Some("https://stytch.com/docs"));
    assert_eq!(error.request_id(), Some(scripted_project::REQUEST_ID));
}

#[tokio::test]
async fn error_body_in_an_array_keeps_its_status_and_a_snippet() {
    let body = json!([scripted_project::rejected(400, "invalid_role")]);
    let (error, sent) = error_of(steps::json(400, &body)).await;
    assert_eq!(variant(&error), "UnexpectedResponse");
    assert_eq!((error.status().unwrap().as_u16(), sent), (400, 1));
    assert_eq!(error.request_id(), Some(scripted_project::REQUEST_ID));
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.body_snippet().unwrap().contains("invalid_role"));
}

#[tokio::test]
async fn error_details_may_be_any_json() {
    let forms = [json!({"field": "display_name", "n": [1, {"a": null}]}), json!(["a"]), json!("a")];
    for details in forms {
        let mut body = scripted_project::rejected(400, "invalid_display_name");
        body["error_details"] = details.clone();
        let (error, _) = error_of(steps::json(400, &body)).await;
        assert_eq!(variant(&error), "InvalidRequest", "{details}");
        assert_eq!(error.error_details(), Some(&details));
    }
}

#[tokio::test]
async fn status_403_with_an_unknown_type_is_no_permission_denied() {
    let bodies = [
        scripted_project::rejected(403, "organization_suspended"),
        scripted_project::rejected(403, "a_type_of_tomorrow"),
        json!({"message": "Forbidden"}),
        json!({}),
        json!("session_authorization_error"),
    ];
    for body in bodies {
        let (error, sent) = error_of(steps::json(403, &body)).await;
        assert!(["Api", "UnexpectedResponse"].contains(&&*variant(&error)), "{body} {error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{body}");
        assert_eq!(sent, 1, "{body}");
    }
}
