//! Responses that contradict Stytch's reference or leave out what it documents.

use crate::support::prelude::*;

/// The error of an update with this response. Nothing is retried.
async fn error_of(steps: Steps) -> Error {
    let project = ScriptedProject::responding(steps).await;
    let error = update(&project.client()).await.unwrap_err();
    assert_eq!((error.attempts(), project.updates()), (1, 1), "{error:?}");
    error
}

#[tokio::test]
async fn http_status_decides_and_an_error_body_is_never_a_success() {
    let denied = "session_authorization_error";
    let with_id = |body| with(body, "/request_id", REQUEST_ID);
    let beside_null = with(updated(), "/connection", Value::Null);
    let beside_null = with(beside_null, "/error_type", "internal_server_error");
    let oops = json!({"status_code": 500, "error_message": "Oops."});
    let rows = [
        ("a denial", 200, rejected(403, denied), UnexpectedResponse, Unknown),
        ("a message", 200, with_id(oops), UnexpectedResponse, Unknown),
        ("OAuth", 200, with_id(json!({"error": "access_denied"})), UnexpectedResponse, Unknown),
        ("a status", 200, with_id(json!({"status_code": 503})), UnexpectedResponse, Unknown),
        ("an error type beside null", 200, beside_null, UnexpectedResponse, Unknown),
        ("an empty object", 200, json!({}), UnexpectedResponse, Applied),
        ("an empty array", 200, json!([]), UnexpectedResponse, Applied),
        ("no data", 200, with_id(json!({"status_code": 200})), UnexpectedResponse, Applied),
        ("403 that claims 200", 403, rejected(200, denied), PERMISSION_DENIED, NotApplied),
        ("500 that claims 400", 500, rejected(400, "new_type"), Api, Unknown),
        ("an array", 400, json!([rejected(400, "invalid_role")]), UnexpectedResponse, NotApplied),
        // A status of 403 alone is no denial of a permission.
        ("suspended", 403, rejected(403, "organization_suspended"), Api, NotApplied),
        ("unknown", 403, rejected(403, "a_type_of_tomorrow"), Api, NotApplied),
        ("no type", 403, with_id(json!({"status_code": 403})), Api, NotApplied),
        ("a gateway's", 403, json!({"message": "Forbidden"}), UnexpectedResponse, NotApplied),
        ("empty", 403, json!({}), UnexpectedResponse, NotApplied),
        ("a string", 403, json!(denied), UnexpectedResponse, NotApplied),
    ];
    for (name, status, body, kind, outcome) in rows {
        let error = error_of(steps::json(status, &body)).await;
        assert_eq!(facts(&error), (kind, Some(status), outcome), "{name}: {error:?}");
        let request_id = body.to_string().contains(REQUEST_ID).then_some(REQUEST_ID);
        assert_eq!(error.request_id(), request_id, "{name}");
        if kind == UnexpectedResponse && status == 400 {
            assert_eq!(error.body_snippet(), Some(&*body.to_string()), "{name}");
        }
    }
}

#[tokio::test]
async fn response_about_another_connection_is_an_error() {
    let foreign = [
        ("/connection/connection_id", "another connection"),
        ("/connection/organization_id", "another organization"),
    ];
    for (pointer, expected) in foreign {
        for id in ["other-id", "", "..", PROJECT] {
            let foreign = with(updated(), pointer, id);
            let without = missing_or_null(&foreign, &["/request_id"]).map(|body| (body, None));
            for (body, request_id) in [(foreign, Some(REQUEST_ID))].into_iter().chain(without) {
                let error = error_of(steps::json(200, &body)).await;
                assert_eq!(facts(&error), (UnexpectedResponse, Some(200), Unknown), "{body}");
                assert!(error.to_string().contains(expected), "{error}");
                assert_eq!(error.request_id(), request_id, "{body}");
            }
        }
    }
}

#[tokio::test]
async fn error_body_with_oauth_fields_is_decoded() {
    let body = json!({
        "status_code": 401,
        "request_id": REQUEST_ID,
        "error": "unauthorized_credentials",
        "error_description": "Wrong secret.",
        "error_uri": "https://stytch.com/docs",
    });
    let error = error_of(steps::json(401, &body)).await;
    assert_eq!(facts(&error), (InvalidProjectCredentials, Some(401), NotApplied));
    let fields = ["request_id", "error", "error_description", "error_uri"];
    assert_eq!(texts(&error), fields.map(|field| body[field].as_str()));
}

#[tokio::test]
async fn error_details_may_be_any_json() {
    let forms = [json!({"field": "display_name", "n": [1, {"a": null}]}), json!(["a"]), json!("a")];
    for details in forms {
        let body = rejected(400, "invalid_display_name");
        let body = with(body, "/error_details", details.clone());
        let error = error_of(steps::json(400, &body)).await;
        assert_eq!((error.kind(), error.error_details()), (InvalidRequest, Some(&details)));
    }
}
